// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Provenance.h - what a figure rests on ------------------------------===//
//
// Every parameter carries the letters of its source. A figure is as good as the weakest of the
// parameters that it rests on.
//
#ifndef SPARSAM_RUNTIME_ARCH_PROVENANCE_H
#define SPARSAM_RUNTIME_ARCH_PROVENANCE_H

#include "runtime/arch/ComparisonRules.h"

namespace sparsam::runtime {

/// From the strongest to the weakest: P published, R released by the authors, S survey, M recalled,
/// D derived, U given by the user, A assumed.
inline constexpr std::string_view kSourceLetters = "PRSMDUA";

/// The parameter with the published area, where a target declares it.
inline constexpr const char *kAreaParameter = "area_mm2";

/// "P published, R released by the authors, ...": the legend of `kSourceLetters`.
std::string sourceLegend();

/// The weakest letter that a source names: of "P section 4; R configs" it is R, of "D from P
/// Table 2; the split is A" it is A; A where it names none. A letter stands alone: the V-D of a
/// section is none.
char weakestLetter(std::string_view source);

/// The letter of a parameter as it is: U where the user gave its value, at best D where it was
/// normalized, else that of its source.
char letterOf(const ComparedMachine &machine, const ParamInfo &param);

/// What a figure rests on.
struct Provenance {
  char weakest = 'P';
  std::map<char, std::vector<std::string>> parameters; ///< names by letter
};

/// Of a figure of arch.yaml, or of "seconds": `cycles` and the clock; "area": `area_mm2`.
Provenance provenanceOf(const ComparedMachine &machine, const std::string &figure);

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_ARCH_PROVENANCE_H
