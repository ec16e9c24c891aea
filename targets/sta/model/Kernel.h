// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Kernel.h - a loaded and checked STA program ------------------------===//
#ifndef SPARSAM_TARGETS_STA_MODEL_KERNEL_H
#define SPARSAM_TARGETS_STA_MODEL_KERNEL_H

#include "runtime/units/LoadedStage.h"
#include "targets/sta/StaIsa.h"
#include "targets/sta/model/Params.h"

namespace sparsam::sta {

/// A stage with everything checked that does not depend on data: memories and their capacities,
/// `config` first and once, tile shapes of every instruction.
struct Kernel : runtime::LoadedStage<Isa, Role> {
  insn::Config config;
  int64_t maskBinding = -1; ///< tensor that the additive mask is loaded from; -1: none

  static runtime::Result<Kernel> load(const program::AcceleratorStage &table, const Params &params,
                                      const runtime::Arch &arch);
};

} // namespace sparsam::sta

#endif // SPARSAM_TARGETS_STA_MODEL_KERNEL_H
