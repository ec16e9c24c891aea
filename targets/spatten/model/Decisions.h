// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Decisions.h - what a run decides, and its trace --------------------===//
#ifndef SPARSAM_TARGETS_SPATTEN_MODEL_DECISIONS_H
#define SPARSAM_TARGETS_SPATTEN_MODEL_DECISIONS_H

#include "runtime/kernel/MaskTrace.h"
#include "targets/spatten/model/Kernel.h"

#include <vector>

namespace sparsam::spatten {

/// Sizes of the rounds of one selection.
using Rounds = std::vector<uint32_t>;

/// Everything that time depends on and no one knows before the run. Rows are counted by head (of
/// all entries) and query.
struct Decisions {
  runtime::BitTensor pairs;         ///< [entries, heads, queries, keys]: went through Q x K
  runtime::BitTensor hidden;        ///< of those, what a mask hides; empty: nothing
  runtime::BitTensor values;        ///< the same shape: went through prob x V
  runtime::BitTensor lsb;           ///< [entries, heads, queries, 1]: fetched the low bits
  std::vector<Rounds> rounds;       ///< of the local top-k, by head * queries + query
  runtime::BitTensor tokens, heads; ///< [entries, 1, 1, n]: survivors; empty without a ranking
  std::vector<Rounds> tokenRanking, headRanking; ///< by entry
  int64_t nonFinite = 0;                         ///< of Q, K and V as loaded: NaN or infinite
  bool hasRounds = true;                         ///< false: read from a trace without them

  /// All zero, for the shapes of `kernel`.
  explicit Decisions(const Kernel &kernel);

  /// Pairs that a query attends to, kept or not by what follows.
  runtime::BitTensor visible() const { return withoutHidden(pairs); }
  runtime::BitTensor withoutHidden(runtime::BitTensor bits) const;

  void writeTo(runtime::MaskTrace &trace, const std::string &kernel) const;
  /// A trace that has the pairs alone stands for a run that keeps the first values of each row and
  /// never fetches low bits.
  static runtime::Result<Decisions> readFrom(const runtime::MaskTrace &trace, const Kernel &kernel);
};

} // namespace sparsam::spatten

#endif // SPARSAM_TARGETS_SPATTEN_MODEL_DECISIONS_H
