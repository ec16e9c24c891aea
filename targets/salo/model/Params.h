// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Params.h - parameters of a SALO, read from its architecture --------===//
#ifndef SPARSAM_TARGETS_SALO_MODEL_PARAMS_H
#define SPARSAM_TARGETS_SALO_MODEL_PARAMS_H

#include "runtime/arch/Arch.h"
#include "runtime/kernel/Dram.h"
#include "runtime/units/MemoryMap.h"

#include <span>

namespace sparsam::salo {

/// The array and what stands around it.
struct ArrayShape {
  int64_t rows = 32;   ///< R: queries of a tile
  int64_t cols = 32;   ///< C: window keys of a pass
  int64_t globals = 1; ///< g: global rows and columns
  int64_t randoms = 3; ///< r: random columns, version 2 alone
  int scaleShift = 3;  ///< of stage 1
};

/// How version 2 picks the pattern of a block.
struct BlockRule {
  int64_t block = 64, window = 8, globals = 1, randoms = 3, dilation = 1;
};

/// All parameters, by the names of arch.yaml.
struct Params {
  int64_t version = 1;
  double clockMhz = 1000;
  unsigned queueDepth = 64;
  ArrayShape array;
  int64_t window = 0, dilation = 1, globalTokens = 0; ///< of the pattern set by parameters
  BlockRule blocks;
  bool isSoftmaxed = false; ///< given scores become probabilities first
  bool isIdealMemory = false;
  int64_t mergeDims = 64, mergeCycles = 2;
  unsigned wordBits = 16; ///< in DRAM
  runtime::DramParams dram;
  double arrayPicojoules = 0, dramBitPicojoules = 0;

  /// Reads and checks what no single parameter's range can check.
  static runtime::Result<Params> from(const runtime::Arch &arch);
};

/// The on-chip memories, in the order of Role.
std::span<const runtime::MemorySpec> memorySpecs();

} // namespace sparsam::salo

#endif // SPARSAM_TARGETS_SALO_MODEL_PARAMS_H
