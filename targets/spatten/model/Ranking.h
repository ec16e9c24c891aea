// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Ranking.h - which tokens or heads survive --------------------------===//
#ifndef SPARSAM_TARGETS_SPATTEN_MODEL_RANKING_H
#define SPARSAM_TARGETS_SPATTEN_MODEL_RANKING_H

#include "targets/spatten/model/QuickSelect.h"

namespace sparsam::spatten {

/// Survivors in ascending order, and what the engine scanned to find them.
struct Ranking {
  std::vector<int64_t> survivors;
  std::vector<uint32_t> rounds;
};

/// Keeps `k` positions: the first `protectFirst`, the last `protectLast`, and those with the
/// largest scores; of equal scores the first. 1 <= k <= scores.size(). NaN ranks below everything.
Ranking rankScores(std::span<const float> scores, int64_t k, int64_t protectFirst,
                   int64_t protectLast, Pivots pivots);

} // namespace sparsam::spatten

#endif // SPARSAM_TARGETS_SPATTEN_MODEL_RANKING_H
