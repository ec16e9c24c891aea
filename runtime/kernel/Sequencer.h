// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Sequencer.h - the command processor shared by all machines ---------===//
//
// Decodes the command words of a stage once, checks them, and walks them: counted loops, loops over
// a counter register, and address generators. What an instruction does is the machine's business.
//
// After Stage<Isa>::load nothing has to be checked again but what depends on run-time numbers:
// every opcode, field, register and descriptor is valid, and every address of every loop iteration
// lies inside its memory or binding.
//
#ifndef SPARSAM_RUNTIME_KERNEL_SEQUENCER_H
#define SPARSAM_RUNTIME_KERNEL_SEQUENCER_H

#include "runtime/program/Tensor.h"
#include "runtime/support/Result.h"

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sparsam::program {
struct AcceleratorStage;
struct Descriptor;
} // namespace sparsam::program

namespace sparsam::runtime {

/// A tile as an address generator gives it for the current loop counters. Only its valid rows lie
/// inside of the memory or binding for certain: rows from `validRows` on must not be read or
/// written in DRAM. In an on-chip memory they may be touched, if the machine gives it
/// StageInfo::memories[m].extent elements.
struct Tile {
  unsigned memory =
      0; ///< 1: DRAM; m >= 2: on-chip memory m-2 of the stage; 0: no tile (absent operand)
  unsigned binding = 0; ///< DRAM only
  int64_t offset = 0;   ///< elements from the start of the memory or binding
  uint32_t rows = 0, cols = 0;
  int64_t rowStride = 0;  ///< elements
  uint32_t validRows = 0; ///< rows that lie inside the tensor
  int64_t row = 0;        ///< index of the first row in the tensor
};

/// A descriptor with only the terms that matter.
struct AddressGenerator {
  struct Term {
    int64_t stride = 0;
    int32_t rowStep = 0;
    uint32_t modulus = 0; ///< 0: none
    uint32_t level = 0;   ///< loop counted from the outermost
    uint32_t mask = 0;    ///< modulus - 1 where that is a power of two, else 0
  };

  explicit AddressGenerator(const program::Descriptor &descriptor);

  int64_t base, rowStride;
  int32_t rowBase;
  uint32_t rows, cols, rowLimit;
  uint16_t memory, binding;
  uint32_t termCount = 0;
  std::array<Term, 8> terms;
};

/// The state of loop counters and counter registers, and the address generators that read them.
class Addressing {
public:
  static constexpr unsigned kMaxLoops = 8, kCounters = 16;

  explicit Addressing(std::span<const AddressGenerator> generators = {})
      : generators_(generators) {}

  /// The tile that `descriptor` addresses now; an empty tile for an absent operand.
  Tile tile(uint16_t descriptor) const {
    if (descriptor >= generators_.size())
      return Tile();
    const AddressGenerator &g = generators_[descriptor];
    int64_t offset = g.base, row = g.rowBase;
    for (uint32_t i = 0; i < g.termCount; ++i) {
      int64_t v = loopValue(g.terms[i]);
      offset += v * g.terms[i].stride;
      row += v * g.terms[i].rowStep;
    }
    int64_t valid = int64_t(g.rowLimit) - row;
    uint32_t validRows = valid <= 0 ? 0 : valid < g.rows ? uint32_t(valid) : g.rows;
    return {g.memory, g.binding, offset, g.rows, g.cols, g.rowStride, validRows, row};
  }
  /// Value of an isa.index.
  int64_t index(uint16_t descriptor) const {
    if (descriptor >= generators_.size())
      return 0;
    const AddressGenerator &g = generators_[descriptor];
    int64_t value = g.base;
    for (uint32_t i = 0; i < g.termCount; ++i)
      value += loopValue(g.terms[i]) * g.terms[i].stride;
    return value;
  }
  int64_t counter(uint8_t reg) const { return counters_[reg % kCounters]; }
  /// Written by the instruction that makes the count; a loop over the register then runs so many
  /// times.
  void setCounter(uint8_t reg, int64_t value) { counters_[reg % kCounters] = value; }
  uint32_t loop(unsigned level) const { return loops_[level]; }
  void setLoop(unsigned level, uint32_t value) { loops_[level] = value; }

private:
  int64_t loopValue(const AddressGenerator::Term &term) const {
    uint32_t v = loops_[term.level];
    return term.mask ? v & term.mask : term.modulus ? v % term.modulus : v;
  }

  std::span<const AddressGenerator> generators_;
  std::array<uint32_t, kMaxLoops> loops_{};
  std::array<int64_t, kCounters> counters_{};
};

/// What a loaded stage says about itself.
struct StageInfo {
  struct Memory {
    std::string name;
    unsigned elementBits = 0;
    int64_t elements = 0; ///< as allocated by the compiler
    int64_t extent =
        0; ///< elements to reserve so that whole tiles can be touched, invalid rows included
  };
  std::string name; ///< kernel symbol
  std::string target;
  unsigned bindings = 0, inputs = 0;
  std::vector<Memory> memories;         ///< memory m of a descriptor is memories[m - 2]
  std::vector<int64_t> bindingElements; ///< elements that the stage addresses in each binding
};

} // namespace sparsam::runtime

// class template Stage<Isa>: see the implementation part, which needs the generated instruction
// structs.
#include "runtime/kernel/SequencerStage.h"

#endif // SPARSAM_RUNTIME_KERNEL_SEQUENCER_H
