// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Pe.h - the arithmetic of one PE and of a merge ---------------------===//
//
// The stages of an inner PE are those of the released RTL, bit by bit [R1 PE.scala, PEArray.v].
// What the RTL does at the left edge, with masked keys, in the inverse module and in the weights of
// a merge is wrong or missing (see the target's README); there the intended forms stand.
//
// Formats: q, k, v 9 bits signed, 4 fraction; scores, sums and outputs 18 bits, 8 fraction, they
// wrap; probabilities 9 bits, 7 fraction; exponents 5 bits signed.
//
#ifndef SPARSAM_TARGETS_SALO_MODEL_PE_H
#define SPARSAM_TARGETS_SALO_MODEL_PE_H

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

namespace sparsam::salo::pe {

constexpr int kWordFraction = 4, kSumFraction = 8;
constexpr int32_t kWordMax = 255, kWordMin = -256;
constexpr int kSumBits = 18, kProbabilityBits = 9, kProbabilityFraction = 7, kExponentBits = 5;
/// The exponent of an empty sum and of a masked PE: the smallest there is.
constexpr int32_t kLowestExponent = -16;
/// 2^x in four pieces: slopes with 4 fraction bits, values at the left ends with 8.
constexpr std::array<int32_t, 4> kSlope = {12, 14, 17, 20}, kIntercept = {255, 246, 225, 185};

/// The low `bits` bits of x, signed.
constexpr int32_t wrap(int64_t x, int bits) {
  const uint64_t mask = (uint64_t(1) << bits) - 1, sign = uint64_t(1) << (bits - 1);
  return int32_t(int64_t((uint64_t(x) & mask) ^ sign) - int64_t(sign));
}

/// A real number as a 9-bit word; rounds to even, saturates.
inline int32_t toWord(float x) {
  const float scaled = std::nearbyint(x * float(1 << kWordFraction));
  return int32_t(std::min(std::max(scaled, float(kWordMin)), float(kWordMax)));
}

/// A sum with its exponent: value / 256 * 2^exponent.
struct Sum {
  int32_t value = 0, exponent = kLowestExponent;
};

/// Stage 0: one product of the score.
constexpr int32_t accumulate(int32_t score, int32_t q, int32_t k) {
  return wrap(int64_t(score) + q * k, kSumBits);
}

/// Stage 1: 2^(score / 2^shift), by a line on each quarter of [0, 1).
constexpr Sum exponential(int32_t score, int scaleShift) {
  const int32_t exponent = wrap((score >> (kSumFraction + scaleShift)) & 31, kExponentBits);
  const int32_t fraction = (score >> scaleShift) & 255, piece = fraction >> 6;
  return {kIntercept[size_t(piece)] + ((kSlope[size_t(piece)] * fraction) >> 4), exponent};
}

/// Stage 2: adds `own` to the sum from the left. `own` is brought to the exponent of the result.
constexpr Sum addToLeft(Sum left, Sum &own) {
  Sum result;
  if (own.exponent < left.exponent) {
    own.value >>= left.exponent - own.exponent;
    result = {wrap(int64_t(left.value) + own.value, kSumBits), left.exponent};
  } else {
    const int32_t aligned = left.value >> (own.exponent - left.exponent);
    result = {wrap(int64_t(aligned) + own.value, kSumBits), own.exponent};
  }
  own.exponent = result.exponent;
  return result;
}

/// What the row's inverse module broadcasts, intended: 1 / sum with 7 fraction bits, at most 255.
/// An empty row has nothing to scale.
constexpr int32_t inverse(int32_t sum) {
  constexpr int32_t kMost = 255;
  return sum <= 0 ? kMost : std::min(kMost, (1 << (kSumFraction + kProbabilityFraction)) / sum);
}

/// Stage 3: the probability of a PE whose sum has been aligned to the PEs on its left.
constexpr int32_t probability(Sum own, int32_t inverse, int32_t rowExponent) {
  const int32_t product = ((own.value >> 1) & 255) * inverse;
  return wrap((product >> ((rowExponent - own.exponent) & 31)) >> kProbabilityFraction,
              kProbabilityBits);
}

/// Stage 4: one dimension of the output.
constexpr int32_t mix(int32_t left, int32_t probability, int32_t v) {
  return wrap(int64_t(left) + ((probability * v) >> 3), kSumBits);
}

/// The weight of the running output, of 256, when `tile` joins `running`, intended; `running`
/// becomes the sum of both. Sums of rows do not wrap: a row may see every key.
constexpr int32_t mergeWeight(Sum &running, Sum tile) {
  const int32_t exponent = std::max(running.exponent, tile.exponent);
  const int32_t before = running.value >> (exponent - running.exponent);
  const int32_t added = tile.value >> (exponent - tile.exponent);
  running = {before + added, exponent};
  return running.value == 0 ? 256 : int32_t((int64_t(before) << 8) / running.value);
}

/// One dimension of the merged output.
constexpr int32_t mergeOutput(int32_t weight, int32_t running, int32_t tile) {
  return (weight * running + (256 - weight) * tile) >> 8;
}

} // namespace sparsam::salo::pe

#endif // SPARSAM_TARGETS_SALO_MODEL_PE_H
