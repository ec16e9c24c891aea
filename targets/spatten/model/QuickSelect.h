// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- QuickSelect.h - the top-k engine -----------------------------------===//
//
// Finds the k-th largest of n scores in rounds. Each round scans what is left, with P comparators,
// into the smaller and the greater ones; one of the two is left for the next round. [P IV-B, R
// TopKLatencyModel]
//
#ifndef SPARSAM_TARGETS_SPATTEN_MODEL_QUICKSELECT_H
#define SPARSAM_TARGETS_SPATTEN_MODEL_QUICKSELECT_H

#include "targets/spatten/model/Params.h"

#include <cstdint>
#include <span>
#include <vector>

namespace sparsam::spatten {

/// What the engine finds, and the elements that it scans in each round.
template <typename T> struct Threshold {
  T theta{};
  int64_t equalToKeep = 0; ///< the first so many of those equal to theta
  std::vector<uint32_t> rounds;
};

/// Deterministic pivots: a stream of its own for each selection.
class Pivots {
public:
  Pivots(const PivotRule &rule, uint64_t stream);
  /// An index below `size`.
  size_t next(size_t size);

private:
  uint64_t state_;
  bool isRandom_;
};

/// Scratch memory of an engine: its two FIFOs and what enters them.
template <typename T> struct Fifos {
  std::vector<T> current, smaller, greater;
};

/// The k-th largest of `scores`, 1 <= k < scores.size().
template <typename T>
Threshold<T> quickSelect(std::span<const T> scores, int64_t k, Pivots pivots, Fifos<T> &fifos);

/// Cycles of the rounds with `parallelism` comparators. [R TopKLatencyModel]
int64_t roundCycles(std::span<const uint32_t> rounds, int64_t parallelism, int64_t perRound);

/// The mean of roundCycles over random orders of n different scores, from a fixed seed: what a
/// selection takes whose scores are not known. 0 where k >= n: the engine is bypassed.
double expectedCycles(int64_t n, int64_t k, const Params &params);

/// One step of the zero eliminator per bit of the zero counts: elements that are kept move left by
/// as many places as there are zeros before them. [P Fig. 10]
class ZeroEliminator {
public:
  /// `isKept` says which inputs are not zero; at most 2^31 of them.
  explicit ZeroEliminator(std::span<const uint8_t> isKept);
  const std::vector<uint32_t> &zeroCounts() const { return zeroCounts_; }
  /// Positions of the inputs after round `r`; -1 where there is a zero.
  std::vector<std::vector<int32_t>> rounds() const;

private:
  std::vector<uint8_t> isKept_;
  std::vector<uint32_t> zeroCounts_;
};

} // namespace sparsam::spatten

#endif // SPARSAM_TARGETS_SPATTEN_MODEL_QUICKSELECT_H
