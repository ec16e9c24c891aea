// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- NmCodecTest.cpp - the worked examples of N:M compression -----------===//

#include "sattn/NmCodec.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

using namespace sparsam::sattn;

namespace {

NmCompressed compressRow(const NmFormat &format, const std::vector<float> &row) {
  return compress(format, 1, int64_t(row.size()),
                  [&](int64_t, int64_t i) { return row[size_t(i)]; });
}

const std::vector<float> kRow = {3, -1, 0, 5, 2, -4, 1, 0};

TEST(NmCodec, KeepsTheLargestMagnitudes) {
  // 2:8 keeps positions 3 and 5, bits 0x08 + 0x20; 1:8 keeps position 3.
  NmCompressed two = compressRow({2, 8}, kRow), one = compressRow({1, 8}, kRow);
  EXPECT_EQ(two.bitmaps, std::vector<uint16_t>{0x28});
  EXPECT_EQ(two.values, (std::vector<float>{5, -4}));
  EXPECT_EQ(one.bitmaps, std::vector<uint16_t>{0x08});
  EXPECT_EQ(one.values, std::vector<float>{5});
}

TEST(NmCodec, GroupsOfFour) {
  // [3, -1, 0, 5] keeps 0 and 3: 0x9; [2, -4, 1, 0] keeps 0 and 1: 0x3.
  NmCompressed result = compressRow({2, 4}, kRow);
  EXPECT_EQ(result.bitmaps, (std::vector<uint16_t>{0x9, 0x3}));
  EXPECT_EQ(result.values, (std::vector<float>{3, 5, 2, -4}));
}

TEST(NmCodec, LowerPositionWinsATie) {
  const std::vector<float> row = {0, 7, -7, 1, 0, 0, 2, 3};
  EXPECT_EQ(compressRow({1, 8}, row).bitmaps, std::vector<uint16_t>{0x02});
  NmCompressed two = compressRow({2, 8}, row);
  EXPECT_EQ(two.bitmaps, std::vector<uint16_t>{0x06});
  EXPECT_EQ(two.values, (std::vector<float>{7, -7}));
}

TEST(NmCodec, AGroupOfZerosHasItsSlots) {
  NmCompressed result = compressRow({2, 8}, std::vector<float>(8, 0.0f));
  EXPECT_EQ(result.bitmaps, std::vector<uint16_t>{0x03});
  EXPECT_EQ(result.values, (std::vector<float>{0, 0}));
}

TEST(NmCodec, KeepingAllNeedsNoBitmap) {
  NmCompressed result = compressRow({8, 8}, kRow);
  EXPECT_TRUE(result.bitmaps.empty());
  EXPECT_EQ(result.values, kRow);
}

TEST(NmCodec, BytesAreThoseOfWordsAndBitmaps) {
  // 8 rows of 64 inputs at 1:8: 8 * 8 groups of 16 + 8 bits = 192 bytes; dense 8 * 64 * 2 = 1024.
  EXPECT_EQ(compressedBytes({1, 8, 16}, 8, 64), 192);
  EXPECT_EQ(denseBytes({1, 8, 16}, 8, 64), 1024);
  EXPECT_EQ(compressedBytes({8, 8, 16}, 8, 64), 1024);
}

TEST(NmCodec, CompressionRatios) {
  // CR = M b / (N b + M), for b = 16 and b = 8.
  struct Row {
    int64_t n, m;
    double at16, at8;
  };
  for (Row row : {Row{2, 4, 1.778, 1.6},
                  {1, 4, 3.2, 2.667},
                  {4, 8, 1.778, 1.6},
                  {2, 8, 3.2, 2.667},
                  {1, 8, 5.333, 4},
                  {1, 16, 8, 5.333},
                  {2, 16, 5.333, 4}})
    for (auto [bits, expected] : {std::pair(int64_t(16), row.at16), {int64_t(8), row.at8}}) {
      NmFormat format{row.n, row.m, bits};
      double ratio = double(denseBytes(format, 16, 64)) / double(compressedBytes(format, 16, 64));
      EXPECT_NEAR(ratio, expected, 1e-3 * expected) << row.n << ":" << row.m;
    }
}

TEST(NmCodec, WordsRoundHalfAwayAndSaturate) {
  EXPECT_EQ(toWord(0.5f, 16, 0), 1);
  EXPECT_EQ(toWord(-0.5f, 16, 0), -1);
  EXPECT_EQ(toWord(2.5f, 8, 1), 5);
  EXPECT_EQ(toWord(1e6f, 16, 0), 32767);
  EXPECT_EQ(toWord(-1e6f, 8, 0), -128);
  EXPECT_EQ(fromWord(toWord(-0.75f, 16, 12), 12), -0.75f);
}

TEST(NmCodec, WidestFractionHoldsTheMagnitude) {
  EXPECT_EQ(widestFraction(16, 1.0), 14); // 1.0 * 2^15 = 32768 is one too many
  EXPECT_EQ(widestFraction(16, 0.99), 15);
  EXPECT_EQ(widestFraction(8, 127), 0);
  EXPECT_EQ(widestFraction(16, 1e9), 0);
  EXPECT_EQ(widestFraction(16, 0), 31);
}

TEST(NmCodec, RefusesWhatCannotBe) {
  EXPECT_EQ(checkFormat({3, 2}), "expects n from 1 to m = 2 kept weights per group, got 3");
  EXPECT_EQ(checkFormat({0, 8}), "expects n from 1 to m = 8 kept weights per group, got 0");
  EXPECT_EQ(checkFormat({1, 6}), "expects groups of m = 2, 4, 8 or 16 weights, got 6");
  EXPECT_EQ(checkFormat({1, 8, 12}), "expects words of 8, 16 or 32 bits, got 12");
  EXPECT_EQ(checkFormat({1, 8, 16, 32}), "expects from 0 to 31 fraction bits, got 32");
  EXPECT_EQ(checkFormat({1, 8, 16, 31}), "");
  EXPECT_EQ(checkInputs({2, 8}, 12),
            "has 12 inputs per output, which is no multiple of m = 8, the weights of one group");
  EXPECT_EQ(checkInputs({2, 8}, 16), "");
}

TEST(NmCodec, KeptWeightsComeBackAtTheirPlaces) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  for (int64_t m : {2, 4, 8, 16})
    for (int64_t n = 1; n <= m; ++n) {
      const int64_t outputs = 5, inputs = 32;
      std::vector<float> weights(size_t(outputs * inputs));
      for (float &weight : weights)
        weight = normal(random);
      NmFormat format{n, m};
      NmCompressed result = compress(format, outputs, inputs, [&](int64_t o, int64_t i) {
        return weights[size_t(o * inputs + i)];
      });
      int64_t kept = 0;
      forEachKept(format, outputs, inputs, result.bitmaps.data(),
                  [&](int64_t o, int64_t i, int64_t index) {
                    EXPECT_EQ(result.values[size_t(index)], weights[size_t(o * inputs + i)]);
                    ++kept;
                  });
      EXPECT_EQ(kept, outputs * inputs / m * n);
    }
}

} // namespace
