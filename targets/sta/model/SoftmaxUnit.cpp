// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SoftmaxUnit.cpp - softmax by table, Taylor expansion and division --===//

#include "targets/sta/model/SoftmaxUnit.h"

#include "targets/sta/model/FixedPoint.h"

#include <bit>

namespace sparsam::sta {

static constexpr int64_t kHidden = std::numeric_limits<int64_t>::min();
static constexpr int32_t kHidingMask = std::numeric_limits<int32_t>::min();

SoftmaxUnit::SoftmaxUnit(const SoftmaxFormat &format)
    : format_(format), table_(size_t(format.entries)) {
  stepBits_ = std::bit_width(uint64_t(format.entries)) - std::bit_width(uint64_t(format.range));
  for (size_t i = 0; i < table_.size(); ++i) {
    const double x = double(i) * std::ldexp(1.0, -stepBits_) - double(format.range);
    table_[i] = uint32_t(std::llround(std::ldexp(std::exp(x), format.levels)));
  }
}

uint32_t SoftmaxUnit::exponential(int64_t x, int fraction) const {
  if (x >= 0)
    return uint32_t(1) << format_.levels;
  if (x < -(int64_t(format_.range) << fraction))
    return 0;
  const int shift = fraction - stepBits_; // bits of the part below the table's step
  const int64_t hi = shift >= 0 ? x >> shift : x << -shift;
  const int64_t lo = shift > 0 ? x & ((int64_t(1) << shift) - 1) : 0;
  const uint64_t entry = table_[size_t(hi + format_.entries)];
  return uint32_t(entry * ((uint64_t(1) << fraction) + uint64_t(lo)) >> fraction);
}

bool SoftmaxUnit::run(std::span<int16_t> row, std::span<const int32_t> mask, int64_t visible,
                      int fraction, int outFraction) {
  sums_.assign(row.size(), kHidden);
  int64_t largest = kHidden;
  for (size_t j = 0; j < row.size() && int64_t(j) < visible; ++j) {
    if (!mask.empty() && mask[j] == kHidingMask)
      continue;
    sums_[j] = int64_t(row[j]) + (mask.empty() ? 0 : mask[j]);
    largest = std::max(largest, sums_[j]);
  }
  if (largest == kHidden) {
    std::fill(row.begin(), row.end(), int16_t(0));
    return false;
  }
  if (!format_.subtractsMax)
    largest = 0;
  return format_.isExact ? runExact(row, largest, fraction, outFraction)
                         : runTable(row, largest, fraction, outFraction);
}

bool SoftmaxUnit::runTable(std::span<int16_t> row, int64_t largest, int fraction, int outFraction) {
  exponentials_.assign(row.size(), 0);
  uint64_t sum = 0;
  for (size_t j = 0; j < row.size(); ++j)
    if (sums_[j] != kHidden)
      sum += exponentials_[j] = exponential(sums_[j] - largest, fraction);
  const uint64_t most = (uint64_t(1) << format_.levels) - 1;
  for (size_t j = 0; j < row.size(); ++j) {
    // Without the largest score subtracted all exponentials may be 0.
    const uint64_t quotient = sum ? (uint64_t(exponentials_[j]) << format_.levels) / sum : 0;
    row[j] = saturate16(int64_t(std::min(quotient, most)) >> (format_.levels - outFraction));
  }
  return true;
}

bool SoftmaxUnit::runExact(std::span<int16_t> row, int64_t largest, int fraction, int outFraction) {
  auto exponentialOf = [&](size_t j) {
    return sums_[j] == kHidden ? 0 : std::exp(std::ldexp(double(sums_[j] - largest), -fraction));
  };
  double sum = 0;
  for (size_t j = 0; j < row.size(); ++j)
    sum += exponentialOf(j);
  for (size_t j = 0; j < row.size(); ++j)
    row[j] = int16_t(toWord(float(exponentialOf(j) / sum), outFraction, 16));
  return true;
}

bool SoftmaxUnit::run(std::span<float> row, std::span<const float> mask, int64_t visible) {
  float largest = -std::numeric_limits<float>::infinity();
  for (size_t j = 0; j < row.size(); ++j) {
    row[j] = int64_t(j) < visible ? row[j] + (mask.empty() ? 0 : mask[j])
                                  : -std::numeric_limits<float>::infinity();
    largest = std::max(largest, row[j]);
  }
  if (std::isinf(largest)) {
    std::fill(row.begin(), row.end(), 0.0f);
    return false;
  }
  double sum = 0;
  for (float &score : row)
    sum += score = std::exp(score - largest);
  const float inverse = float(1 / sum);
  for (float &score : row)
    score *= inverse;
  return true;
}

} // namespace sparsam::sta
