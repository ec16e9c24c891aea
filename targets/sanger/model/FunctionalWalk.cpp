// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- FunctionalWalk.cpp - the numerics of a launch ----------------------===//

#include "targets/sanger/model/FunctionalWalk.h"

#include "runtime/units/HeadWalks.h"
#include "runtime/units/WrittenRanges.h"
#include "targets/sanger/model/Kernels.h"
#include "targets/sanger/model/Predictor.h"
#include "targets/sanger/model/Selection.h"
#include "targets/sanger/model/SparseArray.h"
#include "targets/sanger/model/ValidTokens.h"

#include <algorithm>
#include <cstring>
#include <tuple>

namespace sparsam::sanger {

using namespace runtime;

namespace {

/// The walk of one thread, which owns the heads [firstHead, lastHead).
class Walker {
public:
  Walker(const Kernel &kernel, const Params &params, std::span<const TensorView> bindings,
         int64_t firstHead, int64_t lastHead, Observed &observed)
      : kernel_(kernel), bindings_(bindings), firstHead_(firstHead), lastHead_(lastHead),
        observed_(observed), selection_(kernel, params), predictor_(kernel, selection_.tags) {
    for (Role role : {Role::query, Role::key, Role::value, Role::bias})
      buffer(role).resize(size_t(kernel.memory(role).extent) + kernels::kSlack);
    const MemoryUse &output = kernel.memory(Role::output);
    array_ = params.isRtl
                 ? makeRtlArray(params.array, params.format, output.extent, output.rowSlots())
                 : makeRefArray(params.array, output.extent, output.rowSlots());
  }

  Status run() {
    return kernel_.stage.walk(bindings_, [this](const auto &insn, Addressing &addressing) {
      return execute(insn, addressing);
    });
  }

  Overflows overflows() const { return array_->overflows(); }

private:
  bool owns(int64_t head) const { return firstHead_ <= head && head < lastHead_; }
  bool ownsPredicted() const { return owns(selection_.predictHead); }
  bool ownsSparse() const { return owns(selection_.sparseHead); }
  std::vector<float> &buffer(Role role) { return buffers_[size_t(role)]; }
  WrittenRanges &written(Role role) { return written_[size_t(role)]; }

  struct Read {
    Role role;
    const Tile &tile;
  };
  /// Refuses an instruction that reads where none has written.
  Status expectWritten(const char *instruction, std::initializer_list<Read> reads) {
    for (const auto &[role, tile] : reads)
      if (tile.memory != 0 && !written(role).touches(tile))
        return readsUnwritten(kernel_.name(), instruction, memorySpecs()[size_t(role)].name);
    return Status();
  }

  Status execute(const insn::Config &, Addressing &) { return Status(); }
  Status execute(const insn::SelectHead &i, Addressing &a) { return selection_.selectHead(i, a); }

  //===-- Transfer ---------------------------------------------------------===//

  /// Rows that are not there read as zero.
  void load(const Tile &source, Role role, const Tile &destination) {
    written(role).add(destination);
    const float *data = bindings_[source.binding].as<float>();
    for (uint32_t r = 0; r < std::min(destination.rows, destination.validRows); ++r) {
      float *row = &buffer(role)[size_t(destination.offset + r * destination.rowStride)];
      if (r >= source.validRows)
        std::fill_n(row, destination.cols, 0.0f);
      else if (role == Role::bias)
        std::memcpy(row, data + source.offset + r * source.rowStride,
                    destination.cols * sizeof(float));
      else
        array_->loadRow(data + source.offset + r * source.rowStride, destination.cols, row);
    }
  }
  Status execute(const insn::LoadQuery &i, Addressing &a) {
    if (ownsPredicted() || ownsSparse()) {
      selection_.tags.load(a.tile(i.source), Role::query, a.tile(i.destination));
      load(a.tile(i.source), Role::query, a.tile(i.destination));
    }
    return Status();
  }
  Status execute(const insn::LoadKey &i, Addressing &a) {
    if (ownsPredicted() || ownsSparse()) {
      selection_.tags.load(a.tile(i.source), Role::key, a.tile(i.destination));
      load(a.tile(i.source), Role::key, a.tile(i.destination));
    }
    return Status();
  }
  Status execute(const insn::LoadValue &i, Addressing &a) {
    if (ownsPredicted() || ownsSparse()) {
      selection_.tags.load(a.tile(i.source), Role::value, a.tile(i.destination));
      load(a.tile(i.source), Role::value, a.tile(i.destination));
    }
    return Status();
  }
  /// The bias of a batch entry serves all of its heads, whoever owns them.
  Status execute(const insn::LoadBias &i, Addressing &a) {
    load(a.tile(i.source), Role::bias, a.tile(i.destination));
    return Status();
  }
  Status execute(const insn::StoreOutput &i, Addressing &a) {
    if (!ownsSparse())
      return Status();
    Tile source = a.tile(i.source), destination = a.tile(i.destination);
    if (Status order = selection_.store(source); !order)
      return order;
    float *data = bindings_[destination.binding].as<float>();
    for (uint32_t r = 0; r < std::min(source.validRows, destination.validRows); ++r)
      array_->readRow(source.offset + r * source.rowStride, source.cols,
                      data + destination.offset + r * destination.rowStride);
    return Status();
  }

  //===-- Predict ----------------------------------------------------------===//

  Status quantize(const char *self, Role fromRole, const Tile &from, Role toRole, const Tile &to) {
    if (!ownsPredicted())
      return Status();
    if (Status status = expectWritten(self, {{fromRole, from}}); !status)
      return status;
    written(toRole).add(to);
    selection_.tags.copy(fromRole, from, toRole, to);
    predictor_.quantize(toRole, buffer(fromRole).data(), from, to);
    return Status();
  }
  Status execute(const insn::QuantizeQuery &i, Addressing &a) {
    return quantize("quantize_query", Role::query, a.tile(i.source), Role::lowQuery,
                    a.tile(i.destination));
  }
  Status execute(const insn::QuantizeKey &i, Addressing &a) {
    return quantize("quantize_key", Role::key, a.tile(i.source), Role::lowKey,
                    a.tile(i.destination));
  }
  Status execute(const insn::Score &i, Addressing &a) {
    if (!ownsPredicted())
      return Status();
    Tile query = a.tile(i.query), key = a.tile(i.key), bias = a.tile(i.bias),
         score = a.tile(i.score);
    if (Status status = expectWritten(
            "score", {{Role::lowQuery, query}, {Role::lowKey, key}, {Role::bias, bias}});
        !status)
      return status;
    RowView biasRows = biasOf(bias);
    selection_.score(query, score);
    predictor_.score(query, key, biasRows.data, biasRows.stride, score);
    return Status();
  }
  RowView biasOf(const Tile &tile) {
    if (tile.memory == 0)
      return RowView();
    return {&buffer(Role::bias)[size_t(tile.offset)], tile.rows == 1 ? 0 : tile.rowStride};
  }

  Status execute(const insn::SoftmaxThreshold &i, Addressing &a) {
    if (!ownsPredicted())
      return Status();
    Tile scores = a.tile(i.scores), mask = a.tile(i.mask);
    if (Status order = selection_.threshold(scores); !order)
      return order;
    written(Role::mask).add(mask);
    predicted_.assign((scores.cols + 63) / 64, 0);
    executed_.assign(predicted_.size(), 0);
    for (uint32_t r = 0; r < scores.rows; ++r) {
      Result<int64_t> query = selection_.queryOf(scores, r);
      if (!query)
        return query.error();
      if (*query >= 0) {
        predictor_.threshold(scores, r, predicted_.data(), executed_.data());
        record(observed_.executed, *query, executed_);
        record(observed_.predicted, *query, predicted_);
      } else {
        std::fill(executed_.begin(), executed_.end(), 0);
      }
      selection_.writeRow(mask, r, executed_.data());
    }
    return Status();
  }
  Status execute(const insn::SelectAll &i, Addressing &a) {
    if (!ownsPredicted())
      return Status();
    Tile mask = a.tile(i.mask);
    written(Role::mask).add(mask);
    const int64_t row = a.index(i.row), queries = kernel_.config.queries,
                  keys = kernel_.config.keys;
    executed_.assign((mask.cols + 63) / 64, 0);
    for (uint32_t r = 0; r < mask.rows; ++r) {
      const int64_t query = row + r;
      int64_t allowed = std::min<int64_t>(keys, mask.cols);
      if (kernel_.config.causal)
        allowed = std::clamp<int64_t>(query + keys - queries + 1, 0, allowed);
      if (query < 0 || query >= queries)
        allowed = 0;
      for (size_t w = 0; w < executed_.size(); ++w) {
        int64_t ones = std::clamp<int64_t>(allowed - int64_t(w) * 64, 0, 64);
        executed_[w] = ones == 64 ? ~uint64_t(0) : (uint64_t(1) << ones) - 1;
      }
      if (query >= 0 && query < queries) {
        record(observed_.executed, query, executed_);
        record(observed_.predicted, query, executed_);
      }
      selection_.writeRow(mask, r, executed_.data());
    }
    return Status();
  }
  void record(BitTensor &masks, int64_t query, std::span<const uint64_t> bits) {
    if (masks.keys() == 0)
      return;
    std::span<uint64_t> row = masks.row(selection_.predictHead, query);
    std::copy_n(bits.begin(), std::min(row.size(), bits.size()), row.begin());
    if (int64_t tail = masks.keys() % 64)
      row.back() &= (uint64_t(1) << tail) - 1;
  }

  Status execute(const insn::PackSplit &i, Addressing &a) {
    if (!ownsPredicted())
      return Status();
    Tile mask = a.tile(i.mask), blocks = a.tile(i.blocks);
    if (Status status = expectWritten("pack_split", {{Role::mask, mask}}); !status)
      return status;
    written(Role::blocks).add(blocks);
    Result<int64_t> repeated = selection_.pack(a.index(i.row), mask, blocks, true);
    return repeated ? Status() : Status(repeated.error());
  }
  Status execute(const insn::SealBlocks &i, Addressing &a) {
    a.setCounter(i.count, 0);
    if (!ownsSparse())
      return Status();
    Tile blocks = a.tile(i.blocks);
    if (Status status = expectWritten("seal_blocks", {{Role::blocks, blocks}}); !status)
      return status;
    a.setCounter(i.count, selection_.seal(blocks));
    return Status();
  }

  //===-- Compute ----------------------------------------------------------===//

  Status execute(const insn::Sddmm &i, Addressing &a) {
    if (!ownsSparse())
      return Status();
    Tile query = a.tile(i.query), key = a.tile(i.key), bias = a.tile(i.bias);
    if (Status order = selection_.follow(1, "sddmm", "a finished block"); !order)
      return order;
    if (Status status =
            expectWritten("sddmm", {{Role::query, query}, {Role::key, key}, {Role::bias, bias}});
        !status)
      return status;
    Result<BlockList *> list = selection_.take(a.tile(i.blocks), query, key);
    if (!list)
      return list.error();
    if (bias.memory != 0 && int64_t(bias.cols) < (*list)->width())
      return makeError("kernel '", kernel_.name(), "': sddmm takes ", bias.cols,
                       " biases for a stripe of ", (*list)->width(), " keys");
    array_->sddmm((*list)->next(), {&buffer(Role::query)[size_t(query.offset)], query.rowStride},
                  {&buffer(Role::key)[size_t(key.offset)], key.rowStride}, biasOf(bias),
                  kernel_.config.head_dim, kernel_.config.scale);
    return Status();
  }
  Status execute(const insn::Exp &, Addressing &) {
    if (!ownsSparse())
      return Status();
    Status order = selection_.follow(2, "exp", "sddmm");
    if (order)
      array_->exp();
    return order;
  }
  Status execute(const insn::Spmm &i, Addressing &a) {
    if (!ownsSparse())
      return Status();
    Tile value = a.tile(i.value);
    if (Status order = selection_.follow(3, "spmm", "exp"); !order)
      return order;
    if (Status status = expectWritten("spmm", {{Role::value, value}}); !status)
      return status;
    if (Status shape = selection_.checkValue(value); !shape)
      return shape;
    array_->spmm({&buffer(Role::value)[size_t(value.offset)], value.rowStride},
                 kernel_.config.head_dim);
    return Status();
  }
  Status execute(const insn::Accumulate &i, Addressing &a) {
    if (!ownsSparse())
      return Status();
    if (Status order = selection_.follow(4, "accumulate", "spmm"); !order)
      return order;
    Tile output = a.tile(i.output);
    if (Status order = selection_.accumulate(output); !order)
      return order;
    const int64_t grain = kernel_.memory(Role::output).grain;
    array_->accumulate(
        {output.offset, output.rowStride, output.offset / grain, output.rowStride / grain},
        kernel_.config.head_dim);
    return Status();
  }
  Status execute(const insn::ClearOutput &i, Addressing &a) {
    if (!ownsSparse())
      return Status();
    Tile output = a.tile(i.output);
    selection_.clear(output);
    for (uint32_t r = 0; r < std::min(output.rows, output.validRows); ++r)
      array_->clearRow(output.offset + r * output.rowStride,
                       int64_t(selection_.tags.slot(Role::output, output, r)), output.cols);
    return Status();
  }
  Status execute(const insn::Normalize &i, Addressing &a) {
    if (!ownsSparse())
      return Status();
    Tile output = a.tile(i.output);
    if (Status order = selection_.normalize(output); !order)
      return order;
    for (uint32_t r = 0; r < std::min(output.rows, output.validRows); ++r)
      array_->normalizeRow(output.offset + r * output.rowStride,
                           int64_t(selection_.tags.slot(Role::output, output, r)), output.cols);
    return Status();
  }

  const Kernel &kernel_;
  std::span<const TensorView> bindings_;
  int64_t firstHead_, lastHead_;
  Observed &observed_;
  Selection selection_;
  Predictor predictor_;
  std::unique_ptr<SparseArray> array_;
  std::array<std::vector<float>, kRoles> buffers_;
  std::array<WrittenRanges, kRoles> written_;
  std::vector<uint64_t> predicted_, executed_;
};

} // namespace

/// Every tensor that the program touches holds floats.
static Status checkBindings(const Kernel &kernel, std::span<const TensorView> bindings) {
  for (size_t i = 0; i < bindings.size(); ++i) {
    if (bindings[i].dtype != DType::f32)
      return makeError("kernel '", kernel.name(), "' needs float32 tensors, binding ", i, " is ",
                       runtime::name(bindings[i].dtype));
    if (!bindings[i].data && bindings[i].elements() > 0)
      return makeError("kernel '", kernel.name(), "': binding ", i, " has no data");
  }
  const insn::Config &config = kernel.config;
  for (auto [what, binding, tokens] :
       {std::tuple("queries", kernel.queryBinding, int64_t(config.queries)),
        std::tuple("keys", kernel.keyBinding, int64_t(config.keys))}) {
    if (binding < 0)
      return makeError("kernel '", kernel.name(), "' loads no ", what);
    int64_t elements = bindings[size_t(binding)].elements();
    if (double(config.heads) * double(tokens) * double(config.head_dim) != double(elements))
      return makeError("kernel '", kernel.name(), "': 'config' says ", config.heads, " heads of ",
                       tokens, " ", what, " and ", config.head_dim,
                       " dimensions, but their tensor has ", elements, " elements");
  }
  return Status();
}

Status walkFunctional(const Kernel &kernel, const Params &params,
                      std::span<const TensorView> bindings, bool recordPredicted,
                      Observed &observed) {
  if (Status status = checkBindings(kernel, bindings); !status)
    return status;
  const int64_t heads = kernel.config.heads;
  auto [batch, headsPerEntry] = batchAndHeads(bindings[size_t(kernel.queryBinding)].shape, heads);
  Status allocated = withinMemory(
      kernel.name(), "for its masks", [&, batch = batch, headsPerEntry = headsPerEntry] {
        observed.executed =
            BitTensor(batch, headsPerEntry, kernel.config.queries, kernel.config.keys);
        if (recordPredicted)
          observed.predicted = observed.executed;
        observed.valid = kernel.biasBinding < 0
                             ? allTokens(observed.executed).keys
                             : shownKeys(observed.executed, bindings[size_t(kernel.biasBinding)]);
        return Status();
      });
  if (!allocated)
    return allocated;
  std::vector<Overflows> overflows(threadCount());
  Status status = walkHeads(kernel.name(), heads, [&](int64_t part, int64_t first, int64_t last) {
    Walker walker(kernel, params, bindings, first, last, observed);
    Status walked = walker.run();
    overflows[size_t(part)] = walker.overflows();
    return walked;
  });
  for (const Overflows &part : overflows) {
    observed.overflows.scores += part.scores;
    observed.overflows.sums += part.sums;
  }
  return status;
}

} // namespace sparsam::sanger
