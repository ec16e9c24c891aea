// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Kernels.h - vector loops of the array ------------------------------===//
//
// The arithmetic of Pe.h for a whole tile: one query row per lane, so that the keys of a column
// are consecutive (K moves diagonally). Integers throughout: results do not depend on the vector
// width.
//
// Words lie in pairs: dimensions 2p and 2p + 1 in one int32, the even one in the low half.
//
#ifndef SPARSAM_TARGETS_SALO_MODEL_KERNELS_H
#define SPARSAM_TARGETS_SALO_MODEL_KERNELS_H

#include "targets/salo/model/Pe.h"

#include <cstddef>
#include <cstdint>

namespace sparsam::salo::kernels {

/// Rows of a tile are padded to a multiple of kLanes, dimensions to one of kDims.
constexpr int64_t kLanes = 16, kDims = 32, kMostDims = 128;
constexpr int64_t padded(int64_t n, int64_t to) { return (n + to - 1) / to * to; }
/// Dimensions of a row of outputs or values, with room for whole vectors.
constexpr int64_t rowWidth(int64_t dims) {
  return dims <= 2 * kDims ? padded(dims, kDims) : kMostDims;
}
/// Values are kept shifted by this, and probabilities by kProbabilityShift: the high half of their
/// product is then (probability * value) >> 3.
constexpr int kValueShift = 6, kProbabilityShift = 7;
/// Most columns, global ones included, for which sums neither wrap at 18 bits nor outputs leave 16.
constexpr int64_t kMostColumns = 160;

/// words[i] = toWord(x[i] * factor); not a number becomes 0.
void quantize(const float *x, size_t n, float factor, int16_t *words);

/// One pass of a tile.
struct TilePass {
  const int32_t *queries = nullptr; ///< [pair][queryStride]
  int64_t queryStride = 0;
  int64_t rows = 0, dims = 0;
  const int32_t *keys = nullptr; ///< [pair][keyStride], of row 0 in the last column
  int64_t keyStride = 0;
  const int32_t *keyMask = nullptr;    ///< -1: valid, 0: masked; beside `keys`
  const int16_t *values = nullptr;     ///< [key][rowWidth(dims)], shifted; beside `keys`
  int64_t cols = 0;                    ///< columns whose keys belong to the window
  const int32_t *globalKeys = nullptr; ///< [global][pairs]
  const int32_t *globalMask = nullptr; ///< [global], as keyMask
  const int16_t *globalValues = nullptr;
  int64_t globals = 0;
  int scaleShift = 3;
};

/// What the pass leaves behind.
struct TileResult {
  int32_t *sum = nullptr, *exponent = nullptr; ///< [padded(rows, kLanes)]
  int16_t *out = nullptr;                      ///< [rows][rowWidth(dims)]
};

/// Scratch of attend(): (cols + globals) * padded(rows, kLanes) of each.
struct Scratch {
  int32_t *value = nullptr, *exponent = nullptr;
  int16_t *probability = nullptr;
};

/// Returns how many scores were outside of what the exponential can take (they alias).
int64_t attend(const TilePass &pass, const Scratch &scratch, const TileResult &result);

/// scores[x] of one query with `count` consecutive keys.
void scoreKeys(const int32_t *query, int64_t pairs, const int32_t *keys, int64_t keyStride,
               int64_t count, int32_t *scores);

/// running[i] = mergeOutput(weight, running[i], tile[i]).
void mergeRow(int32_t weight, const int16_t *tile, int64_t dims, int32_t *running);

} // namespace sparsam::salo::kernels

#endif // SPARSAM_TARGETS_SALO_MODEL_KERNELS_H
