// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- FunctionalWalk.cpp - the numerics of a launch ----------------------===//

#include "targets/template/model/Walks.h"

#include "runtime/units/HeadWalks.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sparsam::template_ {

using namespace runtime;

namespace {

constexpr float kHidden = -std::numeric_limits<float>::infinity();

class Walker {
public:
  Walker(const Kernel &kernel, std::span<const TensorView> bindings)
      : bindings_(bindings), input_(size_t(kernel.memory(Role::input).extent)),
        output_(size_t(kernel.memory(Role::output).extent)) {}

  /// Rows that are not there read as zero.
  void execute(const insn::Load &i, Addressing &a) {
    const Tile source = a.tile(i.source), destination = a.tile(i.destination);
    const float *data = bindings_[source.binding].as<float>();
    for (uint32_t r = 0; r < destination.validRows; ++r) {
      float *row = &input_[size_t(destination.offset + r * destination.rowStride)];
      if (r < source.validRows)
        std::copy_n(data + source.offset + r * source.rowStride, source.cols, row);
      else
        std::fill_n(row, destination.cols, 0.0f);
    }
  }

  /// Rows are divided by their sums on the way; a row that sees no key is zero.
  void execute(const insn::Store &i, Addressing &a) {
    const Tile source = a.tile(i.source), destination = a.tile(i.destination);
    float *data = bindings_[destination.binding].as<float>();
    for (uint32_t r = 0; r < std::min(source.validRows, destination.validRows); ++r) {
      const float *row = &output_[size_t(source.offset + r * source.rowStride)];
      const float sum = row[source.cols + 1];
      float *out = data + destination.offset + r * destination.rowStride;
      for (uint32_t x = 0; x < source.cols; ++x)
        out[x] = sum > 0 ? row[x] / sum : 0;
    }
  }

  void execute(const insn::Attend &i, Addressing &a) {
    const Tile key = a.tile(i.key), query = a.tile(i.query);
    // Keys as columns: the inner loops then run over keys and need no sums across lanes.
    columns_.resize(size_t(key.rows) * key.cols);
    for (uint32_t j = 0; j < key.rows; ++j)
      for (uint32_t x = 0; x < key.cols; ++x)
        columns_[x * key.rows + j] = input_[size_t(key.offset + j * key.rowStride + x)];
    parallelFor(query.rows, [&](int64_t row) { attendRow(i, a, row); });
  }

private:
  /// Each row depends on itself alone, so that threads change nothing.
  void attendRow(const insn::Attend &i, const Addressing &a, int64_t r) {
    const Tile query = a.tile(i.query), value = a.tile(i.value), output = a.tile(i.output);
    const uint32_t dims = query.cols, keys = value.rows;
    std::vector<float> scores(keys);
    scoreRow(i, a, r, scores);
    float *row = &output_[size_t(output.offset + r * output.rowStride)];
    float &largest = row[dims], &sum = row[dims + 1];
    if (a.index(i.first_key) == 0) {
      std::fill_n(row, dims, 0.0f);
      largest = kHidden;
      sum = 0;
    }
    const float next = std::max(largest, *std::max_element(scores.begin(), scores.end()));
    if (next == kHidden)
      return;
    const float rescale = std::exp(largest - next);
    for (uint32_t x = 0; x < dims; ++x)
      row[x] *= rescale;
    sum *= rescale;
    largest = next;
    for (uint32_t j = 0; j < keys; ++j) {
      const float weight = std::exp(scores[j] - next);
      const float *values = &input_[size_t(value.offset + j * value.rowStride)];
      sum += weight;
      for (uint32_t x = 0; x < dims; ++x)
        row[x] += weight * values[x];
    }
  }

  void scoreRow(const insn::Attend &i, const Addressing &a, int64_t r, std::vector<float> &scores) {
    const Tile query = a.tile(i.query), bias = a.tile(i.bias);
    const float *q = &input_[size_t(query.offset + r * query.rowStride)];
    for (uint32_t x = 0; x < query.cols; ++x)
      for (size_t j = 0; j < scores.size(); ++j)
        scores[j] += q[x] * columns_[x * scores.size() + j];
    const int64_t firstKey = a.index(i.first_key), token = a.index(i.first_query) + r;
    int64_t visible = i.keys; // keys below it
    if (i.causal)
      visible = std::min<int64_t>(visible, token + i.keys - i.queries + 1);
    const float *added =
        bias.memory ? &input_[size_t(bias.offset + (bias.rows > 1 ? r : 0) * bias.rowStride)]
                    : nullptr;
    for (size_t j = 0; j < scores.size(); ++j) {
      scores[j] =
          firstKey + int64_t(j) < visible ? scores[j] * i.scale + (added ? added[j] : 0) : kHidden;
    }
  }

  std::span<const TensorView> bindings_;
  std::vector<float> input_, output_; ///< the memories
  std::vector<float> columns_;        ///< the key tile, transposed
};

} // namespace

Status walkFunctional(const Kernel &kernel, std::span<const TensorView> bindings) {
  return withinMemory(kernel.name(), "for its buffers", [&] {
    Walker walker(kernel, bindings);
    return kernel.stage.walk(bindings, [&](const auto &insn, Addressing &addressing) {
      walker.execute(insn, addressing);
    });
  });
}

} // namespace sparsam::template_
