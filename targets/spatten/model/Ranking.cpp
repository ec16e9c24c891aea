// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Ranking.cpp - which tokens or heads survive ------------------------===//

#include "targets/spatten/model/Ranking.h"

#include <cmath>
#include <limits>
#include <numeric>

namespace sparsam::spatten {

Ranking rankScores(std::span<const float> scores, int64_t k, int64_t protectFirst,
                   int64_t protectLast, Pivots pivots) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const int64_t n = int64_t(scores.size());
  Ranking ranking;
  if (k >= n) { // the engine is bypassed
    ranking.survivors.resize(scores.size());
    std::iota(ranking.survivors.begin(), ranking.survivors.end(), 0);
    return ranking;
  }
  std::vector<float> ranked(scores.begin(), scores.end());
  for (int64_t i = 0; i < n; ++i) {
    float &score = ranked[size_t(i)];
    const bool isProtected = i < protectFirst || i >= n - protectLast;
    score = isProtected ? kInfinity : std::isnan(score) ? -kInfinity : score;
  }
  Fifos<float> fifos;
  Threshold<float> threshold = quickSelect(std::span<const float>(ranked), k, pivots, fifos);
  for (int64_t i = 0; i < n; ++i) {
    const float score = ranked[size_t(i)];
    if (score > threshold.theta || (score == threshold.theta && threshold.equalToKeep-- > 0))
      ranking.survivors.push_back(i);
  }
  ranking.rounds = std::move(threshold.rounds);
  return ranking;
}

} // namespace sparsam::spatten
