// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- MachineSet.h - several machines, each with its parameters ----------===//
#ifndef SPARSAM_TOOLS_SPARSAM_MACHINESET_H
#define SPARSAM_TOOLS_SPARSAM_MACHINESET_H

#include "tools/sparsam/Common.h"

#include "runtime/arch/ComparisonRules.h"

namespace sparsam::driver {

/// --targets, and the machine options that say which of them they are for.
struct MachineSetOptions {
  std::string targets;               ///< "all", or "a,b"
  std::vector<std::string> presets;  ///< TARGET=PRESET
  std::vector<std::string> files;    ///< TARGET=FILE.yaml
  std::vector<std::string> settings; ///< TARGET.NAME=VALUE, or NAME=VALUE for all

  /// The machines in the order of `targets`; for each the defaults, then preset, file, settings.
  Result<std::vector<runtime::ComparedMachine>> resolve() const;

private:
  Result<std::vector<std::string>> names() const;
};

} // namespace sparsam::driver

#endif // SPARSAM_TOOLS_SPARSAM_MACHINESET_H
