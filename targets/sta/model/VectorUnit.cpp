// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- VectorUnit.cpp - bias, function, residual, normalisation -----------===//

#include "targets/sta/model/VectorUnit.h"

#include "targets/sta/model/FixedPoint.h"

#include <bit>

namespace sparsam::sta {

/// The table of GELU covers [-8, 8): below it is 0, above it is its argument.
static constexpr int kGeluRange = 8;
/// Fraction bits of a normalised value.
static constexpr int kNormFraction = 14;
/// Fraction bits that means and differences carry beyond those of the words.
static constexpr int kMeanGuard = 8;

static double exactGelu(double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); }
static double exactGeluTanh(double x) {
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}

VectorUnit::VectorUnit(const VectorParams &params) : params_(params) {
  for (int64_t i = 0; i <= params.geluEntries; ++i) {
    const double x = double(i) * 2 * kGeluRange / double(params.geluEntries) - kGeluRange;
    gelu_.push_back(int32_t(toWord(float(exactGelu(x)), kGeluFraction, 32)));
    geluTanh_.push_back(int32_t(toWord(float(exactGeluTanh(x)), kGeluFraction, 32)));
  }
  for (int i = 0; i < 128; ++i)
    roots_.push_back(int32_t(std::lround(32768 / std::sqrt((i + 0.5) / 32))));
}

int64_t VectorUnit::gelu(int64_t x, bool isTanh) const {
  constexpr int64_t range = int64_t(kGeluRange) << kGeluFraction;
  if (x >= range)
    return x;
  if (x < -range)
    return 0;
  // 2 range / entries arguments share an entry; in between, a straight line.
  const int shift = kGeluFraction + std::bit_width(unsigned(2 * kGeluRange)) -
                    std::bit_width(uint64_t(params_.geluEntries));
  const std::vector<int32_t> &table = isTanh ? geluTanh_ : gelu_;
  const int64_t offset = x + range, rest = offset & ((int64_t(1) << shift) - 1);
  const size_t entry = size_t(offset >> shift);
  return table[entry] + ((int64_t(table[entry + 1]) - table[entry]) * rest >> shift);
}

int64_t VectorUnit::toLane(int64_t value, int fraction, int result) const {
  return saturate32(roundShift(value, fraction - lane(result)));
}

int16_t VectorUnit::output(int64_t sum, const int32_t *bias, const int16_t *residual,
                           const OutputFormat &format) const {
  int64_t value = saturate32(sum);
  if (bias)
    value = saturate32(value + *bias);
  int64_t out;
  switch (format.function) {
  case insn::Function::None:
    out = toLane(value, format.accumulator, format.result);
    break;
  case insn::Function::Relu:
    out = toLane(std::max<int64_t>(value, 0), format.accumulator, format.result);
    break;
  case insn::Function::Gelu:
  case insn::Function::GeluTanh:
    value = saturate32(roundShift(value, format.accumulator - kGeluFraction));
    out = toLane(gelu(value, format.function == insn::Function::GeluTanh), kGeluFraction,
                 format.result);
    break;
  }
  if (residual)
    out = saturate32(out + toLane(*residual, format.residual, format.result));
  return saturate16(roundShift(out, params_.guardBits));
}

float VectorUnit::output(float sum, const float *bias, const float *residual,
                         insn::Function function) {
  float value = bias ? sum + *bias : sum;
  if (function == insn::Function::Relu)
    value = std::max(value, 0.0f);
  else if (function == insn::Function::Gelu)
    value = 0.5f * value * (1 + std::erf(value * float(M_SQRT1_2)));
  else if (function == insn::Function::GeluTanh)
    value = float(exactGeluTanh(value));
  return residual ? value + *residual : value;
}

//===-- Layer normalisation ------------------------------------------------===//

VectorUnit::ReciprocalRoot VectorUnit::reciprocalRoot(uint64_t value) const {
  // value = m 2^exponent with an even exponent and m in [1, 4), 30 fraction bits.
  const int exponent = (std::bit_width(value) - 1) & ~1;
  const uint64_t m = exponent <= 30 ? value << (30 - exponent) : value >> (exponent - 30);
  uint64_t y = uint64_t(roots_[size_t(m >> 25)]) << 15;
  for (int64_t i = 0; i < params_.rsqrtIterations; ++i) {
    const uint64_t square = y * y >> 30;
    y = y * ((uint64_t(3) << 30) - (m * square >> 30)) >> 31;
  }
  return {int64_t(y), exponent};
}

void VectorUnit::normalize(std::span<const int16_t> x, std::span<const int32_t> scale,
                           std::span<const int32_t> bias, const NormFormat &format,
                           std::span<int16_t> y) const {
  const auto size = int64_t(x.size());
  int64_t sum = 0;
  for (int16_t element : x)
    sum += element;
  sum <<= kMeanGuard;
  const int64_t mean = (2 * std::abs(sum) + size) / (2 * size) * (sum < 0 ? -1 : 1);
  unsigned __int128 squares = 0;
  for (int16_t element : x) {
    const int64_t difference = (int64_t(element) << kMeanGuard) - mean;
    squares += uint64_t(difference * difference);
  }
  const double epsilon =
      std::floor(std::ldexp(double(format.epsilon), 2 * (format.source + kMeanGuard)));
  const uint64_t variance = uint64_t(squares / unsigned(size)) + uint64_t(std::min(epsilon, 9e18));
  const ReciprocalRoot root = variance ? reciprocalRoot(variance) : ReciprocalRoot{0, 0};
  for (size_t i = 0; i < x.size(); ++i) {
    const int64_t difference = (int64_t(x[i]) << kMeanGuard) - mean;
    const int64_t z =
        saturate32(roundShift(difference * root.root, 30 + root.exponent / 2 - kNormFraction));
    int64_t out = toLane(z * scale[i], kNormFraction + format.scale, format.result);
    if (!bias.empty())
      out = saturate32(out + bias[i]);
    y[i] = saturate16(roundShift(out, params_.guardBits));
  }
}

void VectorUnit::normalize(std::span<const float> x, std::span<const float> scale,
                           std::span<const float> bias, float epsilon, std::span<float> y) {
  double sum = 0, squares = 0;
  for (float element : x)
    sum += element;
  const double mean = sum / double(x.size());
  for (float element : x)
    squares += (element - mean) * (element - mean);
  const double factor = 1 / std::sqrt(squares / double(x.size()) + double(epsilon));
  for (size_t i = 0; i < x.size(); ++i)
    y[i] = float((x[i] - mean) * factor) * scale[i] + (bias.empty() ? 0 : bias[i]);
}

} // namespace sparsam::sta
