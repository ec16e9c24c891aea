// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Kernels.h - vector loops of the float numerics ---------------------===//
//
// Every result is the same bit by bit for any vector width: sums run over 16 virtual lanes that are
// folded in one fixed order, and a multiply-add is rounded once or twice on all processors alike.
// The loops may read (never write) up to kSlack floats beyond the last element of a row, so buffers
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

/// Keys of one step of the low-bit array's loop; panels are padded to a multiple of it.
constexpr size_t kPanelLanes = 32;
constexpr size_t panelWidth(size_t n) { return (n + kPanelLanes - 1) / kPanelLanes * kPanelLanes; }

/// 2-norm of a token, its squares summed in double.
float rowNorm(const float *x, size_t n);

/// codes[i] = clamp(round_half_even(x[i] / norm * scale), -maxCode, maxCode); 0 where that is not a
/// number.
void quantizeRow(const float *x, size_t n, float norm, float scale, float maxCode, int16_t *codes);

/// Writes the codes of `rows` keys one key per lane: panel[k * panelWidth(rows) + key]. Lanes
/// beyond are 0.
void buildPanel(const int16_t *codes, size_t rows, size_t dims, size_t stride, int16_t *panel);

/// Codes of queries, `stride` apart, and a factor for each.
struct QueryTile {
  const int16_t *codes;
  size_t count, stride;
  const float *factors;
};
/// Codes of keys as buildPanel leaves them, and a factor for each, panelWidth(count) of them.
struct KeyPanel {
  const int16_t *codes;
  size_t count;
  const float *factors;
};

/// scores[i * scoreStride + j] = (query i . key j) * query factor * key factor + bias[i *
/// biasStride
/// + j] (bias may be null). The products of codes up to `maxCode` <= 127 are exact.
void scoreTile(const QueryTile &queries, const KeyPanel &keys, size_t dims, int maxCode,
               const float *bias, size_t biasStride, float *scores, size_t scoreStride);

/// Softmax of a row: e[j] = exp(scores[j] - max), written up to padded(n); returns the sum, and 0
/// if no score is above -infinity.
float softmaxRow(const float *scores, size_t n, float *e);

/// Bits j with e[j] / sum > threshold, (n + 63) / 64 words; e is padded with values that are not
/// kept.
void thresholdRow(const float *e, size_t n, float sum, float threshold, uint64_t *words);

/// scores[i] = scale * (q . key columns[i]) + bias[columns[i]] (bias may be null); `scores` has
/// padded(count) elements.
void sddmmRow(const float *q, const float *keys, size_t keyStride, const uint8_t *columns,
              size_t count, size_t dims, float scale, const float *bias, float *scores);

/// The exponentials of a row: their sum, and the score that each was taken relative to.
struct RowSum {
  float max, sum;
};

/// Replaces scores[0..count) by exp(score - max) and the rest of padded(count) by 0.
void expRow(float *scores, size_t count, RowSum &total);

/// out[k] = sum_i weights[i] * value columns[i], in order of i; `out` has padded(dims) elements.
void spmmRow(const float *weights, const float *values, size_t valueStride, const uint8_t *columns,
             size_t count, size_t dims, float *out);

/// Adds a partial row, whose exponentials add up to `added`, to `out`, those of which add up to
/// `total`: both are brought to the larger maximum, which is above -infinity.
void accumulateRow(const float *partial, size_t dims, RowSum added, float *out, RowSum &total);

/// out[k] /= sum.
void divideRow(float *out, size_t dims, float sum);

} // namespace sparsam::sanger::kernels

#endif // SPARSAM_TARGETS_SANGER_MODEL_KERNELS_H
