// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Params.h - parameters of an STA, read from its architecture --------===//
#ifndef SPARSAM_TARGETS_STA_MODEL_PARAMS_H
#define SPARSAM_TARGETS_STA_MODEL_PARAMS_H

#include "runtime/arch/Arch.h"
#include "runtime/kernel/Dram.h"
#include "runtime/units/MemoryMap.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace sparsam::sta {

/// The matrix engine: `engines` arrays of rows x cols PEs with n multipliers each.
struct Geometry {
  int64_t n = 2, m = 8;
  int64_t engines = 4, rows = 16, cols = 32;
  bool shiftsOut = true; ///< the shift-out of a tile takes time of its own

  int64_t macs() const { return engines * rows * cols * n; }
};

struct SoftmaxFormat {
  int64_t lanes = 8;
  int levels = 16;       ///< fraction bits of exponentials and quotients
  int64_t entries = 256; ///< of the table
  int64_t range = 16;    ///< it covers [-range, 0)
  bool subtractsMax = true;
  bool isExact = false; ///< exact_fp32
};

struct VectorParams {
  int64_t lanes = 32, latency = 10;
  int64_t geluEntries = 512;
  int guardBits = 8;
  int64_t rsqrtIterations = 2;
};

/// Power of the instance in watts, and how it is split.
struct PowerParams {
  double watts = 0;
  double multipliers = 0, selectors = 0, routing = 0, softmax = 0, others = 0;
};

/// All parameters, by the names of arch.yaml.
struct Params {
  double clockMhz = 200;
  unsigned queueDepth = 1;
  Geometry geometry;
  int64_t weightBits = 16;
  SoftmaxFormat softmax;
  VectorParams vector;
  bool isFixed = false;
  double dramGigabytesPerSecond = 19.2;
  runtime::DramParams dram;
  PowerParams power;

  /// Reads and checks what no single parameter's range can check.
  static runtime::Result<Params> from(const runtime::Arch &arch);
};

/// The on-chip memories, in the order of Role.
enum class Role : uint8_t { activation, bitmaps, constants, mask, values };
constexpr size_t kRoles = 5;
std::array<runtime::MemorySpec, kRoles> memorySpecs(const Params &params);

} // namespace sparsam::sta

#endif // SPARSAM_TARGETS_STA_MODEL_PARAMS_H
