// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Kernels.h - vector loops of the float numerics ---------------------===//
//
// Every result is the same bit by bit for any vector width: sums run over 16 virtual lanes that are
// folded in one fixed order, and a multiply-add is rounded once or twice on all processors alike. The
// loops may read (never write) up to kSlack floats beyond the last element of a row, so buffers
// carry that much slack at their end.
//
#ifndef SPARSAM_TARGETS_SANGER_MODEL_KERNELS_H
#define SPARSAM_TARGETS_SANGER_MODEL_KERNELS_H

#include <cstddef>
#include <cstdint>

namespace sparsam::sanger::kernels {

/// Virtual lanes; rows of scratch buffers are padded to a multiple of it.
constexpr size_t kLanes = 16;
constexpr size_t kSlack = 64;

constexpr size_t padded(size_t n) { return (n + kLanes - 1) / kLanes * kLanes; }

/// 2-norm of a token, its squares summed in double.
float rowNorm(const float *x, size_t n);

/// codes[i] = clamp(round_half_even(x[i] / norm * scale), -maxCode, maxCode); 0 where that is not a
/// number.
void quantizeRow(const float *x, size_t n, float norm, float scale, float maxCode, int8_t *codes);

/// Writes the codes of `rows` keys as floats, one key per lane: panel[k * padded(rows) + key].
/// Lanes beyond are 0.
void buildPanel(const int8_t *codes, size_t rows, size_t dims, size_t stride, float *panel);

/// dots[i * dotStride + key] = integer dot product of query row i with key `key` of a panel; exact
/// below 2^24 in magnitude, else rounded. `dotStride` is at least padded(keys).
void scoreTile(const int8_t *queries, size_t rows, size_t queryStride, const float *panel,
               size_t keys, size_t dims, float *dots, size_t dotStride);

/// scores[j] = dots[j] * queryFactor * keyFactors[j] + bias[j] (bias may be null).
void scaleScores(const float *dots, size_t n, float queryFactor, const float *keyFactors,
                 const float *bias, float *scores);

/// Softmax of a row: e[j] = exp(scores[j] - max), written up to padded(n); returns the sum, and 0
/// if no score is above -infinity.
float softmaxRow(const float *scores, size_t n, float *e);

/// Bits j with e[j] / sum > threshold, (n + 63) / 64 words; e is padded with values that are not
/// kept.
void thresholdRow(const float *e, size_t n, float sum, float threshold, uint64_t *words);

/// scores[i] = scale * (q . key columns[i]) + bias[columns[i]] (bias may be null).
void sddmmRow(const float *q, const float *keys, size_t keyStride, const uint8_t *columns,
              size_t count, size_t dims, float scale, const float *bias, float *scores);

/// Replaces scores[0..count) by exp(score - max) and the rest of padded(count) by 0.
void expRow(float *scores, size_t count, float &max, float &sum);

/// out[k] = sum_i weights[i] * value columns[i], in order of i; `out` has padded(dims) elements.
void spmmRow(const float *weights, const float *values, size_t valueStride, const uint8_t *columns,
             size_t count, size_t dims, float *out);

/// out[k] = out[k] * keep + partial[k] * add.
void rescaleAdd(float *out, const float *partial, size_t dims, float keep, float add);

/// out[k] /= sum.
void divideRow(float *out, size_t dims, float sum);

/// exp of one number by the same polynomial; 0 below the smallest normal number.
float expScalar(float x);

} // namespace sparsam::sanger::kernels

#endif // SPARSAM_TARGETS_SANGER_MODEL_KERNELS_H
