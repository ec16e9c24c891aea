// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- FixedPoint.h - words with a power-of-two scale ---------------------===//
#ifndef SPARSAM_TARGETS_STA_MODEL_FIXEDPOINT_H
#define SPARSAM_TARGETS_STA_MODEL_FIXEDPOINT_H

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace sparsam::sta {

inline int32_t saturate32(int64_t value) {
  return int32_t(std::clamp<int64_t>(value, std::numeric_limits<int32_t>::min(),
                                     std::numeric_limits<int32_t>::max()));
}
inline int16_t saturate16(int64_t value) {
  return int16_t(std::clamp<int64_t>(value, std::numeric_limits<int16_t>::min(),
                                     std::numeric_limits<int16_t>::max()));
}

/// value / 2^shift, rounded half away from zero; a negative shift multiplies, and saturates.
inline int64_t roundShift(int64_t value, int shift) {
  if (shift == 0)
    return value;
  if (shift < 0) {
    const int64_t limit = shift <= -63 ? 0 : std::numeric_limits<int64_t>::max() >> -shift;
    if (value > limit)
      return std::numeric_limits<int64_t>::max();
    if (value < -limit)
      return -std::numeric_limits<int64_t>::max();
    return shift <= -63 ? 0 : value << -shift;
  }
  if (shift > 62)
    return 0;
  const int64_t half = int64_t(1) << (shift - 1);
  return value >= 0 ? (value + half) >> shift : -((-value + half) >> shift);
}

/// A float as a signed word of `bits` bits: rounded half away from zero, saturated; NaN is 0.
inline int64_t toWord(float value, int fraction, int bits) {
  const double largest = std::ldexp(1.0, bits - 1) - 1;
  const double scaled = std::round(std::ldexp(double(value), fraction));
  return std::isnan(scaled) ? 0 : int64_t(std::clamp(scaled, -largest - 1, largest));
}
inline float toFloat(int64_t word, int fraction) {
  return float(std::ldexp(double(word), -fraction));
}

} // namespace sparsam::sta

#endif // SPARSAM_TARGETS_STA_MODEL_FIXEDPOINT_H
