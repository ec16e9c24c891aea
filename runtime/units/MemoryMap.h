// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- MemoryMap.h - the on-chip memories that a kernel uses --------------===//
#ifndef SPARSAM_RUNTIME_UNITS_MEMORYMAP_H
#define SPARSAM_RUNTIME_UNITS_MEMORYMAP_H

#include "runtime/arch/Arch.h"
#include "runtime/kernel/Sequencer.h"

namespace sparsam::runtime {

/// One on-chip memory of a machine.
struct MemorySpec {
  const char *name;
  unsigned elementBits;
  const char *parameter; ///< its capacity in bytes; null: not limited
};

/// Finds each memory of `specs` among those that the stage declares: its number as in descriptors,
/// or 0 if the stage does not use it. Refuses memories that the machine (`machine`, as errors call
/// it) does not have, that are declared twice, have elements of another width, or do not fit.
Result<std::vector<unsigned>> mapMemories(const StageInfo &info, std::span<const MemorySpec> specs,
                                          const char *machine, const Arch &arch);

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_UNITS_MEMORYMAP_H
