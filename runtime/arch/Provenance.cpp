// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Provenance.cpp - what a figure rests on ----------------------------===//

#include "runtime/arch/Provenance.h"

#include <algorithm>
#include <cctype>

namespace sparsam::runtime {

std::string sourceLegend() {
  return "P published, R authors' repository, S survey, M recalled, D derived, U given by you, A "
         "assumed";
}

static char weaker(char a, char b) {
  return kSourceLetters.find(a) < kSourceLetters.find(b) ? b : a;
}

char weakestLetter(std::string_view source) {
  auto isWordPart = [&](size_t i) {
    return i < source.size() &&
           (std::isalnum(static_cast<unsigned char>(source[i])) || source[i] == '_');
  };
  char weakest = 0;
  for (size_t i = 0; i < source.size(); ++i) {
    const bool startsWord =
        i == 0 || (!isWordPart(i - 1) && source[i - 1] != '-' && source[i - 1] != '.');
    if (!startsWord || kSourceLetters.find(source[i]) == source.npos)
      continue;
    size_t end = i + 1; // R1 and R2 are two repositories
    while (end < source.size() && std::isdigit(static_cast<unsigned char>(source[end])))
      ++end;
    if (isWordPart(end))
      continue;
    weakest = weakest ? weaker(weakest, source[i]) : source[i];
  }
  return weakest ? weakest : 'A';
}

char letterOf(const ComparedMachine &machine, const ParamInfo &param) {
  if (machine.given.count(param.name))
    return 'U';
  const char declared = weakestLetter(param.source);
  return machine.normalized.count(param.name) ? weaker('D', declared) : declared;
}

Provenance provenanceOf(const ComparedMachine &machine, const std::string &figure) {
  const ArchSpec &spec = machine.arch.spec();
  std::set<std::string> names;
  if (figure == "area")
    names = {kAreaParameter};
  else
    names = machine.rules.parametersOf(figure == "seconds" ? "cycles" : figure, spec);
  if (figure == "seconds")
    names.insert(Arch::kClockParameter);
  Provenance result;
  for (const ParamInfo &param : spec.params()) {
    if (!names.count(param.name))
      continue;
    const char letter = letterOf(machine, param);
    result.weakest = weaker(result.weakest, letter);
    result.parameters[letter].push_back(param.name);
  }
  return result;
}

} // namespace sparsam::runtime
