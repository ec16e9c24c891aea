// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- MatrixTest.cpp - matrix products, linear layers, attention ---------===//

#include "runtime/host/test/HostTest.h"
#include "runtime/support/Parallel.h"

#include <cmath>
#include <limits>

using namespace sparsam::runtime;
using namespace sparsam::runtime::host;

static constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// x [rows, depth] times w [depth, width] in double precision.
static std::vector<double> productOf(const Tensor &x, const Tensor &w, int64_t width,
                                     bool isTransposed = false) {
  const int64_t depth = w.elements() / width, rows = x.elements() / depth;
  std::vector<double> y;
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < width; ++c) {
      double sum = 0;
      for (int64_t k = 0; k < depth; ++k)
        sum += double(x.as<float>()[r * depth + k]) *
               w.as<float>()[isTransposed ? c * depth + k : k * width + c];
      y.push_back(sum);
    }
  return y;
}

/// The result for each number of threads, which must be the same bytes.
static Floats onAnyThreads(const Op &op, Shape shape) {
  setThreadCount(1);
  Floats expected = op.values(shape);
  for (unsigned threads : {2, 3}) {
    setThreadCount(threads);
    Floats actual = op.values(shape);
    EXPECT_TRUE(actual.size() == expected.size() &&
                std::memcmp(actual.data(), expected.data(), actual.size() * sizeof(float)) == 0)
        << op.name << " on " << threads << " threads";
  }
  setThreadCount(0);
  return expected;
}

//===-- MatMul, Gemm -------------------------------------------------------===//

TEST(MatMul, multiplies_with_and_without_constant_weights) {
  for (bool isConstant : {false, true}) {
    Operand x = randomOperand({2, 77, 50}, 1), w = randomOperand({50, 30}, 2, isConstant);
    expectNear(Op{"onnx.MatMul", {x, w}}.values({2, 77, 30}), productOf(x.tensor, w.tensor, 30),
               1e-5);
  }
}

TEST(MatMul, broadcasts_batches) {
  Operand a = in({2, 1, 1, 2}, {1, 2, 3, 4}), b = in({3, 2, 1}, {1, 0, 0, 1, 1, 1});
  EXPECT_EQ((Op{"onnx.MatMul", {a, b}}.values({2, 3, 1, 1})), (Floats{1, 2, 3, 3, 4, 7}));
}

TEST(MatMul, takes_vectors) {
  Operand row = in({2}, {1, 2}), matrix = in({2, 2}, {1, 2, 3, 4});
  EXPECT_EQ((Op{"onnx.MatMul", {row, matrix}}.values({2})), (Floats{7, 10}));
  EXPECT_EQ((Op{"onnx.MatMul", {matrix, row}}.values({2})), (Floats{5, 11}));
  EXPECT_EQ((Op{"onnx.MatMul", {row, row}}.values({})), (Floats{5}));
  EXPECT_EQ((Op{"onnx.MatMul", {row, constant({2, 1}, {1, 1})}}.values({1})), (Floats{3}));
}

TEST(MatMul, takes_empty_tensors) {
  EXPECT_EQ((Op{"onnx.MatMul", {in({0, 2}, {}), in({2, 3}, Floats(6))}}.values({0, 3})), Floats());
  for (bool isConstant : {false, true}) {
    Operand none{tensorOf<float>({0, 2}, {}), isConstant};
    EXPECT_EQ((Op{"onnx.MatMul", {in({1, 0}, {}), none}}.values({1, 2})), (Floats{0, 0}));
  }
  const int64_t many = int64_t(1) << 40;
  EXPECT_EQ((Op{"onnx.MatMul", {in({many, 0, 1}, {}), in({1, 1}, {1})}}.values({many, 0, 1})),
            Floats());
}

TEST(MatMul, explains_what_does_not_fit) {
  Operand a = in({2, 3}, Floats(6)), b = in({2, 3}, Floats(6));
  EXPECT_EQ((Op{"onnx.MatMul", {a, b}}.error({2, 3})),
            "op 'onnx.MatMul': cannot multiply 2x3 by 2x3 into 2x3");
  EXPECT_EQ((Op{"onnx.MatMul", {in({}, {1}), b}}.error({3})),
            "op 'onnx.MatMul': expects operands of at least one dimension");
  EXPECT_EQ((Op{"onnx.MatMul", {in({2, 1, 1}, {1, 1}), in({3, 1, 1}, {1, 1, 1})}}.error({2, 1, 1})),
            "op 'onnx.MatMul': operand of shape 3x1x1 does not broadcast to batch 2");
}

TEST(Gemm, scales_transposes_and_adds) {
  Operand a = in({2, 3}, {1, 2, 3, 4, 5, 6}), b = in({3, 2}, {1, 0, 0, 1, 1, 1});
  EXPECT_EQ((Op{"onnx.Gemm", {a, b}}.values({2, 2})), (Floats{4, 5, 10, 11}));
  EXPECT_EQ((Op{"onnx.Gemm", {a, b, in({2}, {1, -1})}}.values({2, 2})), (Floats{5, 4, 11, 10}));
  const HostAttributes scaled = {{"alpha", 2.0}, {"beta", 0.5}};
  EXPECT_EQ((Op{"onnx.Gemm", {a, b, in({2, 1}, {2, 4})}, scaled}.values({2, 2})),
            (Floats{9, 11, 22, 24}));
  EXPECT_EQ((Op{"onnx.Gemm", {a, b, in({}, {2})}, scaled}.values({2, 2})), (Floats{9, 11, 21, 23}));
  Operand at = in({3, 2}, {1, 4, 2, 5, 3, 6}), bt = in({2, 3}, {1, 0, 1, 0, 1, 1});
  const HostAttributes transposed = {{"transA", int64_t(1)}, {"transB", int64_t(1)}};
  EXPECT_EQ((Op{"onnx.Gemm", {at, bt}, transposed}.values({2, 2})), (Floats{4, 5, 10, 11}));
  EXPECT_EQ((Op{"onnx.Gemm", {a, bt}, {{"transB", int64_t(1)}}}.values({2, 2})),
            (Floats{4, 5, 10, 11}));
  EXPECT_EQ((Op{"onnx.Gemm", {in({2, 0}, {}), in({0, 1}, {}), in({1}, {7})}}.values({2, 1})),
            (Floats{7, 7}));
}

TEST(Gemm, explains_what_does_not_fit) {
  Operand a = in({2, 3}, Floats(6));
  EXPECT_EQ((Op{"onnx.Gemm", {a, a}}.error({2, 3})), "op 'onnx.Gemm': cannot multiply 2x3 by 2x3");
  EXPECT_EQ((Op{"onnx.Gemm", {a, in({3, 2}, Floats(6)), in({3}, Floats(3))}}.error({2, 2})),
            "op 'onnx.Gemm': cannot add C of shape 3 to a product of shape 2x2");
}

//===-- sattn.linear -------------------------------------------------------===//

struct LinearCase {
  int64_t rows, depth, width;
};
class LinearSizes : public testing::TestWithParam<LinearCase> {};

/// Tiles that are whole, that are cut in either direction, and that are only rests.
INSTANTIATE_TEST_SUITE_P(Sizes, LinearSizes,
                         testing::Values(LinearCase{1, 1, 1}, LinearCase{1, 64, 10},
                                         LinearCase{128, 32, 384}, LinearCase{300, 96, 500},
                                         LinearCase{52, 40, 769}));

TEST_P(LinearSizes, fuses_bias_activation_and_residual) {
  const auto [rows, depth, width] = GetParam();
  for (bool isConstant : {false, true})
    for (bool isTransposed : {false, true}) {
      Operand x = randomOperand({rows, depth}, 1), bias = randomOperand({width}, 3);
      Operand w =
          randomOperand(isTransposed ? Shape{width, depth} : Shape{depth, width}, 2, isConstant);
      Operand residual = randomOperand({rows, width}, 4);
      std::vector<double> expected = productOf(x.tensor, w.tensor, width, isTransposed);
      for (size_t i = 0; i < expected.size(); ++i) {
        double v = expected[i] + bias.tensor.as<float>()[i % size_t(width)];
        expected[i] = 0.5 * v * (1 + std::erf(v / std::sqrt(2.0))) + residual.tensor.as<float>()[i];
      }
      HostAttributes attributes = {{"activation", std::string("gelu")}};
      if (isTransposed)
        attributes["transpose_weight"] = int64_t(1);
      Op op{"sattn.linear", {x, w, bias, residual}, attributes};
      expectNear(onAnyThreads(op, {rows, width}), expected, 1e-5);
    }
}

TEST(Linear, applies_each_activation) {
  Operand x = in({3, 1}, {-1, 0.5, 2}), w = constant({1, 1}, {1});
  auto run = [&](const char *activation) {
    return Op{"sattn.linear", {x, w, absent(), absent()}, {{"activation", std::string(activation)}}}
        .values({3, 1});
  };
  expectNear(run("none"), {-1, 0.5, 2});
  expectNear(run("relu"), {0, 0.5, 2});
  expectNear(run("tanh"), {std::tanh(-1), std::tanh(0.5), std::tanh(2)});
  expectNear(run("gelu"), {-0.15865525393, 0.34573123063, 1.95449973610});
  expectNear(run("gelu_tanh"), {-0.15880800939, 0.34571400982, 1.95459769409});
}

TEST(Linear, adds_bias_where_there_is_nothing_to_sum) {
  Operand none{tensorOf<float>({0, 2}, {}), true};
  Op op{"sattn.linear",
        {in({3, 0}, {}), none, in({2}, {-1, 2}), in({3, 2}, {1, 1, 2, 2, 3, 3})},
        {{"activation", std::string("relu")}}};
  EXPECT_EQ(op.values({3, 2}), (Floats{1, 3, 2, 4, 3, 5}));
}

TEST(Linear, explains_what_does_not_fit) {
  Operand x = in({2, 3}, Floats(6)), w = constant({3, 2}, Floats(6));
  EXPECT_EQ((Op{"sattn.linear", {x, constant({2, 3}, Floats(6))}}.error({2, 3})),
            "op 'sattn.linear': cannot multiply x of shape 2x3 by a weight of shape 2x3");
  EXPECT_EQ((Op{"sattn.linear", {x, constant({6}, Floats(6))}}.error({2, 2})),
            "op 'sattn.linear': expects x of at least one dimension and a weight of two, got 2x3 "
            "and 6");
  EXPECT_EQ((Op{"sattn.linear", {x, w, in({3}, Floats(3))}}.error({2, 2})),
            "op 'sattn.linear': expects a bias of 2 elements, got shape 3");
  EXPECT_EQ((Op{"sattn.linear", {x, w, absent(), in({2}, Floats(2))}}.error({2, 2})),
            "op 'sattn.linear': expects a residual of shape 2x2, got 2");
  EXPECT_EQ((Op{"sattn.linear", {x, w}, {{"activation", std::string("swish")}}}.error({2, 2})),
            "op 'sattn.linear': there is no activation 'swish'");
  EXPECT_EQ((Op{"sattn.linear", {x, w}}.error({2, 3})),
            "op 'sattn.linear': expects a result of shape 2x2, got 2x3");
}

//===-- sattn.attention ----------------------------------------------------===//

/// softmax(scale q k^T + mask) v of one element in double precision; hidden pairs are -infinity.
struct Reference {
  Shape q, k, v;
  const float *query, *key, *value, *mask = nullptr;
  Shape maskShape = {};
  double scale = 1;
  bool causal = false;

  double score(int64_t b, int64_t h, int64_t i, int64_t j) const {
    if (causal && j > i + k[2] - q[2])
      return -std::numeric_limits<double>::infinity();
    double sum = 0;
    for (int64_t d = 0; d < q[3]; ++d)
      sum += double(query[((b * q[1] + h) * q[2] + i) * q[3] + d]) *
             key[((b * q[1] + h) * k[2] + j) * q[3] + d];
    sum *= scale;
    if (mask) {
      const int64_t index[] = {b, h, i, j};
      int64_t at = 0;
      for (size_t d = 0; d < 4; ++d)
        at = at * maskShape[d] + (maskShape[d] == 1 ? 0 : index[d]);
      sum += mask[at];
    }
    return sum;
  }

  std::vector<double> output() const {
    std::vector<double> result;
    for (int64_t row = 0; row < q[0] * q[1] * q[2]; ++row) {
      const int64_t head = row / q[2];
      std::vector<double> weights, sums = std::vector<double>(size_t(v[3]), 0.0);
      double total = 0;
      for (int64_t j = 0; j < k[2]; ++j) {
        weights.push_back(std::exp(score(head / q[1], head % q[1], row % q[2], j)));
        total += weights.back();
        for (int64_t d = 0; d < v[3]; ++d)
          sums[size_t(d)] += weights.back() * value[(head * k[2] + j) * v[3] + d];
      }
      for (double sum : sums)
        result.push_back(total > 0 ? sum / total : 0);
    }
    return result;
  }
};

static const HostAttributes kDense = {{"scale", 0.25}, {"policy", std::string("dense")}};

static void checkAttention(const Shape &q, const Shape &k, const Shape &v, const Shape &mask,
                           bool causal) {
  Operand query = randomOperand(q, 1), key = randomOperand(k, 2), value = randomOperand(v, 3);
  Reference reference{
      q, k, v, query.tensor.as<float>(), key.tensor.as<float>(), value.tensor.as<float>()};
  reference.scale = 0.25;
  reference.causal = causal;
  Op op{"sattn.attention", {query, key, value}, kDense};
  Operand bias = mask.empty() ? absent() : randomOperand(mask, 4);
  op.inputs.push_back(bias);
  if (!mask.empty()) {
    bias.tensor.as<float>()[bias.tensor.elements() / 2] = -kInfinity;
    reference.mask = bias.tensor.as<float>();
    reference.maskShape = mask;
  }
  if (causal)
    op.attributes["causal"] = int64_t(1);
  expectNear(onAnyThreads(op, {q[0], q[1], q[2], v[3]}), reference.output(), 2e-6);
}

TEST(Attention, matches_double_precision) {
  checkAttention({2, 3, 130, 16}, {2, 3, 70, 16}, {2, 3, 70, 8}, {}, false);
  checkAttention({1, 1, 1, 1}, {1, 1, 1, 1}, {1, 1, 1, 1}, {}, false);
}

TEST(Attention, broadcasts_masks_in_every_dimension) {
  const Shape x = {2, 3, 9, 4};
  for (Shape mask : {Shape{1, 1, 1, 9}, Shape{2, 1, 1, 9}, Shape{1, 3, 9, 9}, Shape{2, 3, 9, 9},
                     Shape{1, 1, 9, 1}})
    checkAttention(x, x, x, mask, false);
}

TEST(Attention, hides_the_future) {
  checkAttention({1, 2, 70, 4}, {1, 2, 70, 4}, {1, 2, 70, 4}, {}, true);
  checkAttention({1, 2, 3, 4}, {1, 2, 8, 4}, {1, 2, 8, 4}, {1, 1, 1, 8}, true);
}

TEST(Attention, gives_zero_where_everything_is_hidden) {
  Operand x = in({1, 1, 2, 1}, {1, 2}), mask = in({1, 1, 2, 2}, {-kInfinity, -kInfinity, 0, 0});
  Op op{"sattn.attention", {x, x, in({1, 1, 2, 1}, {3, 3}), mask}, kDense};
  EXPECT_EQ(op.values({1, 1, 2, 1}), (Floats{0, 3}));
  // More queries than keys: the first see none.
  Op early{"sattn.attention", {x, in({1, 1, 1, 1}, {1}), in({1, 1, 1, 1}, {5})}, kDense};
  early.attributes["causal"] = int64_t(1);
  EXPECT_EQ(early.values({1, 1, 2, 1}), (Floats{0, 5}));
}

TEST(Attention, explains_what_does_not_fit) {
  Operand q = in({1, 1, 2, 2}, Floats(4)), k = in({1, 1, 2, 3}, Floats(6));
  EXPECT_EQ((Op{"sattn.attention", {q, k, q}, kDense}.error({1, 1, 2, 2})),
            "op 'sattn.attention': cannot attend from 1x1x2x2 to 1x1x2x3 and 1x1x2x2");
  EXPECT_EQ(
      (Op{"sattn.attention", {q, q, q, in({1, 1, 1, 3}, Floats(3))}, kDense}.error({1, 1, 2, 2})),
      "op 'sattn.attention': a mask of shape 1x1x1x3 does not broadcast to 1x1x2x2");
  EXPECT_EQ((Op{"sattn.attention", {q, q, q}, {{"policy", std::string("threshold")}}}.error(
                {1, 1, 2, 2})),
            "op 'sattn.attention': attends to every pair on the host; policy 'threshold' needs a "
            "target");
}
