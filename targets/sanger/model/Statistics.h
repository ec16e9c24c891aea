// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Statistics.h - what pack and split makes of masks ------------------===//
//
// A vector is the part of one query's mask row that lies in one stripe. [R _eval_load_balance]
//
#ifndef SPARSAM_TARGETS_SANGER_MODEL_STATISTICS_H
#define SPARSAM_TARGETS_SANGER_MODEL_STATISTICS_H

#include "runtime/kernel/MaskTrace.h"
#include "targets/sanger/model/Params.h"
#include "targets/sanger/model/ValidTokens.h"

#include <nlohmann/json.hpp>

#include <string>

namespace sparsam::sanger {

/// Sums over all heads. Vectors whose positions are all padded are left out; only blocks hold
/// what else is executed: the machine computes padded queries, too.
struct MaskStatistics {
  int64_t pes = 16;
  int64_t nnz = 0;
  int64_t vectors = 0, nonemptyVectors = 0;
  int64_t fullSegments = 0; ///< segments of exactly `pes` keys
  int64_t subrows = 0;      ///< full segments and remainders
  int64_t blocks = 0;       ///< passes of the array
  double density = 0;       ///< mean over the batch of kept pairs per valid pair
  std::vector<int64_t> blocksPerHead;

  /// Published: empty vectors take no sub-row.
  double skip() const { return balance(subrows); }
  /// An empty vector takes a sub-row as well.
  double noskip() const { return balance(subrows + vectors - nonemptyVectors); }
  /// As released: adds the non-empty vectors where the empty ones were meant.
  double noskipAsReleased() const { return balance(subrows + nonemptyVectors); }

private:
  double balance(int64_t rows) const {
    return rows ? double(nnz) / (double(pes) * double(rows)) : 0;
  }
};

/// Statistics of the pairs of `masks` that are valid, and the blocks of those that are executed.
MaskStatistics computeStatistics(const runtime::BitTensor &masks, const ArrayShape &shape,
                                 const ValidTokens &valid, const ValidTokens &executed);

/// `count` bits of a row of 64-bit words, from bit `first` on.
inline uint64_t extractBits(std::span<const uint64_t> words, int64_t first, int64_t count) {
  size_t word = size_t(first / 64);
  unsigned shift = unsigned(first % 64);
  if (word >= words.size())
    return 0;
  uint64_t bits = words[word] >> shift;
  if (shift && word + 1 < words.size())
    bits |= words[word + 1] << (64 - shift);
  return count >= 64 ? bits : bits & ((uint64_t(1) << count) - 1);
}

/// The trace entry of masks as predicted, before the policy for empty rows.
inline std::string predictedName(const std::string &kernel) { return kernel + ".predicted"; }

/// Mask of independent bits, each kept with probability `density`; a fixed generator, the same
/// everywhere.
runtime::BitTensor bernoulliMask(int64_t heads, int64_t queries, int64_t keys, double density,
                                 uint64_t seed);

/// density, nnz, nonempty_vectors, full_segments, subrows, blocks, load_balance {skip, noskip,
/// noskip_as_released}.
nlohmann::ordered_json toJson(const MaskStatistics &statistics);

} // namespace sparsam::sanger

#endif // SPARSAM_TARGETS_SANGER_MODEL_STATISTICS_H
