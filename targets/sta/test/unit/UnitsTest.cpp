// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- UnitsTest.cpp - softmax and vector unit ----------------------------===//

#include "targets/sta/model/FixedPoint.h"
#include "targets/sta/model/SoftmaxUnit.h"
#include "targets/sta/model/VectorUnit.h"

#include <gtest/gtest.h>

#include <random>

namespace sparsam::sta {
namespace {

TEST(FixedPoint, RoundsHalfAwayFromZero) {
  EXPECT_EQ(roundShift(5, 1), 3);
  EXPECT_EQ(roundShift(-5, 1), -3);
  EXPECT_EQ(roundShift(5, 0), 5);
  EXPECT_EQ(roundShift(5, -2), 20);
  EXPECT_EQ(roundShift(int64_t(1) << 40, -40), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(roundShift(1, 63), 0);
  EXPECT_EQ(toWord(2.5f, 0, 16), 3);
  EXPECT_EQ(toWord(-2.5f, 0, 16), -3);
  EXPECT_EQ(toWord(1e9f, 4, 16), 32767);
  EXPECT_EQ(toFloat(-3, 1), -1.5f);
}

TEST(Softmax, ExponentialIsTableTimesTaylor) {
  SoftmaxUnit unit{SoftmaxFormat()};
  // With 4 fraction bits every argument is an entry of the table.
  for (int x = -256; x < 0; ++x)
    EXPECT_EQ(unit.exponential(x, 4), uint32_t(std::llround(65536 * std::exp(x / 16.0))));
  EXPECT_EQ(unit.exponential(0, 12), 65536u);
  EXPECT_EQ(unit.exponential(-(17 << 12), 12), 0u);
  // -1/32 = -1/16 + 1/32: 61565 * (1 + 1/32) = 63488.9.
  EXPECT_EQ(unit.exponential(-(1 << 7), 12), 63488u);
  for (int x = -60000; x <= 0; x += 7)
    EXPECT_NEAR(unit.exponential(x, 12) / 65536.0, std::exp(x / 4096.0), 2.1e-3) << x;
}

TEST(Softmax, DivisionTruncates) {
  SoftmaxUnit unit{SoftmaxFormat()};
  std::vector<int16_t> row = {0, 0, 0};
  EXPECT_TRUE(unit.run(row, {}, 3, 8, 15));
  // A third in 16 bits: 21845; without the last bit 10922.
  EXPECT_EQ(row, (std::vector<int16_t>{10922, 10922, 10922}));
  std::vector<int16_t> one = {77};
  EXPECT_TRUE(unit.run(one, {}, 1, 8, 15));
  EXPECT_EQ(one[0], 32767);
}

TEST(Softmax, HiddenScoresTakeNoPart) {
  SoftmaxUnit unit{SoftmaxFormat()};
  const int32_t hidden = std::numeric_limits<int32_t>::min();
  std::vector<int16_t> row = {100, 0, 0};
  const std::vector<int32_t> mask = {hidden, 0, 0}, all(3, hidden);
  EXPECT_TRUE(unit.run(row, mask, 3, 8, 15));
  EXPECT_EQ(row, (std::vector<int16_t>{0, 16384, 16384}));
  row = {5, 5, 5};
  EXPECT_TRUE(unit.run(row, {}, 1, 8, 15));
  EXPECT_EQ(row, (std::vector<int16_t>{32767, 0, 0}));
  row = {5, 5, 5};
  EXPECT_FALSE(unit.run(row, all, 3, 8, 15));
  EXPECT_EQ(row, (std::vector<int16_t>{0, 0, 0}));
  EXPECT_FALSE(unit.run(row, {}, 0, 8, 15));
}

TEST(Softmax, WithoutTheLargestScoreSubtractedItIsClamped) {
  SoftmaxFormat format;
  format.subtractsMax = false;
  SoftmaxUnit unit(format);
  std::vector<int16_t> row = {300, 500}; // both above 0: both e^0
  EXPECT_TRUE(unit.run(row, {}, 2, 8, 15));
  EXPECT_EQ(row, (std::vector<int16_t>{16384, 16384}));
  row = {-32000, -32000}; // below what the table covers
  EXPECT_TRUE(unit.run(row, {}, 2, 8, 15));
  EXPECT_EQ(row, (std::vector<int16_t>{0, 0}));
}

TEST(Softmax, ExactAndTableAgree) {
  SoftmaxFormat exact;
  exact.isExact = true;
  SoftmaxUnit reference(exact), unit{SoftmaxFormat()};
  std::mt19937 random(3);
  std::vector<int16_t> a(100);
  for (int16_t &score : a)
    score = int16_t(random() % 4096);
  std::vector<int16_t> b = a;
  std::vector<float> c(a.begin(), a.end());
  for (float &score : c)
    score /= 1024;
  reference.run(a, {}, 100, 10, 15);
  unit.run(b, {}, 100, 10, 15);
  SoftmaxUnit::run(c, {}, 100);
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_NEAR(a[i] / 32768.0, c[i], 2e-5);
    EXPECT_NEAR(b[i] / 32768.0, c[i], 3e-3 * c[i] + 4e-5);
  }
}

TEST(Vector, GeluIsATableWithStraightLines) {
  VectorUnit unit{VectorParams()};
  auto exact = [](double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); };
  for (int x = -40000; x < 40000; x += 11)
    EXPECT_NEAR(double(unit.gelu(x, false)) / 4096, exact(x / 4096.0), 5e-4) << x;
  EXPECT_EQ(unit.gelu(8 << 12, false), 8 << 12);
  EXPECT_EQ(unit.gelu(-(8 << 12) - 1, true), 0);
  EXPECT_NEAR(double(unit.gelu(4096, true)) / 4096, 0.8412, 1e-3);
}

TEST(Vector, OutputAddsBiasFunctionAndResidual) {
  VectorUnit unit{VectorParams()};
  const int32_t bias = 3 << 10;
  const int16_t residual = 5;
  using insn::Function;
  // (7 + 3) at 10 fraction bits, and 5 / 2: 12.5, with 4 fraction bits 200.
  EXPECT_EQ(unit.output(7 << 10, &bias, &residual, {10, 1, 4, Function::None}), 200);
  EXPECT_EQ(unit.output(-(7 << 10), nullptr, nullptr, {10, 0, 4, Function::Relu}), 0);
  EXPECT_EQ(unit.output(-(7 << 10), &bias, nullptr, {10, 0, 4, Function::None}), -64);
  EXPECT_EQ(unit.output(int64_t(1) << 40, nullptr, nullptr, {0, 0, 0, Function::None}), 32767);
  // GELU(1) = 0.8413, times 256: 215.4.
  EXPECT_EQ(unit.output(1 << 10, nullptr, nullptr, {10, 0, 8, Function::Gelu}), 215);
  EXPECT_FLOAT_EQ(VectorUnit::output(1, nullptr, nullptr, Function::Gelu), 0.8413447f);
}

TEST(Vector, ReciprocalRootConverges) {
  VectorUnit unit{VectorParams()};
  for (uint64_t value : {uint64_t(1), uint64_t(2), uint64_t(3), uint64_t(1000),
                         uint64_t(123456789), uint64_t(1) << 40, (uint64_t(1) << 52) + 12345}) {
    auto [root, exponent] = unit.reciprocalRoot(value);
    const double got = std::ldexp(double(root), -30 - exponent / 2);
    EXPECT_NEAR(got * std::sqrt(double(value)), 1, 1e-6) << value;
  }
}

TEST(Vector, NormalisationIsThatOfFloats) {
  VectorUnit unit{VectorParams()};
  std::mt19937 random(5);
  const size_t size = 64;
  std::vector<int16_t> x(size), y(size);
  std::vector<float> real(size), scale(size, 1), bias(size), expected(size);
  std::vector<int32_t> scaleWords(size), biasWords(size);
  for (size_t i = 0; i < size; ++i) {
    x[i] = int16_t(int(random() % 8000) - 3000);
    real[i] = toFloat(x[i], 10);
    scale[i] = 0.5f + float(random() % 100) / 100;
    bias[i] = float(random() % 100) / 50 - 1;
    scaleWords[i] = int32_t(toWord(scale[i], 12, 32));
    biasWords[i] = int32_t(toWord(bias[i], unit.lane(11), 32));
  }
  unit.normalize(x, scaleWords, biasWords, {10, 12, 11, 1e-5f}, y);
  VectorUnit::normalize(real, scale, bias, 1e-5f, expected);
  for (size_t i = 0; i < size; ++i)
    EXPECT_NEAR(toFloat(y[i], 11), expected[i], 1.2e-3);
  // A row of equal elements has no direction.
  std::fill(x.begin(), x.end(), int16_t(100));
  unit.normalize(x, scaleWords, {}, {10, 12, 11, 0}, y);
  EXPECT_EQ(y[0], 0);
}

} // namespace
} // namespace sparsam::sta
