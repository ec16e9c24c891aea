// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SoftmaxUnit.h - softmax by table, Taylor expansion and division ----===//
#ifndef SPARSAM_TARGETS_STA_MODEL_SOFTMAXUNIT_H
#define SPARSAM_TARGETS_STA_MODEL_SOFTMAXUNIT_H

#include "targets/sta/model/Params.h"

#include <cstdint>
#include <span>
#include <vector>

namespace sparsam::sta {

/// e^x = table[hi(x)] (1 + lo(x)) with hi a multiple of the table's step; the sum is exact, the
/// division truncates. [P section V-D]
class SoftmaxUnit {
public:
  explicit SoftmaxUnit(const SoftmaxFormat &format);

  /// e^x of `x` <= 0 with `fraction` fraction bits, with `levels` fraction bits.
  uint32_t exponential(int64_t x, int fraction) const;

  /// Replaces scores of `fraction` fraction bits by probabilities of `outFraction`. `mask` is
  /// added, 32-bit words with the scores' fraction bits, and hides a score where it is the lowest
  /// word; it may be empty. Only the first `visible` scores take part. A row in which every score
  /// is hidden becomes zeros; returns false then.
  bool run(std::span<int16_t> row, std::span<const int32_t> mask, int64_t visible, int fraction,
           int outFraction);
  /// The same in float, with exact exponentials; -infinity hides.
  static bool run(std::span<float> row, std::span<const float> mask, int64_t visible);

private:
  bool runExact(std::span<int16_t> row, int64_t largest, int fraction, int outFraction);
  bool runTable(std::span<int16_t> row, int64_t largest, int fraction, int outFraction);

  SoftmaxFormat format_;
  int stepBits_ = 0;            ///< the table's step is 2^-stepBits_
  std::vector<uint32_t> table_; ///< e^(-range + i * step)
  std::vector<int64_t> sums_;   ///< score + mask; hidden ones are kHidden
  std::vector<uint32_t> exponentials_;
};

} // namespace sparsam::sta

#endif // SPARSAM_TARGETS_STA_MODEL_SOFTMAXUNIT_H
