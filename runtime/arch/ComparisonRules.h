// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ComparisonRules.h - what arch.yaml says about comparisons ----------===//
//
// The sections `figures` and `normalization` of an arch.yaml.
//
#ifndef SPARSAM_RUNTIME_ARCH_COMPARISONRULES_H
#define SPARSAM_RUNTIME_ARCH_COMPARISONRULES_H

#include "runtime/arch/Arch.h"

#include <set>

namespace sparsam::runtime {

/// How a machine is brought to the technology, the multipliers and the bandwidth of another: names
/// of parameters, empty where the machine has none. See Normalize.h for the rules.
struct Normalization {
  std::vector<std::string> multipliers; ///< their product times `arrays`: number of multipliers
  int64_t arrays = 1;
  std::vector<std::string> scaled; ///< grow with that number; one of `multipliers` among them
  std::string bandwidth;           ///< of the DRAM, in GB/s
  std::string technology;          ///< published node in nm, 0 if not published
  std::string area;                ///< published area in mm2, 0 if not published
  std::vector<std::string> energyPerEvent; ///< of one operation: scaled by the technology
  std::vector<std::string> energyPerCycle; ///< of a whole unit: by the number of multipliers too
  std::vector<std::string> power;          ///< in W: energy per cycle times clock
  std::string note;                        ///< what a reader must know beside the rules
};

struct ComparisonRules {
  std::map<std::string, std::set<std::string>> figures; ///< parameters by figure, as declared
  std::optional<Normalization> normalization;

  /// Reads the sections out of the text of an arch.yaml; `spec` is what ArchSpec::parse makes of
  /// it.
  static Result<ComparisonRules> parse(std::string_view yaml, const std::string &file,
                                       const ArchSpec &spec);

  /// The parameters that a figure ("cycles", "dram_bytes", "energy", "density", "error") rests on;
  /// all that are not informative where arch.yaml does not say.
  std::set<std::string> parametersOf(const std::string &figure, const ArchSpec &spec) const;
};

/// A machine that is compared.
struct ComparedMachine {
  Arch arch;
  ComparisonRules rules;
  std::set<std::string> given;      ///< parameters that the user gave
  std::set<std::string> normalized; ///< parameters that normalize() changed

  const std::string &name() const { return arch.spec().target(); }
};

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_ARCH_COMPARISONRULES_H
