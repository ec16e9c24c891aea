// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Kernel.h - a loaded and checked SpAtten program --------------------===//
#ifndef SPARSAM_TARGETS_SPATTEN_MODEL_KERNEL_H
#define SPARSAM_TARGETS_SPATTEN_MODEL_KERNEL_H

#include "runtime/units/LoadedStage.h"
#include "targets/spatten/SpattenIsa.h"
#include "targets/spatten/model/Params.h"
#include "targets/spatten/model/RowPipe.h"

namespace sparsam::spatten {

/// The on-chip memories, in the order of memorySpecs().
enum class Role : uint8_t { query, key, value, bias, output, index, importance };
constexpr size_t kRoles = 7;

/// A stage with everything checked that does not depend on data: memories and their capacities,
/// `config` first and once, the tile shapes of every instruction.
struct Kernel : runtime::LoadedStage<Isa, Role> {
  insn::Config config;

  /// Heads of all entries.
  int64_t totalHeads() const { return int64_t(config.entries) * config.heads; }
  PipeFormat format(const Params &params) const;

  static runtime::Result<Kernel> load(const program::AcceleratorStage &table, const Params &params,
                                      const runtime::Arch &arch);
};

/// What a run decides, beside `<kernel>` (the pairs that went through the pipe and that no mask
/// hides), by the names under which a mask trace holds it.
inline std::string hiddenName(const std::string &kernel) { return kernel + ".hidden"; }
inline std::string valuesName(const std::string &kernel) { return kernel + ".values"; }
inline std::string lsbName(const std::string &kernel) { return kernel + ".lsb"; }
/// Sizes of quick-select rounds, 16 bits each.
inline std::string roundsName(const std::string &kernel) { return kernel + ".rounds"; }
inline std::string rankingName(const std::string &kernel) { return kernel + ".ranking"; }
/// Survivors of the rankings.
inline std::string tokensName(const std::string &kernel) { return kernel + ".tokens"; }
inline std::string headsName(const std::string &kernel) { return kernel + ".heads"; }

} // namespace sparsam::spatten

#endif // SPARSAM_TARGETS_SPATTEN_MODEL_KERNEL_H
