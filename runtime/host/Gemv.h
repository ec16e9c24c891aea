// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Gemv.h - products of a vector and a matrix -------------------------===//
//
// On the calling thread, reading the matrix once, in order and where it lies: as fast as memory is.
//
#ifndef SPARSAM_RUNTIME_HOST_GEMV_H
#define SPARSAM_RUNTIME_HOST_GEMV_H

#include "runtime/host/Linear.h"

#include <cstdint>

namespace sparsam::runtime::host {

/// y[r] = x . row r of w, for rows of `depth` elements that lie one behind the other.
void dotRows(const float *x, const float *w, int64_t rows, int64_t depth, float *y);

/// y += sum of x[r] * row r of w, for rows of `width` elements, `stride` apart.
void addRows(const float *x, const float *w, int64_t rows, int64_t width, int64_t stride, float *y);

/// y = activation(y), without `Activation::none`.
void activate(Activation activation, float *y, int64_t n);

} // namespace sparsam::runtime::host

#endif // SPARSAM_RUNTIME_HOST_GEMV_H
