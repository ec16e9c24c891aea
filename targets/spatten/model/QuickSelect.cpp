// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- QuickSelect.cpp - the top-k engine ---------------------------------===//

#include "targets/spatten/model/QuickSelect.h"

#include <array>
#include <cassert>
#include <cmath>
#include <map>
#include <mutex>
#include <numeric>

namespace sparsam::spatten {

/// SplitMix64: a good stream from any state.
static uint64_t nextRandom(uint64_t &state) {
  uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

Pivots::Pivots(const PivotRule &rule, uint64_t stream)
    : state_(rule.seed * 0x2545f4914f6cdd1d + stream), isRandom_(rule.isRandom) {
  nextRandom(state_);
}

size_t Pivots::next(size_t size) {
  return isRandom_ ? size_t((nextRandom(state_) >> 32) * size >> 32) : 0;
}

template <typename T>
Threshold<T> quickSelect(std::span<const T> scores, int64_t k, Pivots pivots, Fifos<T> &fifos) {
  assert(1 <= k && k < int64_t(scores.size()) && "the engine is bypassed where all are kept");
  fifos.current.resize(scores.size());
  fifos.smaller.resize(scores.size());
  fifos.greater.resize(scores.size());
  Threshold<T> result;
  std::span<const T> current = scores;
  size_t target = size_t(k) - 1; // counted from the largest, from 0
  while (true) {
    result.rounds.push_back(uint32_t(current.size()));
    const T pivot = current[pivots.next(current.size())];
    size_t smaller = 0, greater = 0;
    for (const T &score : current) { // without branches: the outcome cannot be predicted
      fifos.smaller[smaller] = score;
      smaller += score < pivot;
      fifos.greater[greater] = score;
      greater += score > pivot;
    }
    const size_t equal = current.size() - smaller - greater;
    if (greater <= target && target < greater + equal) {
      result.theta = pivot;
      result.equalToKeep = int64_t(target - greater) + 1;
      return result;
    }
    const bool isGreater = target < greater;
    target -= isGreater ? 0 : greater + equal;
    std::swap(fifos.current, isGreater ? fifos.greater : fifos.smaller);
    current = std::span<const T>(fifos.current).first(isGreater ? greater : smaller);
  }
}

template Threshold<uint16_t> quickSelect(std::span<const uint16_t>, int64_t, Pivots,
                                         Fifos<uint16_t> &);
template Threshold<float> quickSelect(std::span<const float>, int64_t, Pivots, Fifos<float> &);

int64_t roundCycles(std::span<const uint32_t> rounds, int64_t parallelism, int64_t perRound) {
  int64_t cycles = 0;
  for (uint32_t size : rounds)
    cycles += (int64_t(size) + parallelism - 1) / parallelism + perRound;
  return cycles;
}

//===-- Expectations -------------------------------------------------------===//

/// Round sizes of selections from n different scores: the rank of a random pivot is uniform.
static double simulate(int64_t n, int64_t k, int64_t parallelism, int64_t perRound) {
  constexpr int kTrials = 2000;
  uint64_t state = uint64_t(n) << 32 | uint64_t(k);
  int64_t total = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    int64_t size = n, target = k - 1;
    while (true) {
      total += (size + parallelism - 1) / parallelism + perRound;
      int64_t greater = int64_t((nextRandom(state) >> 32) * uint64_t(size) >> 32);
      if (greater == target)
        break;
      const bool isGreater = target < greater;
      size = isGreater ? greater : size - greater - 1;
      target -= isGreater ? 0 : greater + 1;
    }
  }
  return double(total) / kTrials;
}

double expectedCycles(int64_t n, int64_t k, const Params &params) {
  if (k >= n || n < 1)
    return 0;
  static std::mutex mutex;
  static std::map<std::array<int64_t, 4>, double> known;
  std::array<int64_t, 4> key{n, k, params.topkParallelism, params.topkRoundCycles};
  std::lock_guard lock(mutex);
  auto [it, isNew] = known.try_emplace(key, 0.0);
  if (isNew)
    it->second = simulate(n, std::max<int64_t>(k, 1), key[2], key[3]);
  return it->second;
}

//===-- Zero eliminator ----------------------------------------------------===//

ZeroEliminator::ZeroEliminator(std::span<const uint8_t> isKept)
    : isKept_(isKept.begin(), isKept.end()) {
  uint32_t zeros = 0;
  for (uint8_t kept : isKept_) {
    zeroCounts_.push_back(zeros);
    zeros += kept == 0;
  }
}

std::vector<std::vector<int32_t>> ZeroEliminator::rounds() const {
  std::vector<int32_t> places(isKept_.size(), -1);
  for (size_t i = 0; i < isKept_.size(); ++i)
    places[i] = isKept_[i] ? int32_t(i) : -1;
  std::vector<std::vector<int32_t>> result;
  for (size_t shift = 1; shift < isKept_.size(); shift *= 2) {
    std::vector<int32_t> moved(places.size(), -1);
    for (size_t i = 0; i < places.size(); ++i)
      if (places[i] >= 0)
        moved[i - (zeroCounts_[size_t(places[i])] & shift)] = places[i];
    result.push_back(places = std::move(moved));
  }
  return result;
}

} // namespace sparsam::spatten
