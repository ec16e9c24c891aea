// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ConstantTest.cpp - operators that change types or make values ------===//

#include "runtime/host/test/HostTest.h"

#include <cmath>
#include <limits>

using namespace sparsam::runtime;
using namespace sparsam::runtime::host;

static constexpr int64_t kLargest = std::numeric_limits<int64_t>::max();
static constexpr int64_t kSmallest = std::numeric_limits<int64_t>::min();

TEST(Cast, rounds_towards_zero_and_saturates) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  Operand x = in({6}, {1.9f, -1.9f, 1e30f, -1e30f, nan, 0});
  EXPECT_EQ((Op{"onnx.Cast", {x}}.values<int64_t>({6})),
            (Integers{1, -1, kLargest, kSmallest, 0, 0}));
  EXPECT_EQ((Op{"onnx.Cast", {x}}.values<int8_t>({6})), (List<int8_t>{1, -1, 127, -128, 0, 0}));
  EXPECT_EQ((Op{"onnx.Cast", {x}}.values<uint8_t>({6})), (List<uint8_t>{1, 0, 255, 0, 0, 0}));
  EXPECT_EQ((Op{"onnx.Cast", {x}}.values<bool>({6})), (Bools{true, true, true, true, true, false}));
}

TEST(Cast, converts_between_integers_and_booleans) {
  EXPECT_EQ((Op{"onnx.Cast", {in<bool>({2}, {true, false})}}.values({2})), (Floats{1, 0}));
  EXPECT_EQ((Op{"onnx.Cast", {in<int64_t>({2}, {-2, 0})}}.values<bool>({2})), (Bools{true, false}));
  EXPECT_EQ((Op{"onnx.Cast", {in<int32_t>({1}, {-7})}}.values<int64_t>({1})), (Integers{-7}));
  EXPECT_EQ((Op{"onnx.Cast", {in<double>({1}, {0.1})}}.values({1})), (Floats{0.1f}));
  // CastLike has the type in its second operand, which only the compiler looks at.
  EXPECT_EQ((Op{"onnx.CastLike", {in<int64_t>({1}, {3}), in({1}, {0})}}.values({1})), (Floats{3}));
}

TEST(Cast, converts_half_precision) {
  auto half = Op{"onnx.Cast", {in({5}, {1, -2.5, 65504, 1e6, 1.0f / 3})}}.run(DType::f16, {5});
  ASSERT_TRUE(half.ok());
  const uint16_t expected[] = {0x3c00, 0xc100, 0x7bff, 0x7c00, 0x3555};
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(half->as<uint16_t>()[i], expected[i]) << i;
  EXPECT_EQ((Op{"onnx.Cast", {{*half}}}.values({5})),
            (Floats{1, -2.5, 65504, std::numeric_limits<float>::infinity(), 0.333251953125f}));
}

TEST(Cast, explains_what_does_not_fit) {
  EXPECT_EQ((Op{"onnx.Cast", {in({2}, {1, 2})}}.error(DType::i64, {1})),
            "op 'onnx.Cast': expects a result of shape 2, got 1");
  EXPECT_EQ((Op{"onnx.Cast", {in<int16_t>({1}, {1})}}.error({1})),
            "op 'onnx.Cast': cannot convert from int16");
}

TEST(ConstantOfShape, repeats_a_value) {
  EXPECT_EQ((Op{"onnx.ConstantOfShape", {list({2, 2})}}.values({2, 2})), (Floats{0, 0, 0, 0}));
  EXPECT_EQ((Op{"onnx.ConstantOfShape", {list({2})}, {{"value", 1.5}}}.values({2})),
            (Floats{1.5, 1.5}));
  EXPECT_EQ(
      (Op{"onnx.ConstantOfShape", {list({2})}, {{"value", int64_t(-3)}}}.values<int64_t>({2})),
      (Integers{-3, -3}));
  EXPECT_EQ((Op{"onnx.ConstantOfShape", {list({1})}, {{"value", int64_t(1)}}}.values<bool>({1})),
            (Bools{true}));
  EXPECT_EQ((Op{"onnx.ConstantOfShape", {list({1})}}.error(DType::f16, {1})),
            "op 'onnx.ConstantOfShape': cannot make float16");
}

TEST(Range, counts_up_and_down) {
  auto integers = [](int64_t start, int64_t limit, int64_t delta) {
    return std::vector<Operand>{in<int64_t>({}, {start}), in<int64_t>({}, {limit}),
                                in<int64_t>({}, {delta})};
  };
  EXPECT_EQ((Op{"onnx.Range", integers(2, 9, 3)}.values<int64_t>({3})), (Integers{2, 5, 8}));
  EXPECT_EQ((Op{"onnx.Range", integers(3, 0, -1)}.values<int64_t>({3})), (Integers{3, 2, 1}));
  EXPECT_EQ((Op{"onnx.Range", {in({}, {0}), in({}, {1}), in({}, {0.25})}}.values({4})),
            (Floats{0, 0.25, 0.5, 0.75}));
  EXPECT_EQ((Op{"onnx.Range", integers(0, 5, 1)}.error(DType::i64, {4})),
            "op 'onnx.Range': 0 to 5 in steps of 1 are 5 numbers, but the program is compiled for "
            "4");
  EXPECT_EQ((Op{"onnx.Range", integers(0, 5, 0)}.error(DType::i64, {5})),
            "op 'onnx.Range': a step must not be 0");
  EXPECT_EQ((Op{"onnx.Range", {list({0, 1}), list({1}), list({1})}}.error(DType::i64, {1})),
            "op 'onnx.Range': expects scalars, got shape 2");
  EXPECT_EQ((Op{"onnx.Range", integers(0, 5, 1)}.error(DType::f32, {5})),
            "op 'onnx.Range': expects operands of type float32, got int64");
}

TEST(HostKernels, are_known_by_name) {
  std::vector<std::string> names = hostKernelNames();
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  EXPECT_TRUE(std::find(names.begin(), names.end(), "sattn.linear") != names.end());
  EXPECT_EQ((Op{"onnx.Conv", {in({1}, {1})}}.error({1})),
            "there is no host kernel for op 'onnx.Conv'");
  EXPECT_EQ((Op{"onnx.Exp", {}}.error({1})),
            "op 'onnx.Exp': expects 1 operands and 1 results, got 0 and 1");
}
