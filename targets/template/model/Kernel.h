// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Kernel.h - parameters, and a loaded and checked program ------------===//
#ifndef SPARSAM_TARGETS_TEMPLATE_MODEL_KERNEL_H
#define SPARSAM_TARGETS_TEMPLATE_MODEL_KERNEL_H

#include "runtime/kernel/Dram.h"
#include "runtime/units/LoadedStage.h"
#include "targets/template/TemplateIsa.h"

namespace sparsam::template_ {

/// Columns of an output tile behind those of the head: maximum and sum of the row.
constexpr uint32_t kRowState = 2;

/// The parameters, by the names of arch.yaml.
struct Params {
  unsigned queueDepth = 1;
  int64_t rows = 0, cols = 0, expCycles = 0;
  runtime::DramParams dram;
  double macPicojoules = 0, cyclePicojoules = 0, dramBitPicojoules = 0;

  static runtime::Result<Params> from(const runtime::Arch &arch);
};

/// The on-chip memories.
enum class Role : uint8_t { input, output };

/// A stage whose every tile shape is checked.
struct Kernel : runtime::LoadedStage<Isa, Role> {
  int64_t maskBinding = -1; ///< tensor that the additive mask is loaded from; -1: none

  static runtime::Result<Kernel> load(const program::AcceleratorStage &table, const Params &params,
                                      const runtime::Arch &arch);
};

} // namespace sparsam::template_

#endif // SPARSAM_TARGETS_TEMPLATE_MODEL_KERNEL_H
