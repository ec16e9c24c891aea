// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Normalize.h - designs at equal technology and size -----------------===//
//
// The rules, of first order:
//   technology   the clock grows as a gate gets faster; energy per operation and area scale by the
//                factors of Technology.h. What is off the chip stays.
//   multipliers  what the machine declares to grow with their number grows in proportion, and so do
//                its area and the energy per cycle of its units.
//   bandwidth    the DRAM gets it.
//   clock        takes the place of the clock that the technology would give.
//
#ifndef SPARSAM_RUNTIME_ARCH_NORMALIZE_H
#define SPARSAM_RUNTIME_ARCH_NORMALIZE_H

#include "runtime/arch/ComparisonRules.h"

namespace sparsam::runtime {

/// What designs are brought to; nothing where a design keeps its own.
struct CommonGround {
  std::optional<double> nanometres, gigabytesPerSecond, megahertz;
  std::optional<int64_t> multipliers;

  /// Reads "tech=28nm,macs=1024,bandwidth=128GB/s,clock=1GHz", any of them.
  static Result<CommonGround> parse(std::string_view text);
};

/// A machine on common ground, and in words what was changed.
struct Normalized {
  ComparedMachine machine;
  std::vector<std::string> steps;
};

/// Number of multipliers of a machine, or nothing if it declares none.
std::optional<int64_t> multipliers(const ComparedMachine &machine);

/// Brings a machine to `ground`. What the machine does not declare or publish, and values that its
/// parameters do not allow, are errors that say what would help.
Result<Normalized> normalize(const ComparedMachine &machine, const CommonGround &ground);

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_ARCH_NORMALIZE_H
