// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- NumberRange.h - what a number given by a user may be ---------------===//
#ifndef SPARSAM_RUNTIME_SUPPORT_NUMBERRANGE_H
#define SPARSAM_RUNTIME_SUPPORT_NUMBERRANGE_H

#include "runtime/support/Result.h"

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace sparsam::runtime {

/// A range of numbers. NaN and infinities lie in none.
struct NumberRange {
  double least = 0;
  double most = std::numeric_limits<double>::infinity(); ///< infinity: no bound
  bool excludesLeast = false;
  bool isWhole = false;

  /// Above 0.
  static constexpr NumberRange positive() { return {.excludesLeast = true}; }
  /// Above 0 and at most 1.
  static constexpr NumberRange fraction() { return {.most = 1, .excludesLeast = true}; }
  /// A count that can be computed with in 64 bits and in doubles.
  static constexpr NumberRange whole(int64_t least = 1, int64_t most = int64_t(1) << 24) {
    return {.least = double(least), .most = double(most), .isWhole = true};
  }

  bool contains(double value) const;
  /// What comes behind "must be": "a whole number from 1 to 8", "above 0 and at most 1".
  std::string text() const;
  /// "--heads must be above 0, got -1" for `what` = "--heads".
  Status check(std::string_view what, double value) const;
};

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_SUPPORT_NUMBERRANGE_H
