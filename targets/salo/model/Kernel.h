// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Kernel.h - a loaded and checked SALO program -----------------------===//
#ifndef SPARSAM_TARGETS_SALO_MODEL_KERNEL_H
#define SPARSAM_TARGETS_SALO_MODEL_KERNEL_H

#include "runtime/units/LoadedStage.h"
#include "targets/salo/SaloIsa.h"
#include "targets/salo/model/Params.h"

namespace sparsam::salo {

/// The on-chip memories, in the order of memorySpecs().
enum class Role : uint8_t { query, key, value, output };
constexpr size_t kRoles = 4;

/// A stage with everything checked that does not depend on data: memories and their capacities,
/// `config` first and once, tile shapes of every instruction, and a merge after every pass.
struct Kernel : runtime::LoadedStage<Isa, Role> {
  insn::Config config;
  std::vector<int64_t> globals; ///< tokens of set_global, ascending
  int64_t keyRows = 0;          ///< most keys of a slice
  /// Tensors that queries, keys and values are loaded from; -1: none.
  int64_t queryBinding = -1, keyBinding = -1, valueBinding = -1;

  /// Queries and keys of one head.
  int64_t headQueries() const { return int64_t(config.queries) * config.segments; }
  int64_t headKeys() const { return int64_t(config.keys) * config.segments; }

  static runtime::Result<Kernel> load(const program::AcceleratorStage &table, const Params &params,
                                      const runtime::Arch &arch);
};

} // namespace sparsam::salo

#endif // SPARSAM_TARGETS_SALO_MODEL_KERNEL_H
