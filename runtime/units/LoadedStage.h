// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- LoadedStage.h - a decoded stage on a machine's memories ------------===//
#ifndef SPARSAM_RUNTIME_UNITS_LOADEDSTAGE_H
#define SPARSAM_RUNTIME_UNITS_LOADEDSTAGE_H

#include "runtime/units/MemoryMap.h"

namespace sparsam::runtime {

/// What the kernels of all targets begin with. `Role` enumerates the on-chip memories.
template <typename IsaType, typename Role> struct LoadedStage {
  using Isa = IsaType;

  Stage<Isa> stage;
  std::vector<MemoryUse> memories; ///< by role

  const std::string &name() const { return stage.info().name; }
  const MemoryUse &memory(Role role) const { return memories[size_t(role)]; }
};

/// Decodes a stage and finds the memories of `specs`, which are in the order of the roles.
/// `machine` is what errors call the machine.
template <typename Kernel>
Result<Kernel> loadStage(const program::AcceleratorStage &table, std::span<const MemorySpec> specs,
                         const char *machine, const Arch &arch) {
  auto stage = Stage<typename Kernel::Isa>::load(table);
  if (!stage)
    return stage.error();
  Kernel kernel;
  kernel.stage = stage.take();
  Result<std::vector<MemoryUse>> memories =
      mapMemories(kernel.stage.info(), kernel.stage.generators(), specs, machine, arch);
  if (!memories)
    return memories.error();
  kernel.memories = memories.take();
  return kernel;
}

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_UNITS_LOADEDSTAGE_H
