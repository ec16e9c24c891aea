// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Sequencer.h - the command processor shared by all machines ---------===//
//
// Decodes the command words of a stage once, checks them, and walks them: counted loops, loops over a counter
// register, and address generators. What an instruction does is the machine's business.
//
#ifndef SPARSAM_RUNTIME_KERNEL_SEQUENCER_H
#define SPARSAM_RUNTIME_KERNEL_SEQUENCER_H

#include "runtime/support/Result.h"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace sparsam::program {
struct AcceleratorStage;
struct Descriptor;
} // namespace sparsam::program

namespace sparsam::runtime {

/// A tile as an address generator gives it for the current loop counters.
struct Tile {
  unsigned memory = 0;          ///< 1: DRAM; m >= 2: on-chip memory m-2 of the stage
  unsigned binding = 0;         ///< DRAM only
  int64_t offset = 0;           ///< elements from the start of the memory or binding
  uint32_t rows = 0, cols = 0;
  int64_t rowStride = 0;        ///< elements
  uint32_t validRows = 0;       ///< rows that lie inside the tensor
  int64_t row = 0;              ///< index of the first row in the tensor
};

/// The state of loop counters and counter registers, and the address generators that read them.
class Addressing {
public:
  static constexpr unsigned kMaxLoops = 8, kCounters = 16;

  explicit Addressing(std::span<const program::Descriptor> descriptors = {}) : descriptors_(descriptors) {}
  Tile tile(uint16_t descriptor) const;
  /// Value of an isa.index.
  int64_t index(uint16_t descriptor) const;
  int64_t counter(uint8_t reg) const { return counters_[reg]; }
  void setCounter(uint8_t reg, int64_t value) { counters_[reg] = value; }
  void setLoop(unsigned level, int64_t value) { loops_[level] = value; }

private:
  std::span<const program::Descriptor> descriptors_;
  std::array<int64_t, kMaxLoops> loops_{};
  std::array<int64_t, kCounters> counters_{};
};

} // namespace sparsam::runtime

// class template Stage<Isa>: see the implementation part, which needs the generated instruction structs.
#include "runtime/kernel/SequencerStage.h"

#endif // SPARSAM_RUNTIME_KERNEL_SEQUENCER_H
