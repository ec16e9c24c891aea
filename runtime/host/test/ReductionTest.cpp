// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ReductionTest.cpp - operators along an axis ------------------------===//

#include "runtime/host/test/HostTest.h"
#include "runtime/support/Parallel.h"

#include <cmath>
#include <limits>

using namespace sparsam::runtime;
using namespace sparsam::runtime::host;

static constexpr float kInfinity = std::numeric_limits<float>::infinity();
static constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

TEST(Reduce, works_along_any_axes) {
  Operand x = in({2, 3}, {1, 2, 3, 4, 5, 9});
  EXPECT_EQ((Op{"onnx.ReduceSum", {x, list({1})}}.values({2, 1})), (Floats{6, 18}));
  EXPECT_EQ((Op{"onnx.ReduceSum", {x, list({-2})}}.values({3})), (Floats{5, 7, 12}));
  EXPECT_EQ((Op{"onnx.ReduceMean", {x, list({-1})}}.values({2, 1})), (Floats{2, 6}));
  EXPECT_EQ((Op{"onnx.ReduceMean", {x}}.values({})), (Floats{4}));
  EXPECT_EQ((Op{"onnx.ReduceMax", {x, list({0})}}.values({1, 3})), (Floats{4, 5, 9}));
  EXPECT_EQ(
      (Op{"onnx.ReduceSum", {x, absent()}, {{"noop_with_empty_axes", int64_t(1)}}}.values({2, 3})),
      (Floats{1, 2, 3, 4, 5, 9}));
  // The outer and the inner dimension, not the one between.
  Operand cube = in({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  EXPECT_EQ((Op{"onnx.ReduceSum", {cube, list({0, 2})}}.values({2})), (Floats{14, 22}));
}

TEST(Reduce, sums_integers_exactly) {
  const int64_t large = int64_t(1) << 53; // the next one is no double
  EXPECT_EQ(
      (Op{"onnx.ReduceSum", {in<int64_t>({2, 2}, {large, 1, -4, 3}), list({1})}}.values<int64_t>(
          {2})),
      (Integers{large + 1, -1}));
  EXPECT_EQ((Op{"onnx.ReduceSum", {in<int32_t>({3}, {1, 2, -5}), list({0})}}.values<int32_t>({1})),
            (std::vector<int32_t>{-2}));
  EXPECT_EQ((Op{"onnx.ReduceMax", {in<int64_t>({1}, {1}), list({0})}}.error(DType::i64, {1})),
            "op 'onnx.ReduceMax': expects tensors of type float32, got int64");
}

TEST(Reduce, takes_empty_tensors) {
  EXPECT_EQ((Op{"onnx.ReduceSum", {in({2, 0}, {}), list({1})}}.values({2})), (Floats{0, 0}));
  EXPECT_EQ((Op{"onnx.ReduceMax", {in({1, 0}, {}), list({1})}}.values({1})), (Floats{-kInfinity}));
  EXPECT_EQ((Op{"onnx.ReduceSum", {in({int64_t(1) << 40, 0}, {})}}.values({})), (Floats{0}));
}

TEST(Reduce, adds_up_precisely) {
  const int64_t n = 1 << 20;
  EXPECT_EQ((Op{"onnx.ReduceMean", {in({n}, Floats(size_t(n), 0.1f))}}.values({})), (Floats{0.1f}));
}

TEST(Reduce, explains_what_does_not_fit) {
  Operand x = in({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ((Op{"onnx.ReduceSum", {x, list({2})}}.error({2})),
            "op 'onnx.ReduceSum': axis 2 does not exist in a tensor of 2 dimensions");
  EXPECT_EQ((Op{"onnx.ReduceSum", {x, list({1})}}.error({3})),
            "op 'onnx.ReduceSum': a result of shape 3 does not fit an operand of shape 2x3");
  EXPECT_EQ((Op{"onnx.ReduceSum", {x, in<int64_t>({1}, {1})}}.error({2})),
            "op 'onnx.ReduceSum': expects constant axes");
  EXPECT_EQ((Op{"onnx.ReduceSum", {x, constant({1}, {1})}}.error({2})),
            "op 'onnx.ReduceSum': expects axes of type int64, got float32");
}

/// Softmax of rows in double precision.
static std::vector<double> softmaxOf(const Tensor &x, int64_t width, bool isLog) {
  std::vector<double> result;
  for (int64_t row = 0; row < x.elements() / width; ++row) {
    const float *at = x.as<float>() + row * width;
    double sum = 0;
    for (int64_t i = 0; i < width; ++i)
      sum += std::exp(double(at[i]));
    for (int64_t i = 0; i < width; ++i)
      result.push_back(isLog ? double(at[i]) - std::log(sum) : std::exp(double(at[i])) / sum);
  }
  return result;
}

TEST(Softmax, matches_double_precision) {
  // Widths with and without whole vectors.
  for (int64_t width : {1, 3, 16, 33, 512}) {
    Operand x = randomOperand({7, width}, unsigned(width));
    expectNear(Op{"onnx.Softmax", {x}}.values({7, width}), softmaxOf(x.tensor, width, false));
    expectNear(Op{"onnx.LogSoftmax", {x}}.values({7, width}), softmaxOf(x.tensor, width, true));
  }
}

TEST(Softmax, is_relatively_precise_for_small_probabilities) {
  Operand x = in({1, 4}, {0, -20, -60, -80});
  Floats y = Op{"onnx.Softmax", {x}}.values({1, 4});
  std::vector<double> expected = softmaxOf(x.tensor, 4, false);
  for (size_t i = 0; i < 4; ++i)
    EXPECT_NEAR(y[i] / expected[i], 1, 1e-6);
}

TEST(Softmax, works_along_any_axis) {
  Operand x = in({2, 2}, {0, 1, 0, 1});
  EXPECT_EQ((Op{"onnx.Softmax", {x}, {{"axis", int64_t(0)}}}.values({2, 2})),
            (Floats{0.5, 0.5, 0.5, 0.5}));
  EXPECT_EQ((Op{"onnx.Softmax", {x}, {{"axis", int64_t(-2)}}}.values({2, 2})),
            (Floats{0.5, 0.5, 0.5, 0.5}));
}

TEST(Softmax, treats_infinities_as_onnx_does) {
  EXPECT_EQ((Op{"onnx.Softmax", {in({1, 3}, {-kInfinity, 2, 2})}}.values({1, 3})),
            (Floats{0, 0.5, 0.5}));
  for (Floats row : {Floats{-kInfinity, -kInfinity}, Floats{kInfinity, 0}, Floats{0, kNaN}})
    EXPECT_TRUE(std::isnan(Op{"onnx.Softmax", {in({1, 2}, row)}}.values({1, 2})[0]));
  EXPECT_EQ((Op{"onnx.Softmax", {in({1, 2}, {-3e38f, 3e38f})}}.values({1, 2})), (Floats{0, 1}));
}

TEST(Softmax, ends_at_once_where_there_is_nothing) {
  const int64_t many = int64_t(1) << 40;
  EXPECT_EQ((Op{"onnx.Softmax", {in({many, 0}, {})}}.values({many, 0})), Floats());
  EXPECT_EQ((Op{"onnx.Softmax", {in({1}, {1})}, {{"axis", int64_t(1)}}}.error({1})),
            "op 'onnx.Softmax': axis 1 does not exist in a tensor of 1 dimensions");
}

TEST(LayerNormalization, matches_double_precision) {
  for (int64_t width : {1, 5, 16, 100, 768}) {
    Operand x = randomOperand({9, width}, 1), scale = randomOperand({width}, 2);
    Operand bias = randomOperand({width}, 3);
    std::vector<double> expected;
    for (int64_t row = 0; row < 9; ++row) {
      const float *at = x.tensor.as<float>() + row * width;
      double mean = 0, variance = 0;
      for (int64_t i = 0; i < width; ++i)
        mean += double(at[i]) / double(width);
      for (int64_t i = 0; i < width; ++i)
        variance += (at[i] - mean) * (at[i] - mean) / double(width);
      for (int64_t i = 0; i < width; ++i)
        expected.push_back((at[i] - mean) / std::sqrt(variance + 1e-12f) *
                               scale.tensor.as<float>()[i] +
                           bias.tensor.as<float>()[i]);
    }
    Op op{"onnx.LayerNormalization", {x, scale, bias}, {{"epsilon", double(1e-12f)}}};
    expectNear(op.values({9, width}), expected, width == 1 ? 1 : 1e-6);
  }
}

TEST(LayerNormalization, normalizes_several_dimensions) {
  Operand x = in({1, 2, 2}, {1, 3, 1, 3}), scale = in({2, 2}, {1, 1, 2, 2});
  Op op{"onnx.LayerNormalization", {x, scale}, {{"axis", int64_t(1)}, {"epsilon", 0.0}}};
  EXPECT_EQ(op.values({1, 2, 2}), (Floats{-1, 1, -2, 2}));
}

TEST(LayerNormalization, explains_what_does_not_fit) {
  Operand x = in({2, 2}, {1, 2, 3, 4});
  EXPECT_EQ((Op{"onnx.LayerNormalization", {x, in({3}, {1, 1, 1})}}.error({2, 2})),
            "op 'onnx.LayerNormalization': expects a scale of 2 elements, got shape 3");
  EXPECT_EQ((Op{"onnx.LayerNormalization", {x, in({2}, {1, 1}), in({1}, {1})}}.error({2, 2})),
            "op 'onnx.LayerNormalization': expects a bias of 2 elements, got shape 1");
  auto many = Op{"onnx.LayerNormalization", {x, in({2}, {1, 1})}}.runAll(
      {{DType::f32, {2, 2}}, {DType::f32, {2, 1}}});
  ASSERT_FALSE(many.ok());
  EXPECT_EQ(many.error().message,
            "op 'onnx.LayerNormalization': has no second and third result here");
}

TEST(LayerNormalization, is_the_same_on_every_number_of_threads) {
  Operand x = randomOperand({301, 768}, 1), scale = randomOperand({768}, 2);
  setThreadCount(1);
  const Floats expected = Op{"onnx.LayerNormalization", {x, scale}}.values({301, 768});
  for (unsigned threads : {2, 3}) {
    setThreadCount(threads);
    EXPECT_EQ((Op{"onnx.LayerNormalization", {x, scale}}.values({301, 768})), expected) << threads;
  }
  setThreadCount(0);
}

TEST(ArgMax, finds_the_first_or_the_last) {
  Operand x = in({2, 3}, {1, 7, 7, 5, 2, 5});
  const HostAttributes inner = {{"axis", int64_t(-1)}};
  EXPECT_EQ((Op{"onnx.ArgMax", {x}, inner}.values<int64_t>({2, 1})), (Integers{1, 0}));
  EXPECT_EQ((Op{"onnx.ArgMax", {x}, {{"axis", int64_t(1)}, {"select_last_index", int64_t(1)}}}
                 .values<int64_t>({2})),
            (Integers{2, 2}));
  EXPECT_EQ((Op{"onnx.ArgMax", {x}}.values<int64_t>({1, 3})), (Integers{1, 0, 0}));
  EXPECT_EQ((Op{"onnx.ArgMax", {x}, inner}.error({2})),
            "op 'onnx.ArgMax': expects a result of type int64, got float32");
  EXPECT_EQ((Op{"onnx.ArgMax", {x}, inner}.error(DType::i64, {3})),
            "op 'onnx.ArgMax': a result of shape 3 does not fit an operand of shape 2x3");
}

TEST(CumSum, sums_forwards_and_backwards) {
  Operand x = in<int64_t>({2, 3}, {1, 2, 3, 4, 5, 6});
  auto sums = [&](int64_t axis, int64_t exclusive, int64_t reverse) {
    return Op{"onnx.CumSum", {x, list({axis})}, {{"exclusive", exclusive}, {"reverse", reverse}}}
        .values<int64_t>({2, 3});
  };
  EXPECT_EQ(sums(1, 0, 0), (Integers{1, 3, 6, 4, 9, 15}));
  EXPECT_EQ(sums(-2, 0, 0), (Integers{1, 2, 3, 5, 7, 9}));
  EXPECT_EQ(sums(1, 1, 0), (Integers{0, 1, 3, 0, 4, 9}));
  EXPECT_EQ(sums(1, 0, 1), (Integers{6, 5, 3, 15, 11, 6}));
  EXPECT_EQ(sums(1, 1, 1), (Integers{5, 3, 0, 11, 6, 0}));
  EXPECT_EQ((Op{"onnx.CumSum", {in<bool>({1}, {true}), list({0})}}.error(DType::boolean, {1})),
            "op 'onnx.CumSum': does not work on bool");
}
