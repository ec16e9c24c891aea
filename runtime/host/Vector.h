// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Vector.h - loops for the widest vectors of this processor ----------===//
#ifndef SPARSAM_RUNTIME_HOST_VECTOR_H
#define SPARSAM_RUNTIME_HOST_VECTOR_H

#include <cstdint>

namespace sparsam::runtime::host {

/// y[i] = e^(x[i] - max x) / sum of them; y may be x. Where every x is -infinity, y is 0 if
/// `hidesAll`, and not a number otherwise.
void softmaxRow(const float *x, int64_t n, bool hidesAll, float *y);

/// y = (x - mean) / sqrt(variance + epsilon) * scale + bias; bias may be null.
void normalizeRow(const float *x, const float *scale, const float *bias, int64_t n, float epsilon,
                  float *y);

} // namespace sparsam::runtime::host

#endif // SPARSAM_RUNTIME_HOST_VECTOR_H
