// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ExpUnit.h - the exponential of the PEs, bit by bit -----------------===//
#ifndef SPARSAM_TARGETS_SANGER_MODEL_EXPUNIT_H
#define SPARSAM_TARGETS_SANGER_MODEL_EXPUNIT_H

#include <array>
#include <cstddef>
#include <cstdint>

namespace sparsam::sanger {

/// x * 23 / 16 for x * log2 e, then 2^v from the left edges of 64 segments. [R exp_unit.scala]
class ExpUnit {
public:
  /// A word of `width` bits, `fraction` of them behind the point. `isSigned`: take the input as a
  /// signed number and shift right for negative powers; the released RTL does not. `isSaturating`:
  /// an overflow gives the largest word; the released RTL wraps.
  ExpUnit(int width, int fraction, bool isSigned, bool isSaturating);

  /// exp of the low `width` bits of `word`. `isOverflow`, if not null, becomes true if the word
  /// cannot hold it.
  int64_t operator()(int64_t word, bool *isOverflow = nullptr) const;
  int64_t tableEntry(int i) const { return table_[size_t(i)]; }

  static constexpr int kLutBits = 6, kAppendedBits = 4;

private:
  int width_, fraction_;
  bool isSigned_, isSaturating_;
  int64_t largest_;
  std::array<int64_t, 1 << kLutBits> table_;
};

} // namespace sparsam::sanger

#endif // SPARSAM_TARGETS_SANGER_MODEL_EXPUNIT_H
