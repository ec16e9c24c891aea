// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ExpUnit.cpp - the exponential of the PEs, bit by bit ---------------===//

#include "targets/sanger/model/ExpUnit.h"

#include <cmath>

namespace sparsam::sanger {

ExpUnit::ExpUnit(int width, int fraction, bool isSigned, bool isSaturating)
    : width_(width), fraction_(fraction + kAppendedBits), isSigned_(isSigned),
      isSaturating_(isSaturating), largest_((int64_t(1) << (isSigned ? width - 1 : width)) - 1) {
  for (int i = 0; i < 1 << kLutBits; ++i) {
    double edge = double(i) / (1 << kLutBits);
    table_[size_t(i)] =
        int64_t(std::floor((std::exp2(edge) - edge) * std::ldexp(1.0, fraction_) + 0.5));
  }
}

int64_t ExpUnit::operator()(int64_t word, bool *isOverflow) const {
  const uint64_t mask = (uint64_t(1) << width_) - 1;
  int64_t x = int64_t(uint64_t(word) & mask);
  if (isSigned_ && x >> (width_ - 1) & 1)
    x -= int64_t(1) << width_;
  int64_t y = 16 * x + 8 * x - x; // 23 x
  if (!isSigned_)
    y &= (int64_t(1) << (width_ + kAppendedBits)) - 1;
  int64_t u = y >> fraction_;
  int64_t v = y & ((int64_t(1) << fraction_) - 1);
  int64_t mantissa = v + table_[size_t(v >> (fraction_ - kLutBits))];
  int64_t shift = u - kAppendedBits;
  if (shift < -62)
    return 0;
  // A mantissa has at most fraction_ + 2 bits, a word at most 40: a shift that could leave 63 bits
  // overflows anyway.
  bool isHuge = shift > 60 - fraction_;
  int64_t result = shift <= 0 ? mantissa >> -shift : isHuge ? 0 : mantissa << shift;
  const bool overflows = isHuge || result > largest_;
  if (isOverflow && overflows)
    *isOverflow = true;
  if (isSaturating_)
    return overflows ? largest_ : result;
  return isHuge && shift < 64 ? int64_t(uint64_t(mantissa) << shift & mask)
                              : int64_t(uint64_t(result) & mask);
}

} // namespace sparsam::sanger
