// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ElementwiseTest.cpp - operators that work on each element ----------===//

#include "runtime/host/test/HostTest.h"

#include <cmath>
#include <limits>

using namespace sparsam::runtime;
using namespace sparsam::runtime::host;

static constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
static constexpr float kInfinity = std::numeric_limits<float>::infinity();
static constexpr int64_t kLargest = std::numeric_limits<int64_t>::max();
static constexpr int64_t kSmallest = std::numeric_limits<int64_t>::min();

//===-- Two operands -------------------------------------------------------===//

TEST(Binary, computes_floats) {
  Operand a = in({4}, {1, -2, 8, 0.5}), b = in({4}, {2, 4, -2, 0.25});
  EXPECT_EQ((Op{"onnx.Add", {a, b}}.values({4})), (Floats{3, 2, 6, 0.75}));
  EXPECT_EQ((Op{"onnx.Sub", {a, b}}.values({4})), (Floats{-1, -6, 10, 0.25}));
  EXPECT_EQ((Op{"onnx.Mul", {a, b}}.values({4})), (Floats{2, -8, -16, 0.125}));
  EXPECT_EQ((Op{"onnx.Div", {a, b}}.values({4})), (Floats{0.5, -0.5, -4, 2}));
  EXPECT_EQ((Op{"onnx.Min", {a, b}}.values({4})), (Floats{1, -2, -2, 0.25}));
  EXPECT_EQ((Op{"onnx.Max", {a, b}}.values({4})), (Floats{2, 4, 8, 0.5}));
  EXPECT_EQ((Op{"onnx.Pow", {a, in({}, {3})}}.values({4})), (Floats{1, -8, 512, 0.125}));
}

TEST(Binary, computes_integers) {
  Operand a = in<int64_t>({4}, {7, -7, 3, kLargest}), b = in<int64_t>({4}, {2, 2, 0, 1});
  EXPECT_EQ((Op{"onnx.Add", {a, b}}.values<int64_t>({4})), (Integers{9, -5, 3, kSmallest}));
  EXPECT_EQ((Op{"onnx.Sub", {a, b}}.values<int64_t>({4})), (Integers{5, -9, 3, kLargest - 1}));
  EXPECT_EQ((Op{"onnx.Mul", {a, b}}.values<int64_t>({4})), (Integers{14, -14, 0, kLargest}));
  EXPECT_EQ((Op{"onnx.Div", {a, b}}.values<int64_t>({4})), (Integers{3, -3, 0, kLargest}));
  EXPECT_EQ(
      (Op{"onnx.Div", {in<int64_t>({1}, {kSmallest}), in<int64_t>({1}, {-1})}}.values<int64_t>(
          {1})),
      (Integers{kSmallest}));
  EXPECT_EQ((Op{"onnx.Pow", {in<int64_t>({3}, {3, -2, 10}), in<int64_t>({3}, {4, 3, 100})}}
                 .values<int64_t>({3})),
            (Integers{81, -8, kLargest}));
  EXPECT_EQ(
      (Op{"onnx.Max", {in<int32_t>({2}, {3, -4}), in<int32_t>({1}, {-1})}}.values<int32_t>({2})),
      (List<int32_t>{3, -1}));
}

TEST(Binary, broadcasts_in_every_direction) {
  Operand column = in({2, 1}, {10, 20}), row = in({3}, {1, 2, 3}), scalar = in({}, {5});
  EXPECT_EQ((Op{"onnx.Add", {column, row}}.values({2, 3})), (Floats{11, 12, 13, 21, 22, 23}));
  EXPECT_EQ((Op{"onnx.Sub", {row, column}}.values({2, 3})), (Floats{-9, -8, -7, -19, -18, -17}));
  EXPECT_EQ((Op{"onnx.Sub", {scalar, row}}.values({3})), (Floats{4, 3, 2}));
  EXPECT_EQ((Op{"onnx.Sub", {scalar, scalar}}.values({})), (Floats{0}));
  // The middle dimension of one, the outer ones of the other.
  Operand a = in({2, 1, 2}, {1, 2, 3, 4}), b = in({1, 3, 1}, {10, 20, 30});
  EXPECT_EQ((Op{"onnx.Add", {a, b}}.values({2, 3, 2})),
            (Floats{11, 12, 21, 22, 31, 32, 13, 14, 23, 24, 33, 34}));
}

TEST(Binary, takes_empty_tensors) {
  EXPECT_EQ((Op{"onnx.Add", {in({0}, {}), in({1}, {1})}}.values({0})), Floats());
  EXPECT_EQ((Op{"onnx.Add", {in({2, 0}, {}), in({1, 1}, {1})}}.values({2, 0})), Floats());
}

TEST(Binary, works_on_long_rows_in_pieces) {
  const int64_t n = 50000;
  Operand a = randomOperand({2, n}, 1), b = randomOperand({n}, 2);
  Floats sums = Op{"onnx.Add", {a, b}}.values({2, n});
  for (int64_t i = 0; i < 2 * n; ++i)
    ASSERT_EQ(sums[size_t(i)], a.tensor.as<float>()[i] + b.tensor.as<float>()[i % n]) << i;
}

TEST(Binary, keeps_what_is_not_a_number) {
  Operand a = in({2}, {kNaN, 1}), b = in({2}, {1, kNaN});
  for (const char *op : {"onnx.Min", "onnx.Max", "onnx.Add"})
    for (float value : Op{op, {a, b}}.values({2}))
      EXPECT_TRUE(std::isnan(value)) << op;
}

TEST(Binary, explains_what_does_not_fit) {
  Operand row = in({3}, {1, 2, 3});
  EXPECT_EQ((Op{"onnx.Add", {row, in({2}, {1, 2})}}.error({3})),
            "op 'onnx.Add': operand 1 of shape 2 does not broadcast to 3");
  EXPECT_EQ((Op{"onnx.Add", {in({1, 3}, {1, 2, 3}), row}}.error({3})),
            "op 'onnx.Add': operand 0 of shape 1x3 has more dimensions than the result of shape 3");
  EXPECT_EQ((Op{"onnx.Add", {row}}.error({3})),
            "op 'onnx.Add': expects 2 operands and 1 results, got 1 and 1");
  EXPECT_EQ((Op{"onnx.Add", {row, row, row}}.error({3})),
            "op 'onnx.Add': expects 2 operands, got 3");
  EXPECT_EQ((Op{"onnx.Add", {row, absent()}}.error({3})),
            "op 'onnx.Add': operand 1 must not be absent");
  EXPECT_EQ((Op{"onnx.Add", {row, in<int64_t>({3}, {1, 2, 3})}}.error({3})),
            "op 'onnx.Add': expects its second operand of type float32, got int64");
  EXPECT_EQ((Op{"onnx.Add", {row, row}}.error(DType::i64, {3})),
            "op 'onnx.Add': expects a result of type float32, got int64");
  Operand flags = in<bool>({1}, {true});
  EXPECT_EQ((Op{"onnx.Add", {flags, flags}}.error(DType::boolean, {1})),
            "op 'onnx.Add': does not work on bool");
}

TEST(Compare, gives_booleans) {
  Operand a = in({3}, {1, 2, kNaN}), b = in({3}, {2, 2, kNaN});
  EXPECT_EQ((Op{"onnx.Equal", {a, b}}.values<bool>({3})), (Bools{false, true, false}));
  EXPECT_EQ((Op{"onnx.Less", {a, b}}.values<bool>({3})), (Bools{true, false, false}));
  EXPECT_EQ((Op{"onnx.LessOrEqual", {a, b}}.values<bool>({3})), (Bools{true, true, false}));
  EXPECT_EQ((Op{"onnx.Greater", {b, a}}.values<bool>({3})), (Bools{true, false, false}));
  EXPECT_EQ((Op{"onnx.GreaterOrEqual", {b, a}}.values<bool>({3})), (Bools{true, true, false}));
  Operand big = in<int64_t>({2}, {kLargest, 0}), near = in<int64_t>({2}, {kLargest - 1, 0});
  EXPECT_EQ((Op{"onnx.Equal", {big, near}}.values<bool>({2})), (Bools{false, true}));
  EXPECT_EQ((Op{"onnx.Less", {a, b}}.error({3})),
            "op 'onnx.Less': expects a result of type bool, got float32");
}

TEST(Logic, combines_booleans) {
  Operand a = in<bool>({4}, {false, false, true, true}), b = in<bool>({2, 1}, {false, true});
  EXPECT_EQ((Op{"onnx.And", {a, b}}.values<bool>({2, 4})),
            (Bools{false, false, false, false, false, false, true, true}));
  EXPECT_EQ((Op{"onnx.Or", {a, b}}.values<bool>({2, 4})),
            (Bools{false, false, true, true, true, true, true, true}));
  EXPECT_EQ((Op{"onnx.Not", {a}}.values<bool>({4})), (Bools{true, true, false, false}));
  EXPECT_EQ((Op{"onnx.Or", {in({1}, {1}), in({1}, {1})}}.error(DType::boolean, {1})),
            "op 'onnx.Or': expects operands of type bool, got float32");
}

//===-- One operand --------------------------------------------------------===//

TEST(Unary, matches_double_precision) {
  Operand x = randomOperand({3, 700}, 7);
  std::vector<double> wide;
  for (int64_t i = 0; i < x.tensor.elements(); ++i)
    wide.push_back(double(x.tensor.as<float>()[i] *= 4));
  auto check = [&](const char *op, auto f, HostAttributes attributes = {}) {
    std::vector<double> expected;
    for (double value : wide)
      expected.push_back(f(value));
    SCOPED_TRACE(op);
    expectNear(Op{op, {x}, attributes}.values({3, 700}), expected);
  };
  check("onnx.Exp", [](double v) { return std::exp(v); });
  check("onnx.Erf", [](double v) { return std::erf(v); });
  check("onnx.Tanh", [](double v) { return std::tanh(v); });
  check("onnx.Sigmoid", [](double v) { return 1 / (1 + std::exp(-v)); });
  check("onnx.Reciprocal", [](double v) { return 1 / v; });
  check("onnx.Gelu", [](double v) { return 0.5 * v * (1 + std::erf(v / std::sqrt(2.0))); });
  check("onnx.Gelu",
        [](double v) {
          return 0.5 * v * (1 + std::tanh(std::sqrt(2 / M_PI) * (v + 0.044715 * v * v * v)));
        },
        {{"approximate", std::string("tanh")}});
}

TEST(Unary, has_exact_values) {
  Operand x = in({4}, {-4, 0, 2.25, kInfinity});
  EXPECT_EQ((Op{"onnx.Neg", {x}}.values({4})), (Floats{4, 0, -2.25, -kInfinity}));
  EXPECT_EQ((Op{"onnx.Abs", {x}}.values({4})), (Floats{4, 0, 2.25, kInfinity}));
  EXPECT_EQ((Op{"onnx.Relu", {x}}.values({4})), (Floats{0, 0, 2.25, kInfinity}));
  EXPECT_EQ((Op{"onnx.Sqrt", {in({3}, {0, 2.25, kInfinity})}}.values({3})),
            (Floats{0, 1.5, kInfinity}));
  EXPECT_EQ((Op{"onnx.Log", {in({2}, {1, 0})}}.values({2})), (Floats{0, -kInfinity}));
  EXPECT_EQ((Op{"onnx.IsNaN", {in({2}, {kNaN, 1})}}.values<bool>({2})), (Bools{true, false}));
  EXPECT_EQ((Op{"onnx.Abs", {in<int64_t>({2}, {-3, kSmallest})}}.values<int64_t>({2})),
            (Integers{3, kSmallest}));
  EXPECT_EQ((Op{"onnx.Neg", {in<int32_t>({2}, {-3, 4})}}.values<int32_t>({2})),
            (List<int32_t>{3, -4}));
}

TEST(Unary, explains_what_does_not_fit) {
  Operand x = in({2}, {1, 2}), integers = in<int64_t>({2}, {1, 2});
  EXPECT_EQ((Op{"onnx.Exp", {x}}.error({3})), "op 'onnx.Exp': expects a result of shape 2, got 3");
  EXPECT_EQ((Op{"onnx.Exp", {integers}}.error({2})),
            "op 'onnx.Exp': expects tensors of type float32, got int64");
  EXPECT_EQ((Op{"onnx.Gelu", {x}, {{"approximate", std::string("fast")}}}.error({2})),
            "op 'onnx.Gelu': approximate must be none or tanh, got 'fast'");
}

TEST(Clip, bounds_on_either_side) {
  Operand x = in({3}, {-5, 0.5, 5}), low = in({}, {-1}), high = in({1}, {2});
  EXPECT_EQ((Op{"onnx.Clip", {x, low, high}}.values({3})), (Floats{-1, 0.5, 2}));
  EXPECT_EQ((Op{"onnx.Clip", {x, absent(), high}}.values({3})), (Floats{-5, 0.5, 2}));
  EXPECT_EQ((Op{"onnx.Clip", {x}}.values({3})), (Floats{-5, 0.5, 5}));
  EXPECT_EQ((Op{"onnx.Clip", {x, x}}.error({3})), "op 'onnx.Clip': expects bounds of one element");
  EXPECT_EQ((Op{"onnx.Clip", {x, low}}.error(DType::i8, {3})),
            "op 'onnx.Clip': expects a result of type float32, got int8");
}

TEST(Where, chooses_with_broadcasting) {
  Operand condition = in<bool>({2, 1}, {true, false});
  EXPECT_EQ((Op{"onnx.Where", {condition, in({3}, {1, 2, 3}), in({}, {-9})}}.values({2, 3})),
            (Floats{1, 2, 3, -9, -9, -9}));
  EXPECT_EQ((Op{"onnx.Where", {condition, in<int64_t>({1}, {1}), in<int64_t>({2, 2}, {5, 6, 7, 8})}}
                 .values<int64_t>({2, 2})),
            (Integers{1, 1, 7, 8}));
  EXPECT_EQ((Op{"onnx.Where", {in({1}, {1}), in({1}, {1}), in({1}, {1})}}.error({1})),
            "op 'onnx.Where': expects a condition of type bool, got float32");
}
