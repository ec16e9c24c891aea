// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- NonFiniteTest.cpp - inputs that no machine has words for -----------===//

#include "runtime/units/NonFinite.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace sparsam::runtime {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

TensorView viewOf(std::vector<float> &values) {
  return {DType::f32, {int64_t(values.size())}, values.data()};
}

TEST(NonFinite, CountsNotANumberAndInfinityByTensor) {
  std::vector<float> q{1, NAN, -NAN, kInfinity}, v{-kInfinity, 3.4e38f, 0, -1};
  const TensorView bindings[] = {viewOf(q), viewOf(v)};
  const LaunchInput inputs[] = {{"Q", 0}, {"K", -1}, {"V", 1}};
  LaunchReport report;
  warnOfNonFinite(inputs, bindings, kTakenAsWords, report);
  EXPECT_EQ(report.metrics["non_finite_inputs"], 4);
  ASSERT_EQ(report.metrics["warnings"].size(), 1u);
  EXPECT_EQ(report.metrics["warnings"][0],
            "there are values that are NaN or infinite (3 in Q, 1 in V); the machine's words have "
            "neither: NaN is taken as 0, infinity as the largest word");
}

TEST(NonFinite, LetsAMaskHideByMinusInfinityAlone) {
  std::vector<float> mask{0, -kInfinity, -3.4e38f, -10000};
  const TensorView bindings[] = {viewOf(mask)};
  LaunchReport report;
  warnOfNonFinite(numberedInputs(1, 0), bindings, kTakenAsFloats, report);
  EXPECT_TRUE(report.metrics.is_null());
  mask[0] = NAN;
  mask[3] = kInfinity;
  warnOfNonFinite(numberedInputs(1, 0), bindings, kTakenAsFloats, report);
  EXPECT_EQ(report.metrics["warnings"][0],
            "there are values that are NaN or infinite (2 in input 0); results that they enter are "
            "wrong, though they may be finite");
}

TEST(NonFinite, LooksAtFloatsThatAreThereAlone) {
  std::vector<float> values{NAN};
  TensorView integers = viewOf(values), absent = viewOf(values);
  integers.dtype = DType::i32;
  absent.data = nullptr;
  const TensorView bindings[] = {integers, absent};
  LaunchReport report;
  warnOfNonFinite(numberedInputs(2, -1), bindings, kTakenAsFloats, report);
  EXPECT_TRUE(report.metrics.is_null());
}

} // namespace
} // namespace sparsam::runtime
