// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- NumberRange.cpp - what a number given by a user may be -------------===//

#include "runtime/support/NumberRange.h"

#include "runtime/support/Text.h"

#include <cmath>

namespace sparsam::runtime {

bool NumberRange::contains(double value) const {
  if (!std::isfinite(value) || value < least || value > most)
    return false;
  return !(excludesLeast && value == least) && !(isWhole && value != std::floor(value));
}

std::string NumberRange::text() const {
  const bool isBounded = std::isfinite(most);
  if (isWhole && isBounded)
    return "a whole number from " + formatReal(least) + " to " + formatReal(most);
  std::string text = isWhole         ? "a whole number of at least "
                     : excludesLeast ? "above "
                                     : "at least ";
  text += formatReal(least);
  return isBounded ? text + " and at most " + formatReal(most) : text;
}

Status NumberRange::check(std::string_view what, double value) const {
  if (contains(value))
    return Status();
  return makeError(what, " must be ", text(), ", got ", formatReal(value));
}

} // namespace sparsam::runtime
