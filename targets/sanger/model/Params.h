// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Params.h - parameters of a Sanger, read from its architecture ------===//
#ifndef SPARSAM_TARGETS_SANGER_MODEL_PARAMS_H
#define SPARSAM_TARGETS_SANGER_MODEL_PARAMS_H

#include "runtime/arch/Arch.h"
#include "runtime/kernel/Dram.h"
#include "runtime/units/MemoryMap.h"

#include <string>
#include <vector>

namespace sparsam::sanger {

enum class Overlap { none, partial, full };
enum class Encoder { subrow, columnCut };

/// How the array is shaped and how a mask is cut for it.
struct ArrayShape {
  int64_t pes = 16;    ///< P: kept keys of a sub-row
  int64_t rows = 64;   ///< H: sub-rows of a block
  int64_t stripe = 64; ///< W: keys of a stripe
  Encoder encoder = Encoder::subrow;
};

/// Words of numerics `rtl`.
struct FixedPointFormat {
  int wordBits = 16, wordFraction = 8;
  int accumulatorBits = 32;
  int expBits = 32, expFraction = 16;
  bool isExpSigned = true, isExpSaturating = true;
};

/// Picojoules per cycle of the machine, by unit, and per bit of DRAM traffic.
struct EnergyPrices {
  double rsa = 0, lowbit = 0, packer = 0, accumulator = 0, memory = 0, dramBit = 0;
  double perCycle() const { return rsa + lowbit + packer + accumulator + memory; }
};

/// All parameters, by the names of arch.yaml.
struct Params {
  double clockMhz = 500;
  double estimatorClockMhz = 1000; ///< of the released closed forms
  double dramGigabytesPerSecond = 128;
  unsigned queueDepth = 1;
  ArrayShape array;
  int64_t dividers = 64, lowbitRows = 64, lowbitCols = 64;
  int64_t bits = 4;
  bool isNormalized = true;
  bool isRtl = false;
  FixedPointFormat format;
  Overlap overlap = Overlap::partial;
  int64_t expCycles = 3, quantizeCycles = 1, thresholdCycles = 1;
  double dramBytesPerCycle = 256;
  runtime::DramParams dram;
  EnergyPrices energy;

  /// Reads and checks what no single parameter's range can check.
  static runtime::Result<Params> from(const runtime::Arch &arch);
};

/// All on-chip memories; the block list has no limit.
std::span<const runtime::MemorySpec> memorySpecs();

} // namespace sparsam::sanger

#endif // SPARSAM_TARGETS_SANGER_MODEL_PARAMS_H
