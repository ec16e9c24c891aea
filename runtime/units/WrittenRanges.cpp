// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- WrittenRanges.cpp - where a program has written --------------------===//

#include "runtime/units/WrittenRanges.h"

#include <algorithm>

namespace sparsam::runtime {

bool WrittenRanges::touchesAny(const Range &range) const {
  return std::any_of(ranges_.begin(), ranges_.end(), [&](const Range &other) {
    return other.first < range.second && range.first < other.second;
  });
}

void WrittenRanges::insert(Range added) {
  std::erase_if(ranges_, [&](const Range &other) {
    const bool reaches = other.first <= added.second && added.first <= other.second;
    if (reaches)
      added = {std::min(added.first, other.first), std::max(added.second, other.second)};
    return reaches;
  });
  ranges_.push_back(added);
  if (added.second - added.first > largest_.second - largest_.first)
    largest_ = added;
}

} // namespace sparsam::runtime
