// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- NmCodec.h - N:M masks and their compressed form --------------------===//
//
// In plain C++: the folder of sattn.nm_compress, the reference interpreter, the pruning pass and
// `sparsam encode` share it.
//
#ifndef SPARSAM_DIALECTS_SATTN_NMCODEC_H
#define SPARSAM_DIALECTS_SATTN_NMCODEC_H

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace sparsam::sattn {

/// Longest group.
inline constexpr int64_t kMaxNmGroup = 16;

/// Each output keeps `n` of every `m` consecutive inputs, in words of `bits` bits. Words of 8 and
/// 16 bits are fixed point with `fraction` fraction bits; words of 32 bits are floats.
struct NmFormat {
  int64_t n = 2, m = 8;
  int64_t bits = 16;
  int64_t fraction = 0;

  /// N == M keeps everything, so there are no bitmaps.
  bool isDense() const { return n == m; }
};

/// Why `format` is impossible, or empty.
std::string checkFormat(const NmFormat &format);
/// Why weights with so many inputs per output cannot be compressed, or empty.
std::string checkInputs(const NmFormat &format, int64_t inputs);

/// Bytes of a weight matrix: n words and a bitmap of m bits per group; no bitmap where n == m.
int64_t compressedBytes(const NmFormat &format, int64_t outputs, int64_t inputs);
/// Bytes of the same matrix in words of the same width, all of them kept.
int64_t denseBytes(const NmFormat &format, int64_t outputs, int64_t inputs);

/// The most fraction bits, from 0 to 31, with which `bits` signed bits hold `magnitude`; nothing
/// below 0: what does not fit saturates.
int64_t widestFraction(int64_t bits, double magnitude);
/// `value` as a signed word: rounded half away from zero, saturated.
int64_t toWord(float value, int64_t bits, int64_t fraction);
float fromWord(int64_t word, int64_t fraction);

/// Which of m weights are kept: bit i, counted from the least significant, for position i. The n
/// largest magnitudes; of equal ones the lower position.
uint32_t keptPositions(const NmFormat &format, const float *group);

/// Compressed weights. `values` holds the kept weights, positions ascending, [outputs][inputs / m *
/// n]; `bitmaps` one number per group, [outputs][inputs / m], and nothing where n == m.
struct NmCompressed {
  std::vector<float> values;
  std::vector<uint16_t> bitmaps;
};

/// Compresses a matrix that `weight(output, input)` reads one by one.
template <typename Read>
NmCompressed compress(const NmFormat &format, int64_t outputs, int64_t inputs, Read weight) {
  NmCompressed result;
  result.values.reserve(size_t(outputs * (inputs / format.m) * format.n));
  std::array<float, kMaxNmGroup> group;
  for (int64_t output = 0; output < outputs; ++output)
    for (int64_t first = 0; first < inputs; first += format.m) {
      for (int64_t i = 0; i < format.m; ++i)
        group[size_t(i)] = weight(output, first + i);
      const uint32_t kept = keptPositions(format, group.data());
      for (int64_t i = 0; i < format.m; ++i)
        if (kept >> i & 1)
          result.values.push_back(group[size_t(i)]);
      if (!format.isDense())
        result.bitmaps.push_back(uint16_t(kept));
    }
  return result;
}

/// Calls keep(output, input, index into the values) for every kept weight, in the order of the
/// values.
template <typename Keep>
void forEachKept(const NmFormat &format, int64_t outputs, int64_t inputs, const uint16_t *bitmaps,
                 Keep keep) {
  const int64_t groups = inputs / format.m;
  const uint32_t all = (uint32_t(1) << format.m) - 1;
  int64_t index = 0;
  for (int64_t output = 0; output < outputs; ++output)
    for (int64_t group = 0; group < groups; ++group) {
      const uint32_t kept = format.isDense() ? all : bitmaps[output * groups + group];
      for (int64_t i = 0; i < format.m; ++i)
        if (kept >> i & 1)
          keep(output, group * format.m + i, index++);
    }
}

} // namespace sparsam::sattn

#endif // SPARSAM_DIALECTS_SATTN_NMCODEC_H
