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

/// How a kernel uses one on-chip memory.
struct MemoryUse {
  unsigned number = 0; ///< as in descriptors; 0: the kernel does not use it
  int64_t extent = 0;  ///< elements that tiles may touch
  /// Every tile row starts at a multiple of this: what there is once per row is kept at start /
  /// grain.
  int64_t grain = 1;
  int64_t rowSlots() const { return extent / grain + 1; }
};

/// Finds each memory of `specs` among those that the stage declares. Refuses memories that the
/// machine (`machine`, as errors call it) does not have, that are declared twice, have elements of
/// another width, or do not fit.
Result<std::vector<MemoryUse>> mapMemories(const StageInfo &info,
                                           std::span<const AddressGenerator> generators,
                                           std::span<const MemorySpec> specs, const char *machine,
                                           const Arch &arch);

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_UNITS_MEMORYMAP_H
