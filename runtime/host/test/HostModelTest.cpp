// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- HostModelTest.cpp - what host kernels cost -------------------------===//

#include "runtime/host/HostModel.h"
#include "runtime/host/test/HostTest.h"

using namespace sparsam::runtime;
using namespace sparsam::runtime::host;

TEST(HostModel, takes_the_longer_of_arithmetic_and_traffic) {
  HostModel model;
  const double bytesPerFlop = model.bandwidth / model.gigaflops;
  const double flops = 2 * model.gigaflops * 1e9;
  EXPECT_DOUBLE_EQ(model.seconds(flops, 0), 2);
  EXPECT_DOUBLE_EQ(model.seconds(0, model.bandwidth * 1e9), 1);
  EXPECT_DOUBLE_EQ(model.seconds(flops, flops * bytesPerFlop), 2);
  EXPECT_DOUBLE_EQ(model.seconds(flops, 3 * flops * bytesPerFlop), 6);
  model.gigaflops *= 2;
  EXPECT_DOUBLE_EQ(model.seconds(flops, 0), 1);
}

static double flopsOf(const Op &op, Shape shape) {
  std::vector<TensorView> inputs;
  for (const Operand &operand : op.inputs)
    inputs.push_back(operand.tensor.view());
  auto kernel = createHostKernel(op.name, op.attributes, inputs, {{DType::f32, std::move(shape)}});
  EXPECT_TRUE(kernel.ok());
  return kernel.ok() ? (*kernel)->flops() : -1;
}

TEST(HostModel, counts_the_operations_of_kernels) {
  Operand x = in({2, 3}, Floats(6)), w = in({3, 4}, Floats(12));
  EXPECT_EQ(flopsOf({"sattn.linear", {x, w}}, {2, 4}), 2 * 2 * 3 * 4);
  EXPECT_EQ(flopsOf({"onnx.MatMul", {x, w}}, {2, 4}), 2 * 2 * 3 * 4);
  EXPECT_EQ(flopsOf({"onnx.Add", {x, x}}, {2, 3}), 6);
  EXPECT_EQ(flopsOf({"onnx.Reshape", {x, list({6})}}, {6}), 0);
  // Scores and values, and five operations of softmax for each pair.
  const int64_t heads = 3, queries = 5, keys = 7, dim = 2, valueDim = 4;
  Operand q = randomOperand({1, heads, queries, dim}, 1),
          k = randomOperand({1, heads, keys, dim}, 2);
  Operand v = randomOperand({1, heads, keys, valueDim}, 3);
  EXPECT_EQ(flopsOf({"sattn.attention", {q, k, v}}, {1, heads, queries, valueDim}),
            heads * queries * keys * (2 * dim + 2 * valueDim + 5));
}
