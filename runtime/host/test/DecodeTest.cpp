// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- DecodeTest.cpp - one token at a time: caches, one row ---------------===//

#include "runtime/host/test/HostTest.h"
#include "runtime/support/Parallel.h"

using namespace sparsam::runtime;
using namespace sparsam::runtime::host;

static const HostAttributes kDense = {{"policy", std::string("dense")}, {"scale", 0.5}};

//===-- sattn.cache_append -------------------------------------------------===//

TEST(CacheAppend, puts_tokens_behind_those_of_each_head) {
  Op op{"sattn.cache_append",
        {in({1, 2, 3, 1}, {1, 2, 3, 4, 5, 6}), in({1, 2, 1, 1}, {8, 9}), in<int64_t>({}, {1})}};
  EXPECT_EQ(op.values({1, 2, 3, 1}), (Floats{1, 8, 3, 4, 9, 6}));
}

TEST(CacheAppend, overwrites_a_cache_that_is_its_result) {
  Tensor cache = tensorOf<float>({1, 1, 3, 1}, {1, 2, 3}),
         token = tensorOf<float>({1, 1, 1, 1}, {9});
  Tensor length = tensorOf<int64_t>({}, {2});
  std::vector<TensorView> inputs = {cache.view(), token.view(), length.view()},
                          outputs = {cache.view()};
  auto kernel = createHostKernel("sattn.cache_append", {}, inputs, outputs);
  ASSERT_TRUE(kernel.ok());
  ASSERT_TRUE((*kernel)->run(inputs, outputs).ok());
  EXPECT_EQ(cache.as<float>()[2], 9);
  EXPECT_EQ((*kernel)->bytes(), 8); // one float read, one written
}

TEST(CacheAppend, refuses_what_does_not_fit) {
  Op op{"sattn.cache_append",
        {in({1, 1, 2, 1}, {1, 2}), in({1, 1, 1, 1}, {9}), in<int64_t>({}, {2})}};
  EXPECT_EQ(op.error({1, 1, 2, 1}),
            "op 'sattn.cache_append': 1 tokens after 2 do not fit a cache of 2");
  op.inputs[1] = in({1, 1, 1, 2}, {8, 9});
  EXPECT_EQ(op.error({1, 1, 2, 1}),
            "op 'sattn.cache_append': cannot append tokens of shape 1x1x1x2 to "
            "a cache of shape 1x1x2x1");
  op.inputs[2] = in({}, {1});
  EXPECT_EQ(op.error({1, 1, 2, 1}),
            "op 'sattn.cache_append': expects the length of the cache as one int64");
}

//===-- Valid keys ---------------------------------------------------------===//

static Op attend(int64_t queries, int64_t keys, int64_t valid, bool causal) {
  Op op{"sattn.attention",
        {randomOperand({2, 3, queries, 16}, 1), randomOperand({2, 3, keys, 16}, 2),
         randomOperand({2, 3, keys, 8}, 3), absent(), absent(), absent(), in<int64_t>({}, {valid})},
        kDense};
  if (causal)
    op.attributes["causal"] = int64_t(1);
  return op;
}

/// The first `valid` keys of each head.
static Operand cut(const Operand &operand, int64_t valid) {
  const Shape &s = operand.tensor.shape();
  Tensor part(DType::f32, {s[0], s[1], valid, s[3]});
  for (int64_t head = 0; head < s[0] * s[1]; ++head)
    std::copy_n(operand.tensor.as<float>() + head * s[2] * s[3], valid * s[3],
                part.as<float>() + head * valid * s[3]);
  return {part};
}

TEST(AttentionValid, is_attention_to_fewer_keys) {
  for (int64_t queries : {1, 3, 9})
    for (bool causal : {false, true}) {
      const int64_t keys = 70, valid = 41;
      Op whole = attend(queries, keys, valid, causal), part = whole;
      part.inputs[1] = cut(whole.inputs[1], valid);
      part.inputs[2] = cut(whole.inputs[2], valid);
      part.inputs.resize(3);
      Floats expected = part.values({2, 3, queries, 8});
      EXPECT_EQ(whole.values({2, 3, queries, 8}), expected) << queries << " queries";
    }
}

TEST(AttentionValid, takes_a_mask_over_all_keys) {
  Op op = attend(1, 4, 2, false);
  op.inputs[1] = randomOperand({2, 3, 4, 16}, 5);
  op.inputs[3] = in({1, 1, 1, 4}, {-1e30f, 0, 0, 0});
  Floats actual = op.values({2, 3, 1, 8});
  for (int64_t head = 0; head < 6; ++head)
    for (int64_t d = 0; d < 8; ++d) // the second key is the only one left
      EXPECT_EQ(actual[size_t(head * 8 + d)],
                op.inputs[2].tensor.as<float>()[(head * 4 + 1) * 8 + d]);
}

TEST(AttentionValid, refuses_impossible_numbers) {
  for (int64_t valid : {0, 71})
    EXPECT_EQ(attend(1, 70, valid, false).error({2, 3, 1, 8}),
              "op 'sattn.attention': " + std::to_string(valid) + " keys cannot be valid of 70");
  Op op = attend(1, 70, 1, false);
  op.inputs[6] = in({}, {1});
  EXPECT_EQ(op.error({2, 3, 1, 8}),
            "op 'sattn.attention': expects the number of valid keys as one int64");
}

//===-- One row ------------------------------------------------------------===//

/// The product of one row equals the first row of a product of several.
static void checkOneRow(int64_t depth, int64_t width, bool transposed, const char *activation) {
  Operand weight = randomOperand(transposed ? Shape{width, depth} : Shape{depth, width}, 2, true);
  Operand x = randomOperand({1, depth}, 1), residual = randomOperand({1, width}, 4);
  Op op{"sattn.linear",
        {x, weight, randomOperand({width}, 3), residual},
        {{"activation", std::string(activation)}, {"transpose_weight", int64_t(transposed)}}};
  Op rows = op;
  rows.inputs[0].tensor = Tensor(DType::f32, {2, depth});
  std::copy_n(x.tensor.as<float>(), depth, rows.inputs[0].tensor.as<float>());
  rows.inputs[3].tensor = Tensor(DType::f32, {2, width});
  std::copy_n(residual.tensor.as<float>(), width, rows.inputs[3].tensor.as<float>());
  Floats expected = rows.values({2, width});
  std::vector<double> first(expected.begin(), expected.begin() + width);
  setThreadCount(1);
  Floats one = op.values({1, width});
  setThreadCount(3);
  EXPECT_EQ(op.values({1, width}), one);
  setThreadCount(0);
  expectNear(one, first, 2e-5);
}

TEST(LinearOfOneRow, equals_a_row_of_several) {
  for (bool transposed : {false, true})
    for (const char *activation : {"none", "gelu", "gelu_tanh", "relu", "tanh"})
      for (auto [depth, width] :
           {std::pair<int64_t, int64_t>{768, 2304}, {37, 41}, {1, 5}, {64, 4100}})
        checkOneRow(depth, width, transposed, activation);
}
