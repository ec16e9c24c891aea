// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Kernel.h - a loaded and checked STA program ------------------------===//
#ifndef SPARSAM_TARGETS_STA_MODEL_KERNEL_H
#define SPARSAM_TARGETS_STA_MODEL_KERNEL_H

#include "runtime/kernel/Sequencer.h"
#include "targets/sta/StaIsa.h"
#include "targets/sta/model/Params.h"

#include <array>

namespace sparsam::sta {

/// A stage with everything checked that does not depend on data: memories and their capacities,
/// `config` first and once, tile shapes of every instruction.
struct Kernel {
  runtime::Stage<Isa> stage;
  insn::Config config;
  std::array<int64_t, kRoles> extents{}; ///< elements that tiles may touch, by role

  const std::string &name() const { return stage.info().name; }
  int64_t extent(Role role) const { return extents[size_t(role)]; }

  static runtime::Result<Kernel> load(const program::AcceleratorStage &table, const Params &params,
                                      const runtime::Arch &arch);
};

} // namespace sparsam::sta

#endif // SPARSAM_TARGETS_STA_MODEL_KERNEL_H
