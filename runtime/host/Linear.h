// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Linear.h - x W + b on oneDNN ---------------------------------------===//
#ifndef SPARSAM_RUNTIME_HOST_LINEAR_H
#define SPARSAM_RUNTIME_HOST_LINEAR_H

#include "runtime/host/Call.h"

namespace sparsam::runtime::host {

enum class Activation { none, gelu, geluTanh, relu, tanh };

/// activation(x W + bias) + residual with x [rows, depth], and W [depth, width], or [width, depth]
/// if `transposed`.
struct LinearShape {
  int64_t rows = 0, depth = 0, width = 0;
  bool transposed = false, hasBias = false, hasResidual = false;
  Activation activation = Activation::none;
};

/// A product in tiles of fixed size, each a oneDNN primitive on one thread: results are the same
/// for every number of threads. Constant weights are packed once.
class Linear {
public:
  virtual ~Linear() = default;
  /// `weights` are null if not constant.
  static Result<std::unique_ptr<Linear>> create(const LinearShape &shape, const float *weights);
  virtual void run(const float *x, const float *weights, const float *bias, const float *residual,
                   float *y) = 0;
};

/// For x of one row, as in decoding: reads the weights where they lie, once, and packs nothing.
std::unique_ptr<Linear> createLinearOfOneRow(const LinearShape &shape);

/// C = alpha A B + beta C on the calling thread; row-major, A [rows, depth], B [depth, width], each
/// transposed if its flag says so, with leading dimensions.
void multiply(bool transA, bool transB, int64_t rows, int64_t width, int64_t depth, float alpha,
              const float *a, int64_t lda, const float *b, int64_t ldb, float beta, float *c,
              int64_t ldc);

} // namespace sparsam::runtime::host

#endif // SPARSAM_RUNTIME_HOST_LINEAR_H
