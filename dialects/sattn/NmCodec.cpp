// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- NmCodec.cpp - N:M masks and their compressed form ------------------===//

#include "sattn/NmCodec.h"

#include <algorithm>
#include <cmath>
#include <sstream>

namespace sparsam::sattn {

/// Fraction bits of a word: 0 to this.
static constexpr int64_t kMaxFraction = 31;

std::string checkFormat(const NmFormat &format) {
  std::ostringstream text;
  if (format.m != 2 && format.m != 4 && format.m != 8 && format.m != 16)
    text << "expects groups of m = 2, 4, 8 or 16 weights, got " << format.m;
  else if (format.n < 1 || format.n > format.m)
    text << "expects n from 1 to m = " << format.m << " kept weights per group, got " << format.n;
  else if (format.bits != 8 && format.bits != 16 && format.bits != 32)
    text << "expects words of 8, 16 or 32 bits, got " << format.bits;
  else if (format.fraction < 0 || format.fraction > kMaxFraction)
    text << "expects from 0 to " << kMaxFraction << " fraction bits, got " << format.fraction;
  return text.str();
}

std::string checkInputs(const NmFormat &format, int64_t inputs) {
  if (inputs > 0 && inputs % format.m == 0)
    return {};
  std::ostringstream text;
  text << "has " << inputs << " inputs per output, which is no multiple of m = " << format.m
       << ", the weights of one group";
  return text.str();
}

int64_t compressedBytes(const NmFormat &format, int64_t outputs, int64_t inputs) {
  const int64_t groupBits = format.n * format.bits + (format.isDense() ? 0 : format.m);
  return (outputs * (inputs / format.m) * groupBits + 7) / 8;
}

int64_t denseBytes(const NmFormat &format, int64_t outputs, int64_t inputs) {
  return (outputs * inputs * format.bits + 7) / 8;
}

int64_t widestFraction(int64_t bits, double magnitude) {
  const double largest = std::ldexp(1.0, int(bits - 1)) - 1;
  int64_t fraction = kMaxFraction;
  while (fraction > 0 && magnitude * std::ldexp(1.0, int(fraction)) > largest)
    --fraction;
  return fraction;
}

int64_t toWord(float value, int64_t bits, int64_t fraction) {
  const double largest = std::ldexp(1.0, int(bits - 1)) - 1;
  const double scaled = std::round(std::ldexp(double(value), int(fraction))); // half away from zero
  return std::isnan(scaled) ? 0 : int64_t(std::clamp(scaled, -largest - 1, largest));
}

float fromWord(int64_t word, int64_t fraction) {
  return float(std::ldexp(double(word), -int(fraction)));
}

uint32_t keptPositions(const NmFormat &format, const float *group) {
  uint32_t kept = 0;
  for (int64_t i = 0; i < format.n; ++i) {
    int64_t best = -1;
    float magnitude = -1;
    for (int64_t position = 0; position < format.m; ++position) {
      if (kept >> position & 1)
        continue;
      // NaN counts as the smallest.
      const float candidate = std::isnan(group[position]) ? 0 : std::abs(group[position]);
      if (candidate > magnitude) {
        magnitude = candidate;
        best = position;
      }
    }
    kept |= uint32_t(1) << best;
  }
  return kept;
}

} // namespace sparsam::sattn
