// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Linear.cpp - x W + b on oneDNN -------------------------------------===//

#include "runtime/host/Linear.h"

#include "runtime/host/Gemv.h"

#include "runtime/support/Parallel.h"

#include <dnnl.hpp>

#include <algorithm>
#include <array>
#include <cstring>

extern "C" {
int omp_get_max_threads(void);
void omp_set_num_threads(int threads);
}

namespace sparsam::runtime::host {

namespace {

/// oneDNN chooses blockings by the number of threads it may use: here always one.
class OneThread {
public:
  OneThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~OneThread() { omp_set_num_threads(before_); }
  OneThread(const OneThread &) = delete;
  OneThread &operator=(const OneThread &) = delete;

private:
  int before_;
};

const dnnl::engine &engine() {
  static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}

using Dims = dnnl::memory::dims;
constexpr auto kFloat = dnnl::memory::data_type::f32;

dnnl::memory::desc rowMajor(int64_t rows, int64_t cols, int64_t stride) {
  return {Dims{rows, cols}, kFloat, Dims{stride, 1}};
}

constexpr int64_t kTileRows = 128, kTileCols = 384;

class TiledLinear : public Linear {
public:
  TiledLinear(const LinearShape &shape, const float *weights) : shape_(shape) {
    OneThread one;
    for (int64_t col = 0; col < shape.width; col += kTileCols)
      columns_.emplace_back(makeColumn(std::min(kTileCols, shape.width - col)));
    isPacked_ = weights != nullptr;
    for (size_t c = 0; isPacked_ && c < columns_.size(); ++c)
      pack(columns_[c], weights + columnOffset(int64_t(c)));
  }

  void run(const float *x, const float *weights, const float *bias, const float *residual,
           float *y) override {
    const int64_t rowTiles = (shape_.rows + kTileRows - 1) / kTileRows;
    const int64_t columns = int64_t(columns_.size());
    parallelFor(rowTiles * columns, [&](int64_t task) {
      OneThread one;
      const int64_t c = task / rowTiles, row = task % rowTiles * kTileRows;
      runTile(columns_[size_t(c)], c, row, x, weights, bias, residual, y);
    });
  }

private:
  /// Primitives for a range of columns: whole tiles of rows, and what is left of them.
  struct Column {
    int64_t width = 0;
    std::array<dnnl::matmul::primitive_desc, 2> descs;
    std::array<dnnl::matmul, 2> primitives;
    std::array<dnnl::memory, 2> weights; ///< packed
  };

  int64_t columnOffset(int64_t c) const {
    return c * kTileCols * (shape_.transposed ? shape_.depth : 1);
  }
  dnnl::memory::desc weightsDesc(int64_t width) const {
    return {Dims{shape_.depth, width}, kFloat,
            shape_.transposed ? Dims{1, shape_.depth} : Dims{shape_.width, 1}};
  }

  dnnl::primitive_attr attributes(int64_t height, int64_t width) const {
    using dnnl::algorithm;
    dnnl::post_ops ops;
    if (shape_.activation != Activation::none) {
      algorithm kind = shape_.activation == Activation::gelu       ? algorithm::eltwise_gelu_erf
                       : shape_.activation == Activation::geluTanh ? algorithm::eltwise_gelu_tanh
                       : shape_.activation == Activation::tanh     ? algorithm::eltwise_tanh
                                                                   : algorithm::eltwise_relu;
      ops.append_eltwise(1.0f, kind, 0.0f, 0.0f);
    }
    if (shape_.hasResidual)
      ops.append_binary(algorithm::binary_add, rowMajor(height, width, shape_.width));
    dnnl::primitive_attr attr;
    attr.set_post_ops(ops);
    attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    return attr;
  }

  Column makeColumn(int64_t width) const {
    Column column;
    column.width = width;
    const int64_t rest = shape_.rows % kTileRows;
    const int64_t heights[] = {shape_.rows >= kTileRows ? kTileRows : 0, rest};
    for (size_t i = 0; i < 2; ++i) {
      if (heights[i] == 0)
        continue;
      dnnl::memory::desc weights(Dims{shape_.depth, width}, kFloat, dnnl::memory::format_tag::any);
      dnnl::memory::desc x = rowMajor(heights[i], shape_.depth, shape_.depth);
      dnnl::memory::desc y = rowMajor(heights[i], width, shape_.width);
      dnnl::matmul::desc desc = shape_.hasBias
                                    ? dnnl::matmul::desc(x, weights, rowMajor(1, width, width), y)
                                    : dnnl::matmul::desc(x, weights, y);
      column.descs[i] = dnnl::matmul::primitive_desc(desc, attributes(heights[i], width), engine());
      column.primitives[i] = dnnl::matmul(column.descs[i]);
    }
    return column;
  }

  void pack(Column &column, const float *weights) const {
    dnnl::stream stream(engine());
    dnnl::memory plain(weightsDesc(column.width), engine(), const_cast<float *>(weights));
    for (size_t i = 0; i < 2; ++i) {
      if (!column.primitives[i])
        continue;
      if (i == 1 && column.weights[0] &&
          column.descs[0].weights_desc() == column.descs[1].weights_desc()) {
        column.weights[1] = column.weights[0];
        continue;
      }
      column.weights[i] = dnnl::memory(column.descs[i].weights_desc(), engine());
      dnnl::reorder(plain, column.weights[i]).execute(stream, plain, column.weights[i]);
    }
    stream.wait();
  }

  void runTile(const Column &column, int64_t c, int64_t row, const float *x, const float *weights,
               const float *bias, const float *residual, float *y) {
    const int64_t height = std::min(kTileRows, shape_.rows - row), col = c * kTileCols;
    const size_t i = height == kTileRows ? 0 : 1;
    float *out = y + row * shape_.width + col;
    const auto &desc = column.descs[i];
    dnnl::memory packed = column.weights[i];
    Column unpacked;
    if (!isPacked_) {
      unpacked.width = column.width;
      unpacked.descs[i] = desc;
      unpacked.primitives[i] = column.primitives[i];
      pack(unpacked, weights + columnOffset(c));
      packed = unpacked.weights[i];
    }
    thread_local std::vector<char> scratch;
    scratch.resize(std::max(scratch.size(), desc.scratchpad_desc().get_size() + 64));
    char *aligned = scratch.data() + (64 - reinterpret_cast<uintptr_t>(scratch.data()) % 64) % 64;
    std::unordered_map<int, dnnl::memory> arguments = {
        {DNNL_ARG_SRC, {desc.src_desc(), engine(), const_cast<float *>(x + row * shape_.depth)}},
        {DNNL_ARG_WEIGHTS, packed},
        {DNNL_ARG_DST, {desc.dst_desc(), engine(), out}},
        {DNNL_ARG_SCRATCHPAD, {desc.scratchpad_desc(), engine(), aligned}}};
    if (shape_.hasBias)
      arguments.insert(
          {DNNL_ARG_BIAS, {desc.bias_desc(), engine(), const_cast<float *>(bias + col)}});
    if (shape_.hasResidual) {
      const int position = shape_.activation != Activation::none ? 1 : 0; // among the post-ops
      arguments.insert({DNNL_ARG_ATTR_MULTIPLE_POST_OP(position) | DNNL_ARG_SRC_1,
                        {rowMajor(height, column.width, shape_.width), engine(),
                         const_cast<float *>(residual + row * shape_.width + col)}});
    }
    dnnl::stream stream(engine());
    column.primitives[i].execute(stream, arguments);
    stream.wait();
  }

  LinearShape shape_;
  std::vector<Column> columns_;
  bool isPacked_ = false;
};

} // namespace

Result<std::unique_ptr<Linear>> Linear::create(const LinearShape &shape, const float *weights) {
  if (shape.rows == 1)
    return createLinearOfOneRow(shape);
  try {
    return std::unique_ptr<Linear>(std::make_unique<TiledLinear>(shape, weights));
  } catch (const dnnl::error &error) {
    return makeError("oneDNN cannot multiply ", shape.rows, "x", shape.depth, " by ", shape.depth,
                     "x", shape.width, ": ", error.message);
  }
}

void multiply(bool transA, bool transB, int64_t rows, int64_t width, int64_t depth, float alpha,
              const float *a, int64_t lda, const float *b, int64_t ldb, float beta, float *c,
              int64_t ldc) {
  if (depth == 0) { // oneDNN refuses to add up nothing
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t j = 0; j < width; ++j)
        c[r * ldc + j] = beta == 0 ? 0.0f : beta * c[r * ldc + j];
    return;
  }
  OneThread one;
  dnnl_status_t status = dnnl_sgemm(transA ? 'T' : 'N', transB ? 'T' : 'N', rows, width, depth,
                                    alpha, a, lda, b, ldb, beta, c, ldc);
  if (status != dnnl_success)
    throw dnnl::error(status, "oneDNN could not multiply matrices");
}

} // namespace sparsam::runtime::host
