// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ExpUnitTest.cpp - the exponential, bit by bit ----------------------===//

#include "targets/sanger/model/ExpUnit.h"

#include <gtest/gtest.h>

#include <cmath>

using sparsam::sanger::ExpUnit;

namespace {

TEST(ExpUnit, WorkedExamples) { // sheet, example (d)
  ExpUnit unit(20, 8, false, false);
  EXPECT_EQ(unit.tableEntry(23), 3783);
  EXPECT_EQ(unit.tableEntry(28), 3755);
  EXPECT_EQ(unit.tableEntry(2), 4058);
  EXPECT_EQ(unit(64), 328);
  EXPECT_EQ(unit(256), 693);
  EXPECT_EQ(unit(512), 1878);
  EXPECT_EQ(unit(896), 8372);
  EXPECT_EQ(ExpUnit(32, 16, false, false)(1 << 16), 177505);
}

TEST(ExpUnit, ErrorIsWithinThreePercentFromZeroToEight) {
  ExpUnit unit(24, 8, true, true);
  for (int x = 0; x < 8 * 256; ++x) {
    double exact = std::exp(x / 256.0);
    EXPECT_LT(std::abs(double(unit(x)) / 256 - exact) / exact, 0.031) << "x = " << x / 256.0;
  }
}

TEST(ExpUnit, SignedInputShiftsRight) {
  ExpUnit unit(32, 16, true, true);
  for (double x : {-0.5, -1.0, -2.25, -5.0}) {
    double got = double(unit(int64_t(x * 65536))) / 65536;
    EXPECT_NEAR(got / std::exp(x), 1, 0.036) << "x = " << x;
  }
  EXPECT_EQ(unit(-(int64_t(1) << 31)), 0);
}

TEST(ExpUnit, ReleasedUnitTakesNegativeInputsAsHuge) {
  // -1 with 8 fraction bits in 20 bits is 2^20 - 256: 23 X modulo 2^24 has u = 4094, which shifts
  // everything out.
  EXPECT_EQ(ExpUnit(20, 8, false, false)(-256), 0);
}

TEST(ExpUnit, OverflowSaturatesOrWraps) {
  // exp(8) with 8 fraction bits is beyond 16 signed bits.
  EXPECT_EQ(ExpUnit(16, 8, true, true)(8 * 256), 32767);
  EXPECT_EQ(ExpUnit(16, 8, false, true)(8 * 256), 65535);
  EXPECT_EQ(ExpUnit(16, 8, true, false)(8 * 256), ExpUnit(40, 8, true, true)(8 * 256) & 0xffff);
}

} // namespace
