// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ShapeTest.cpp - operators that move, pick and join elements --------===//

#include "runtime/host/test/HostTest.h"

#include <limits>

using namespace sparsam::runtime;
using namespace sparsam::runtime::host;

static Floats upTo(int64_t n) {
  Floats values;
  for (int64_t i = 0; i < n; ++i)
    values.push_back(float(i));
  return values;
}

TEST(Reshape, keeps_elements) {
  Operand x = in({2, 3}, upTo(6));
  EXPECT_EQ((Op{"onnx.Reshape", {x, list({3, 2})}}.values({3, 2})), upTo(6));
  for (const char *op : {"onnx.Flatten", "onnx.Identity", "onnx.Dropout"})
    EXPECT_EQ((Op{op, {x}}.values({2, 3})), upTo(6)) << op;
  EXPECT_EQ((Op{"onnx.Unsqueeze", {x, list({0})}}.values({1, 2, 3})), upTo(6));
  EXPECT_EQ((Op{"onnx.Squeeze", {in<bool>({1, 1}, {true})}}.values<bool>({})), (Bools{true}));
  EXPECT_EQ((Op{"onnx.Reshape", {in({0, 3}, {}), list({3, 0})}}.values({3, 0})), Floats());
  EXPECT_EQ((Op{"onnx.Reshape", {x, list({4})}}.error({4})),
            "op 'onnx.Reshape': cannot turn 2x3 into 4");
  EXPECT_EQ((Op{"onnx.Reshape", {x, list({6})}}.error(DType::i32, {6})),
            "op 'onnx.Reshape': expects a result of type float32, got int32");
}

TEST(Transpose, permutes_dimensions) {
  Operand x = in({2, 3}, upTo(6));
  EXPECT_EQ((Op{"onnx.Transpose", {x}}.values({3, 2})), (Floats{0, 3, 1, 4, 2, 5}));
  const std::vector<int64_t> heads = {0, 2, 1, 3};
  Operand y = in({1, 2, 2, 3}, upTo(12));
  EXPECT_EQ((Op{"onnx.Transpose", {y}, {{"perm", heads}}}.values({1, 2, 2, 3})),
            (Floats{0, 1, 2, 6, 7, 8, 3, 4, 5, 9, 10, 11}));
  EXPECT_EQ((Op{"onnx.Transpose", {in<bool>({1, 2}, {true, false})}}.values<bool>({2, 1})),
            (Bools{true, false}));
  EXPECT_EQ((Op{"onnx.Transpose", {in({}, {3})}}.values({})), (Floats{3}));
}

TEST(Transpose, explains_what_does_not_fit) {
  Operand x = in({2, 3}, upTo(6));
  for (std::vector<int64_t> perm : {std::vector<int64_t>{0, 0}, {1}, {0, 2}, {-1, 0}})
    EXPECT_EQ((Op{"onnx.Transpose", {x}, {{"perm", perm}}}.error({2, 3})),
              "op 'onnx.Transpose': perm is no permutation of 2 dimensions");
  EXPECT_EQ((Op{"onnx.Transpose", {x}}.error({2, 3})),
            "op 'onnx.Transpose': expects a result of shape 3x2, got 2x3");
}

TEST(Expand, repeats_dimensions_of_one) {
  Operand x = in({2, 1}, {1, 2});
  EXPECT_EQ((Op{"onnx.Expand", {x, list({2, 3})}}.values({2, 3})), (Floats{1, 1, 1, 2, 2, 2}));
  EXPECT_EQ((Op{"onnx.Expand", {x, list({2, 2, 1})}}.values({2, 2, 1})), (Floats{1, 2, 1, 2}));
  EXPECT_EQ((Op{"onnx.Expand", {in({}, {4}), list({2})}}.values({2})), (Floats{4, 4}));
  EXPECT_EQ((Op{"onnx.Expand", {x, list({3, 1})}}.error({3, 1})),
            "op 'onnx.Expand': cannot expand 2x1 to 3x1");
}

TEST(Tile, repeats_whole_dimensions) {
  EXPECT_EQ((Op{"onnx.Tile", {in({1, 2}, {1, 2}), list({2, 2})}}.values({2, 4})),
            (Floats{1, 2, 1, 2, 1, 2, 1, 2}));
  EXPECT_EQ((Op{"onnx.Tile", {in({2, 1}, {1, 2}), list({1, 2})}}.values({2, 2})),
            (Floats{1, 1, 2, 2}));
  EXPECT_EQ((Op{"onnx.Tile", {in({2}, {1, 2}), list({2})}}.error({3})),
            "op 'onnx.Tile': cannot tile 2 to 3");
}

TEST(Slice, takes_negative_and_distant_bounds) {
  Operand x = in({2, 4}, upTo(8));
  auto slice = [&](std::vector<int64_t> starts, std::vector<int64_t> ends,
                   std::vector<int64_t> axes, std::vector<int64_t> steps) {
    return Op{"onnx.Slice", {x, list(starts), list(ends), list(axes), list(steps)}};
  };
  const int64_t far = std::numeric_limits<int64_t>::max();
  const int64_t low = std::numeric_limits<int64_t>::min();
  EXPECT_EQ(slice({1}, {3}, {1}, {1}).values({2, 2}), (Floats{1, 2, 5, 6}));
  EXPECT_EQ(slice({-1}, {far}, {-1}, {1}).values({2, 1}), (Floats{3, 7}));
  EXPECT_EQ(slice({0, 0}, {1, far}, {0, 1}, {1, 2}).values({1, 2}), (Floats{0, 2}));
  EXPECT_EQ(slice({-1}, {low}, {1}, {-1}).values({2, 4}), (Floats{3, 2, 1, 0, 7, 6, 5, 4}));
  EXPECT_EQ(slice({far}, {0}, {1}, {-2}).values({2, 2}), (Floats{3, 1, 7, 5}));
  EXPECT_EQ(slice({1}, {far}, {1}, {far}).values({2, 1}), (Floats{1, 5}));
  EXPECT_EQ(slice({2}, {low}, {1}, {low}).values({2, 1}), (Floats{2, 6}));
  EXPECT_EQ(slice({3}, {1}, {1}, {1}).values({2, 0}), Floats());
  EXPECT_EQ((Op{"onnx.Slice", {x, list({1}), list({2})}}.values({1, 4})), (Floats{4, 5, 6, 7}));
}

TEST(Slice, explains_what_does_not_fit) {
  Operand x = in({4}, upTo(4));
  EXPECT_EQ((Op{"onnx.Slice", {x, list({0}), list({4}), list({0}), list({0})}}.error({4})),
            "op 'onnx.Slice': a step must not be 0");
  EXPECT_EQ((Op{"onnx.Slice", {x, list({0}), list({4}), list({1})}}.error({4})),
            "op 'onnx.Slice': axis 1 does not exist in a tensor of 1 dimensions");
  EXPECT_EQ((Op{"onnx.Slice", {x, list({0}), list({4, 4})}}.error({4})),
            "op 'onnx.Slice': expects as many starts as ends, axes and steps");
  EXPECT_EQ((Op{"onnx.Slice", {x, in<int64_t>({1}, {0}), list({4})}}.error({4})),
            "op 'onnx.Slice': expects constant starts");
  EXPECT_EQ((Op{"onnx.Slice", {x, list({0}), list({3})}}.error({4})),
            "op 'onnx.Slice': expects a result of shape 3, got 4");
}

TEST(ShapeOf, is_known_when_prepared) {
  Operand x = in({2, 1, 3}, upTo(6));
  EXPECT_EQ((Op{"onnx.Shape", {x}}.values<int64_t>({3})), (Integers{2, 1, 3}));
  EXPECT_EQ(
      (Op{"onnx.Shape", {x}, {{"start", int64_t(-2)}, {"end", int64_t(9)}}}.values<int64_t>({2})),
      (Integers{1, 3}));
  EXPECT_EQ((Op{"onnx.Size", {x}}.values<int64_t>({})), (Integers{6}));
  EXPECT_EQ((Op{"onnx.Size", {x}}.error(DType::i64, {2})),
            "op 'onnx.Size': expects a scalar result");
  EXPECT_EQ((Op{"onnx.Shape", {x}}.error(DType::i64, {2})),
            "op 'onnx.Shape': a result of shape 2 does not hold the shape 2x1x3");
}

TEST(Gather, looks_up_rows) {
  Operand table = in({3, 2}, upTo(6));
  EXPECT_EQ((Op{"onnx.Gather", {table, in<int64_t>({3}, {2, 0, -1})}}.values({3, 2})),
            (Floats{4, 5, 0, 1, 4, 5}));
  EXPECT_EQ((Op{"onnx.Gather", {table, in<int32_t>({}, {1})}, {{"axis", int64_t(1)}}}.values({3})),
            (Floats{1, 3, 5}));
  EXPECT_EQ(
      (Op{"onnx.Gather", {table, in<int64_t>({1, 2}, {1, 1})}, {{"axis", int64_t(-1)}}}.values(
          {3, 1, 2})),
      (Floats{1, 1, 3, 3, 5, 5}));
  EXPECT_EQ((Op{"onnx.Gather", {table, in<int64_t>({0}, {})}}.values({0, 2})), Floats());
}

TEST(Gather, refuses_indices_out_of_range) {
  Operand table = in({3, 2}, upTo(6));
  for (int64_t index : {int64_t(3), int64_t(-4), std::numeric_limits<int64_t>::min()})
    EXPECT_EQ((Op{"onnx.Gather", {table, in<int64_t>({1}, {index})}}.error({1, 2})),
              "op 'onnx.Gather': index " + std::to_string(index) +
                  " is out of range for the 3 entries of the table");
  EXPECT_EQ((Op{"onnx.Gather", {table, in({1}, {1})}}.error({1, 2})),
            "op 'onnx.Gather': expects indices of type int64 or int32, got float32");
  EXPECT_EQ((Op{"onnx.Gather", {table, in<int64_t>({1}, {1})}}.error({2})),
            "op 'onnx.Gather': expects a result of shape 1x2, got 2");
}

TEST(Concat, joins_along_any_axis) {
  Operand a = in({2, 1}, {1, 2}), b = in({2, 2}, {3, 4, 5, 6});
  EXPECT_EQ((Op{"onnx.Concat", {a, b}, {{"axis", int64_t(-1)}}}.values({2, 3})),
            (Floats{1, 3, 4, 2, 5, 6}));
  EXPECT_EQ((Op{"onnx.Concat", {b, in({0, 2}, {}), b}, {{"axis", int64_t(0)}}}.values({4, 2})),
            (Floats{3, 4, 5, 6, 3, 4, 5, 6}));
  EXPECT_EQ((Op{"onnx.Concat", {a, b}, {{"axis", int64_t(0)}}}.error({4, 2})),
            "op 'onnx.Concat': a part of type float32 and shape 2x1 does not fit a tensor of type "
            "float32 and shape 4x2 along axis 0");
  EXPECT_EQ((Op{"onnx.Concat", {b, b}, {{"axis", int64_t(0)}}}.error({5, 2})),
            "op 'onnx.Concat': parts of 4 along axis 0 do not make a tensor of shape 5x2");
}

TEST(Split, cuts_as_the_results_say) {
  Operand x = in({2, 3}, upTo(6));
  auto parts = Op{"onnx.Split", {x}, {{"axis", int64_t(1)}}}.runAll(
      {{DType::f32, {2, 1}}, {DType::f32, {2, 2}}});
  ASSERT_TRUE(parts.ok());
  EXPECT_EQ(Floats((*parts)[0].as<float>(), (*parts)[0].as<float>() + 2), (Floats{0, 3}));
  EXPECT_EQ(Floats((*parts)[1].as<float>(), (*parts)[1].as<float>() + 4), (Floats{1, 2, 4, 5}));
}

TEST(Trilu, keeps_one_side_of_a_diagonal) {
  Operand x = in({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  const HostAttributes lower = {{"upper", int64_t(0)}};
  EXPECT_EQ((Op{"onnx.Trilu", {x}}.values({2, 2, 2})), (Floats{1, 2, 0, 4, 5, 6, 0, 8}));
  EXPECT_EQ((Op{"onnx.Trilu", {x}, lower}.values({2, 2, 2})), (Floats{1, 0, 3, 4, 5, 0, 7, 8}));
  EXPECT_EQ((Op{"onnx.Trilu", {x, list({1})}}.values({2, 2, 2})), (Floats{0, 2, 0, 0, 0, 6, 0, 0}));
  EXPECT_EQ((Op{"onnx.Trilu", {x, list({-1})}, lower}.values({2, 2, 2})),
            (Floats{0, 0, 3, 0, 0, 0, 7, 0}));
  EXPECT_EQ((Op{"onnx.Trilu", {in({2}, {1, 2})}}.error({2})),
            "op 'onnx.Trilu': expects at least two dimensions, got shape 2");
  EXPECT_EQ((Op{"onnx.Trilu", {x, list({1, 2})}}.error({2, 2, 2})),
            "op 'onnx.Trilu': expects one k, got 2");
}
