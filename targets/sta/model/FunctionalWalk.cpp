// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- FunctionalWalk.cpp - the numerics of a launch ----------------------===//

#include "targets/sta/model/FunctionalWalk.h"

#include "runtime/support/Parallel.h"
#include "runtime/units/HeadWalks.h"
#include "targets/sta/model/Dmme.h"
#include "targets/sta/model/FixedPoint.h"
#include "targets/sta/model/SoftmaxUnit.h"
#include "targets/sta/model/VectorUnit.h"

namespace sparsam::sta {

using namespace runtime;

namespace {

/// A scale as 15-bit multiplier and shift: scale = multiplier * 2^(exponent - 15).
struct Multiplier {
  int64_t multiplier;
  int exponent;

  explicit Multiplier(float scale) {
    const double fraction = std::frexp(double(scale), &exponent);
    multiplier = std::llround(std::ldexp(fraction, 15));
  }
  int16_t apply(int64_t sum, int fraction, int result) const {
    return saturate16(roundShift(saturate32(sum) * multiplier, fraction + 15 - exponent - result));
  }
};

template <typename Domain> class Walker {
public:
  using Word = typename Domain::Word;
  using Wide = typename Domain::Wide;
  using Sum = typename Domain::Sum;

  Walker(const Kernel &kernel, const Params &params, std::span<const TensorView> bindings,
         Events &events)
      : kernel_(kernel), params_(params), bindings_(bindings), events_(events),
        activation_(size_t(kernel.memory(Role::activation).extent)),
        values_(size_t(kernel.memory(Role::values).extent)),
        bitmaps_(size_t(kernel.memory(Role::bitmaps).extent)),
        constants_(size_t(kernel.memory(Role::constants).extent)),
        mask_(size_t(kernel.memory(Role::mask).extent)), columns_(activation_),
        softmax_(params.softmax), vector_(params.vector) {}

  Status run() {
    return kernel_.stage.walk(bindings_, [this](const auto &insn, Addressing &addressing) {
      return this->execute(insn, addressing);
    });
  }

private:
  Status execute(const insn::Config &, Addressing &) { return Status(); }

  //===-- Transfer ---------------------------------------------------------===//

  /// Calls f(source row, destination row) for the rows that are there; absent ones are null.
  template <typename From, typename F>
  void forRows(const Tile &source, const Tile &destination, F f) {
    const From *data = bindings_[source.binding].template as<From>();
    for (uint32_t r = 0; r < std::min(destination.rows, destination.validRows); ++r)
      f(r < source.validRows ? data + source.offset + r * source.rowStride : nullptr,
        size_t(destination.offset + r * destination.rowStride));
  }
  template <typename From, typename To>
  void copyRows(const Tile &source, const Tile &destination, std::vector<To> &buffer) {
    forRows<From>(source, destination, [&](const From *row, size_t at) {
      for (uint32_t c = 0; c < destination.cols; ++c)
        buffer[at + c] = row ? To(row[c]) : To(0);
    });
  }
  /// Floats to words of `bits` bits.
  template <typename To>
  void loadFloats(const Tile &source, const Tile &destination, std::vector<To> &buffer,
                  uint32_t fraction, int bits) {
    if constexpr (!Domain::isFixed)
      return copyRows<float>(source, destination, buffer);
    forRows<float>(source, destination, [&](const float *row, size_t at) {
      for (uint32_t c = 0; c < destination.cols; ++c)
        buffer[at + c] = row ? To(toWord(row[c], int(fraction), bits)) : To(0);
    });
  }

  Status execute(const insn::LoadW &i, Addressing &a) {
    weights_.clear();
    Tile source = a.tile(i.values), slot = a.tile(i.value_slot);
    if (!Domain::isFixed)
      copyRows<float>(source, slot, values_);
    else if (params_.weightBits == 8)
      copyRows<int8_t>(source, slot, values_);
    else
      copyRows<int16_t>(source, slot, values_);
    Tile map = a.tile(i.bitmaps);
    if (map.memory != 0 && params_.geometry.m <= 8)
      copyRows<uint8_t>(map, a.tile(i.bitmap_slot), bitmaps_);
    else if (map.memory != 0)
      copyRows<uint16_t>(map, a.tile(i.bitmap_slot), bitmaps_);
    return Status();
  }
  Status execute(const insn::LoadAct &i, Addressing &a) {
    Tile destination = a.tile(i.destination);
    loadFloats(a.tile(i.source), destination, activation_, i.fraction, 16);
    overwrite(destination);
    return Status();
  }
  Status execute(const insn::LoadConst &i, Addressing &a) {
    loadFloats(a.tile(i.source), a.tile(i.destination), constants_, i.fraction, 32);
    return Status();
  }
  Status execute(const insn::LoadMask &i, Addressing &a) {
    loadFloats(a.tile(i.source), a.tile(i.destination), mask_, i.fraction, 32);
    return Status();
  }
  Status execute(const insn::StoreAct &i, Addressing &a) {
    Tile source = a.tile(i.source), destination = a.tile(i.destination);
    float *data = bindings_[destination.binding].template as<float>();
    for (uint32_t r = 0; r < std::min(source.validRows, destination.validRows); ++r)
      for (uint32_t c = 0; c < source.cols; ++c) {
        const Word word = activation_[size_t(source.offset + r * source.rowStride + c)];
        data[destination.offset + r * destination.rowStride + c] =
            Domain::isFixed ? toFloat(int64_t(word), int(i.fraction)) : float(word);
      }
    return Status();
  }

  //===-- Weights ----------------------------------------------------------===//

  void overwrite(const Tile &t) {
    columns_.overwrite(t.offset, t.offset + (int64_t(t.rows) - 1) * t.rowStride + t.cols);
  }

  Result<const Factors<Domain> *> weightsOf(const Tile &values, const Tile &bitmaps) {
    const int64_t map = bitmaps.memory ? bitmaps.offset : -1;
    for (const auto &known : weights_)
      if (known->values == values.offset && known->bitmaps == map && known->cols == values.cols &&
          known->rows == values.rows)
        return static_cast<const Factors<Domain> *>(known.get());
    auto fresh = std::make_unique<Factors<Domain>>();
    fresh->values = values.offset;
    fresh->bitmaps = map;
    fresh->cols = values.cols;
    readFactors(values_, values, *fresh);
    if (bitmaps.memory)
      if (Status status =
              selectPositions(params_.geometry, &bitmaps_[size_t(bitmaps.offset)], bitmaps.rows,
                              bitmaps.cols, size_t(bitmaps.rowStride), fresh->positions);
          !status)
        return makeError("kernel '", kernel_.name(), "': ", status.error().message);
    weights_.push_back(std::move(fresh));
    return static_cast<const Factors<Domain> *>(weights_.back().get());
  }
  static void readFactors(const std::vector<Word> &buffer, const Tile &tile, Factors<Domain> &to) {
    to.rows = tile.rows;
    to.count = tile.cols;
    to.factors.resize(to.rows * to.count);
    for (size_t r = 0; r < to.rows; ++r)
      std::copy_n(&buffer[size_t(tile.offset) + r * size_t(tile.rowStride)], to.count,
                  &to.factors[r * to.count]);
    to.measure();
  }

  //===-- Products ---------------------------------------------------------===//

  Status execute(const insn::MmSd &i, Addressing &a) {
    Tile source = a.tile(i.source);
    Result<const Factors<Domain> *> weights = weightsOf(a.tile(i.weights), a.tile(i.bitmaps));
    if (!weights)
      return weights.error();
    const Columns<Domain> &columns =
        columns_.get(source.offset, source.rows, source.cols, source.rowStride);
    const size_t size = (*weights)->rows * columns.width();
    if (i.first)
      sums_.assign(size, 0);
    if (sums_.size() != size)
      return makeError("kernel '", kernel_.name(),
                       "': 'mm_sd' adds to partial sums of another shape");
    multiply(**weights, columns, int(i.shift), sums_);
    if (i.last)
      shiftOut(i, a, columns.width());
    return Status();
  }

  void shiftOut(const insn::MmSd &i, Addressing &a, size_t width) {
    Tile bias = a.tile(i.bias), residual = a.tile(i.residual), y = a.tile(i.destination);
    const OutputFormat format{int(i.source_fraction + i.weight_fraction) - int(i.shift),
                              int(i.residual_fraction), int(i.fraction), i.function};
    for (uint32_t t = 0; t < y.rows; ++t) {
      Word *row = &activation_[size_t(y.offset + t * y.rowStride)];
      const Word *added = residual.memory
                              ? &activation_[size_t(residual.offset + t * residual.rowStride)]
                              : nullptr;
      for (uint32_t r = 0; r < y.cols; ++r) {
        const Wide *b = bias.memory ? &constants_[size_t(bias.offset + r)] : nullptr;
        if constexpr (Domain::isFixed)
          row[r] = vector_.output(sums_[r * width + t], b, added ? added + r : nullptr, format);
        else
          row[r] =
              VectorUnit::output(sums_[r * width + t], b, added ? added + r : nullptr, i.function);
      }
    }
    overwrite(y);
  }

  Status execute(const insn::MmDd &i, Addressing &a) {
    Tile left = a.tile(i.a), right = a.tile(i.b), out = a.tile(i.destination);
    const bool isScores = i.product == insn::Product::Scores;
    const int64_t heads = i.heads;
    Tile west = left, north = right;
    (isScores ? west.cols : west.rows) /= i.heads;
    (isScores ? north.cols : north.rows) /= i.heads;
    std::vector<const Columns<Domain> *> columns;
    for (int64_t h = 0; h < heads; ++h)
      columns.push_back(&columns_.get(
          right.offset + h * (isScores ? int64_t(north.cols) : north.rows * right.rowStride),
          north.rows, north.cols, right.rowStride));
    const Multiplier multiplier(i.scale);
    parallelFor(heads, [&](int64_t h) {
      Tile own = west;
      own.offset += h * (isScores ? int64_t(west.cols) : west.rows * left.rowStride);
      Factors<Domain> factors;
      readFactors(activation_, own, factors);
      const size_t width = columns[size_t(h)]->width();
      std::vector<Sum> sums(factors.rows * width, Sum(0));
      multiply(factors, *columns[size_t(h)], int(i.shift), sums);
      for (size_t r = 0; r < factors.rows; ++r)
        for (size_t c = 0; c < north.rows; ++c) {
          Word &word = activation_[size_t(out.offset + (h * int64_t(factors.rows) + int64_t(r)) *
                                                           out.rowStride) +
                                   c];
          if constexpr (Domain::isFixed)
            word =
                multiplier.apply(sums[r * width + c],
                                 int(i.a_fraction + i.b_fraction) - int(i.shift), int(i.fraction));
          else
            word = sums[r * width + c] * i.scale;
        }
    });
    overwrite(out);
    return Status();
  }

  //===-- Softmax, vector unit, reshuffle ----------------------------------===//

  Status execute(const insn::Softmax &i, Addressing &a) {
    Tile scores = a.tile(i.scores), mask = a.tile(i.mask);
    const int64_t first = a.index(i.query), perHead = scores.rows / i.heads;
    for (int64_t r = 0; r < int64_t(scores.rows); ++r) {
      std::span<Word> row(&activation_[size_t(scores.offset + r * scores.rowStride)], scores.cols);
      std::span<const Wide> added;
      if (mask.memory)
        added = {&mask_[size_t(mask.offset + (mask.rows == 1 ? 0 : r % perHead) * mask.rowStride)],
                 scores.cols};
      const int64_t visible =
          i.causal ? first + r % perHead + int64_t(i.offset) + 1 : int64_t(scores.cols);
      bool attends;
      if constexpr (Domain::isFixed)
        attends = softmax_.run(row, added, visible, int(i.fraction), int(i.out_fraction));
      else
        attends = SoftmaxUnit::run(row, added, visible);
      events_.maskedRows += !attends;
    }
    overwrite(scores);
    return Status();
  }

  Status execute(const insn::LayerNorm &i, Addressing &a) {
    Tile x = a.tile(i.source), y = a.tile(i.destination), scale = a.tile(i.scale),
         bias = a.tile(i.bias);
    std::span<const Wide> factors(&constants_[size_t(scale.offset)], x.cols), offsets;
    if (bias.memory)
      offsets = {&constants_[size_t(bias.offset)], x.cols};
    for (uint32_t r = 0; r < x.rows; ++r) {
      std::span<const Word> from(&activation_[size_t(x.offset + r * x.rowStride)], x.cols);
      std::span<Word> to(&activation_[size_t(y.offset + r * y.rowStride)], y.cols);
      if constexpr (Domain::isFixed)
        vector_.normalize(
            from, factors, offsets,
            {int(i.source_fraction), int(i.scale_fraction), int(i.fraction), i.epsilon}, to);
      else
        VectorUnit::normalize(from, factors, offsets, i.epsilon, to);
    }
    overwrite(y);
    return Status();
  }

  Status execute(const insn::Reshuffle &i, Addressing &a) {
    Tile x = a.tile(i.source), y = a.tile(i.destination);
    const int64_t perHead = x.rows / i.heads;
    for (int64_t r = 0; r < int64_t(x.rows); ++r)
      for (int64_t c = 0; c < int64_t(x.cols); ++c) {
        const Word word = activation_[size_t(x.offset + r * x.rowStride + c)];
        const int64_t to = i.layout == insn::Layout::Transpose
                               ? c * y.rowStride + r
                               : r % perHead * y.rowStride + r / perHead * x.cols + c;
        activation_[size_t(y.offset + to)] = word;
      }
    overwrite(y);
    return Status();
  }

  const Kernel &kernel_;
  const Params &params_;
  std::span<const TensorView> bindings_;
  Events &events_;
  std::vector<Word> activation_, values_;
  std::vector<uint16_t> bitmaps_;
  std::vector<Wide> constants_, mask_;
  ColumnCache<Domain> columns_;
  std::vector<std::unique_ptr<Factors<Domain>>> weights_; ///< read since the last load
  std::vector<Sum> sums_;                                 ///< accumulators of the PEs
  SoftmaxUnit softmax_;
  VectorUnit vector_;
};

} // namespace

/// Element types of all tensors that the program touches.
static Status checkBindings(const Kernel &kernel, const Params &params,
                            std::span<const TensorView> bindings) {
  std::vector<DType> wanted(bindings.size(), DType::f32);
  for (const Isa::Instruction &instruction : kernel.stage.instructions())
    if (const auto *load = std::get_if<insn::LoadW>(&instruction)) {
      auto bindingOf = [&](uint16_t tile) { return kernel.stage.generators()[tile].binding; };
      wanted[bindingOf(load->values)] = !params.isFixed          ? DType::f32
                                        : params.weightBits == 8 ? DType::i8
                                                                 : DType::i16;
      if (load->bitmaps != kAbsentOperand)
        wanted[bindingOf(load->bitmaps)] = params.geometry.m <= 8 ? DType::u8 : DType::u16;
    }
  for (size_t i = 0; i < bindings.size(); ++i) {
    if (bindings[i].dtype != wanted[i])
      return makeError("kernel '", kernel.name(), "' needs binding ", i, " to be ",
                       runtime::name(wanted[i]), ", got ", runtime::name(bindings[i].dtype));
    if (!bindings[i].data && bindings[i].elements() > 0)
      return makeError("kernel '", kernel.name(), "': binding ", i, " has no data");
  }
  return Status();
}

Status walkFunctional(const Kernel &kernel, const Params &params,
                      std::span<const TensorView> bindings, Events &events) {
  if (bindings.size() < kernel.stage.info().bindings)
    return makeError("kernel '", kernel.name(), "' has ", kernel.stage.info().bindings,
                     " bindings, got ", bindings.size());
  if (Status status = checkBindings(kernel, params, bindings); !status)
    return status;
  return withinMemory(kernel.name(), "for its buffers", [&] {
    return params.isFixed ? Walker<FixedDomain>(kernel, params, bindings, events).run()
                          : Walker<FloatDomain>(kernel, params, bindings, events).run();
  });
}

} // namespace sparsam::sta
