// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Params.h - parameters of a SpAtten, read from its architecture -----===//
#ifndef SPARSAM_TARGETS_SPATTEN_MODEL_PARAMS_H
#define SPARSAM_TARGETS_SPATTEN_MODEL_PARAMS_H

#include "runtime/arch/Arch.h"
#include "runtime/kernel/Units.h"
#include "runtime/units/MemoryMap.h"

#include <algorithm>
#include <span>

namespace sparsam::spatten {

/// How the quick-select engine chooses its pivots.
struct PivotRule {
  bool isRandom = true; ///< else the first element
  uint64_t seed = 1;
};

/// Cycles from the last score that enters a module to its result.
struct Latencies {
  int64_t qk = 11, softmax = 87, pv = 5;
};

/// Picojoules per cycle of the machine, by module, and per bit of DRAM traffic.
struct EnergyPrices {
  double qk = 0, pv = 0, softmax = 0, fetcher = 0, topk = 0, other = 0, dramBit = 0;
  double perCycle() const { return qk + pv + softmax + fetcher + topk + other; }
};

/// The widest head that `config` can say.
constexpr int64_t kMostDimensions = 512;

/// All parameters that the model asks for, by the names of arch.yaml.
struct Params {
  double clockMhz = 1000;
  unsigned requestQueue = 16;
  int64_t multipliers = 512; ///< of each array; a power of two
  int64_t softmaxParallelism = 8, topkParallelism = 16;
  bool isEndToEnd = false;
  int64_t fcBits = 8;

  bool isExact = false; ///< float32 instead of the machine's words
  int64_t msbBits = 8, lsbBits = 4, valueBits = 8;
  bool forceLsb = false;
  double lsbThreshold = 0.1;
  double valueKeep = 0.5;
  PivotRule pivot;

  bool isBehavioural = false;
  double lsbBubble = 0;
  int64_t topkRoundCycles = 3;
  Latencies latencies;

  int64_t keyBuffer = 196608, valueBuffer = 196608; ///< bytes

  int64_t channels = 16;
  double dramGigabytesPerSecond = 512, dramEfficiency = 1;
  runtime::Cycle dramLatency{};
  EnergyPrices energy;

  /// Whether the adder tree, which splits in halves, sums heads of `headDim`.
  bool fitsTree(int64_t headDim) const {
    return headDim >= 1 && headDim <= std::min(multipliers, kMostDimensions) &&
           (headDim & (headDim - 1)) == 0;
  }
  /// Keys, or values, per cycle of an array, for a head that fits its tree.
  int64_t parallel(int64_t headDim) const { return multipliers / headDim; }
  /// Granules of 32 bytes per channel and cycle.
  double granulesPerCycle() const;

  /// Reads and checks what no single parameter's range can check.
  static runtime::Result<Params> from(const runtime::Arch &arch);
};

/// Bytes that lie in one channel before the next one follows. [R Crossbar]
constexpr int64_t kGranuleBytes = 32;
/// Rows of keys and values are fetched in groups of this. [R TestSpAtten]
constexpr int64_t kFetchRows = 8;

/// The on-chip memories.
std::span<const runtime::MemorySpec> memorySpecs();

} // namespace sparsam::spatten

#endif // SPARSAM_TARGETS_SPATTEN_MODEL_PARAMS_H
