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
#include <span>
#include <vector>

namespace sparsam::sanger {

/// Rows of floats at a constant distance.
struct RowView {
  const float *data = nullptr;
  int64_t stride = 0;
  const float *row(int64_t r) const { return data + r * stride; }
};

namespace kernels {

/// Virtual lanes; rows of scratch buffers are padded to a multiple of it.
constexpr size_t kLanes = 16;
constexpr size_t kSlack = 64;

constexpr size_t padded(size_t n) { return (n + kLanes - 1) / kLanes * kLanes; }

/// Keys of one step of the low-bit array's loop; panels are padded to a multiple of it.
constexpr size_t kPanelLanes = 32;
constexpr size_t panelWidth(size_t n) { return (n + kPanelLanes - 1) / kPanelLanes * kPanelLanes; }

/// 2-norm of a token, its squares summed in double.
float rowNorm(const float *x, size_t n);

/// codes[i] = clamp(round_half_even(x[i] / norm * scale), -maxCode, maxCode) + offset, where what
/// is not a number counts as 0.
void quantizeRow(const float *x, size_t n, float norm, float scale, float maxCode, int offset,
                 int8_t *codes);

/// What scoreTile wants added to the codes of queries: up to 7 bits, x86 multiplies unsigned by
/// signed bytes and adds neighbours up in one instruction.
int queryOffset(int maxCode);

/// Codes of queries up to maxCode <= 127, each with queryOffset(maxCode) added, `stride` apart, and
/// a factor for each. One byte behind the last row may be read.
struct QueryTile {
  const int8_t *codes;
  size_t count, stride;
  const float *factors;
};

/// Codes of keys, one key per 16-bit lane, which holds those of two neighbouring dimensions; lanes
/// beyond the last key, and a dimension that an odd number lacks, are 0.
struct KeyPanel {
  KeyPanel(const int8_t *codes, size_t keys, size_t keyStride, size_t dims, int maxCode);

  size_t count, dims;
  int maxCode;
  std::vector<int16_t> pairs;       ///< [dims / 2 rounded up, panelWidth(count)]
  std::vector<int32_t> corrections; ///< what makes up for queryOffset, by key
  std::vector<float> factors;       ///< by key, 0 at first
};

/// scores[i * scoreStride + j] = (query i . key j) * query factor * key factor + bias[i *
/// biasStride + j] (bias may be null). The products of codes are exact.
void scoreTile(const QueryTile &queries, const KeyPanel &keys, const float *bias, size_t biasStride,
               float *scores, size_t scoreStride);

/// Softmax of a row: e[j] = exp(scores[j] - max), written up to padded(n); returns the sum, and 0
/// if no score is above -infinity.
float softmaxRow(const float *scores, size_t n, float *e);

/// Bits j with e[j] / sum > threshold, (n + 63) / 64 words; e is padded with values that are not
/// kept.
void thresholdRow(const float *e, size_t n, float sum, float threshold, uint64_t *words);

/// The exponentials of a row: their sum, and the score that each was taken relative to.
struct RowSum {
  float max, sum;
};

/// A sub-row on the array, which keeps `count` keys of its query.
struct ArrayRow {
  int64_t query;
  const uint8_t *columns; ///< of the kept keys, ascending
  size_t count;
  float *scores; ///< padded(count) of them
  RowSum total;  ///< of the exponentials
};

/// scores[i] = scale * (query . key columns[i]) + bias[columns[i]] of all rows (bias.data may be
/// null).
void sddmm(std::span<const ArrayRow> rows, RowView queries, RowView keys, RowView bias, size_t dims,
           float scale);

/// Replaces the scores of each row by exp(score - max) and the rest of padded(count) by 0.
void expRows(std::span<ArrayRow> rows);

/// Row r of `partials`, padded(dims) apart: sum_i scores[i] * value columns[i], in order of i.
void spmm(std::span<const ArrayRow> rows, RowView values, size_t dims, float *partials);

/// Adds a partial row, whose exponentials add up to `added`, to `out`, those of which add up to
/// `total`: both are brought to the larger maximum, which is above -infinity.
void accumulateRow(const float *partial, size_t dims, RowSum added, float *out, RowSum &total);

/// out[k] /= sum.
void divideRow(float *out, size_t dims, float sum);

} // namespace kernels
} // namespace sparsam::sanger

#endif // SPARSAM_TARGETS_SANGER_MODEL_KERNELS_H
