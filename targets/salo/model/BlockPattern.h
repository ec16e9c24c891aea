// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- BlockPattern.h - the pattern that version 2 picks for each block ---===//
//
// For each block of b queries and b keys of a score matrix: the g columns and g rows with the
// largest sums, the window of diagonals with the largest sum, and for each query r further keys.
// The first of equals wins. [R2 salo_sparse]
//
#ifndef SPARSAM_TARGETS_SALO_MODEL_BLOCKPATTERN_H
#define SPARSAM_TARGETS_SALO_MODEL_BLOCKPATTERN_H

#include "runtime/kernel/MaskTrace.h"
#include "runtime/program/Tensor.h"
#include "targets/salo/model/Params.h"

#include <span>

namespace sparsam::salo {

/// What was picked for one block.
struct BlockChoice {
  int64_t window = 0; ///< first diagonal, key - query + block - 1
  std::vector<int64_t> columns, rows;
};

/// Picks the pattern of one block. `scores` is [block][stride]; tokens from `validQueries` and
/// `validKeys` on are padding. Sets mask[query * block + key] to 0 or 1.
BlockChoice selectBlock(const BlockRule &rule, const float *scores, int64_t stride,
                        int64_t validQueries, int64_t validKeys, uint8_t *mask);

/// Picks the patterns of score matrices, [heads, n, n] or [batch, heads, n, n] in float32, n a
/// multiple of the block. `validLengths`: tokens that are no padding, one for all or one per batch
/// entry; empty: all. With `softmax` each row is normalised over the valid keys first.
runtime::Result<runtime::BitTensor> selectPattern(const BlockRule &rule,
                                                  const runtime::TensorView &scores,
                                                  std::span<const int64_t> validLengths,
                                                  bool softmax);

} // namespace sparsam::salo

#endif // SPARSAM_TARGETS_SALO_MODEL_BLOCKPATTERN_H
