// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- RowKernels.h - vector loops over one row of scores -----------------===//
//
// Results are the same bit by bit on every processor: integer sums are exact, and floating point
// sums run over eight lanes, as many as the softmax takes per cycle, which are folded in a fixed
// order.
//
#ifndef SPARSAM_TARGETS_SPATTEN_MODEL_ROWKERNELS_H
#define SPARSAM_TARGETS_SPATTEN_MODEL_ROWKERNELS_H

#include <cstdint>

namespace sparsam::spatten::kernels {

/// `words[i] = clamp(round_half_even(x[i] * factor), -largest, largest)`; NaN becomes the largest.
/// Returns how many of x are NaN or infinite.
int64_t quantize(const float *x, int64_t count, float factor, float largest, int16_t *words);

/// `scores[j] = q . keys[j]`, of `dim` words each.
void products(const int16_t *q, const int16_t *keys, int64_t count, int64_t dim, int32_t *scores);
void products(const int16_t *q, const int16_t *keys, int64_t count, int64_t dim, int64_t *scores);
/// The same in float; eight lanes.
void products(const float *q, const float *keys, int64_t count, int64_t dim, float *scores);

/// `x[j] = scores[j] * factor (+ bias[j * biasStep])`.
void scale(const int32_t *scores, int64_t count, float factor, const float *bias, int64_t biasStep,
           float *x);
void scale(const int64_t *scores, int64_t count, float factor, const float *bias, int64_t biasStep,
           float *x);
void scale(const float *scores, int64_t count, float factor, const float *bias, int64_t biasStep,
           float *x);

/// The largest of `count` >= 1 numbers.
float largest(const float *x, int64_t count);

/// `x[j] = e^(x[j] - shift)`: 2^k times the fifth-order Taylor polynomial of the rest in [0, ln 2).
/// The argument is not taken below -87. [P V-A; the range reduction is A]
void taylorExp(float *x, int64_t count, float shift);
/// The sum over eight lanes.
float sum(const float *x, int64_t count);
/// `x[j] /= total`.
void divide(float *x, int64_t count, float total);

/// Unsigned words of 12 bits behind the point, 1 as 4095.
void quantizeProbabilities(const float *x, int64_t count, uint16_t *words);

/// `sums[j] += words[j]`.
void addTo(const uint16_t *words, int64_t count, double *sums);
void addTo(const float *x, int64_t count, double *sums);

/// `sums[d] += weight * row[d]`.
void addRow(int32_t weight, const int16_t *row, int64_t dim, int32_t *sums);
void addRow(float weight, const float *row, int64_t dim, float *sums);

} // namespace sparsam::spatten::kernels

#endif // SPARSAM_TARGETS_SPATTEN_MODEL_ROWKERNELS_H
