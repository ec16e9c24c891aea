// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Kernel.h - a loaded and checked Sanger program ---------------------===//
#ifndef SPARSAM_TARGETS_SANGER_MODEL_KERNEL_H
#define SPARSAM_TARGETS_SANGER_MODEL_KERNEL_H

#include "runtime/kernel/Sequencer.h"
#include "targets/sanger/SangerIsa.h"
#include "targets/sanger/model/Params.h"

#include <array>

namespace sparsam::sanger {

/// The on-chip memories, in the order of memorySpecs().
enum class Role : uint8_t {
  query,
  key,
  value,
  lowQuery,
  lowKey,
  score,
  bias,
  mask,
  blocks,
  output
};
constexpr size_t kRoles = 10;

/// How one on-chip memory is used by a kernel.
struct MemoryUse {
  unsigned number = 0; ///< as in descriptors; 0: the kernel does not use it
  int64_t extent = 0;  ///< elements that tiles may touch
  /// Every tile row starts at a multiple of this: what there is once per row is kept at start /
  /// grain.
  int64_t grain = 1;
  int64_t rowSlots() const { return extent / grain + 1; }
};

/// A stage with everything checked that does not depend on data: memories and their capacities,
/// `config` first and once, tile shapes of every instruction, and the order of the instructions on
/// the array.
struct Kernel {
  runtime::Stage<Isa> stage;
  insn::Config config;
  std::array<MemoryUse, kRoles> memories;
  std::array<Role, kRoles> roleOf{}; ///< by memory number - 2
  int64_t queryBinding = -1,
          keyBinding = -1; ///< tensors that queries and keys are loaded from; -1: none

  const std::string &name() const { return stage.info().name; }
  const MemoryUse &memory(Role role) const { return memories[size_t(role)]; }

  static runtime::Result<Kernel> load(const program::AcceleratorStage &table, const Params &params,
                                      const runtime::Arch &arch);
};

} // namespace sparsam::sanger

#endif // SPARSAM_TARGETS_SANGER_MODEL_KERNEL_H
