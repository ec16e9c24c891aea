// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Kernel.h - a loaded and checked Sanger program ---------------------===//
#ifndef SPARSAM_TARGETS_SANGER_MODEL_KERNEL_H
#define SPARSAM_TARGETS_SANGER_MODEL_KERNEL_H

#include "runtime/units/LoadedStage.h"
#include "targets/sanger/SangerIsa.h"
#include "targets/sanger/model/Params.h"

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

/// A stage with everything checked that does not depend on data: memories and their capacities,
/// `config` first and once, tile shapes of every instruction, and the order of the instructions on
/// the array.
struct Kernel : runtime::LoadedStage<Isa, Role> {
  insn::Config config;
  /// Tensors that queries, keys, values and biases are loaded from; -1: none.
  int64_t queryBinding = -1, keyBinding = -1, valueBinding = -1, biasBinding = -1;

  static runtime::Result<Kernel> load(const program::AcceleratorStage &table, const Params &params,
                                      const runtime::Arch &arch);
};

} // namespace sparsam::sanger

#endif // SPARSAM_TARGETS_SANGER_MODEL_KERNEL_H
