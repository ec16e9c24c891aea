// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tokens and heads that are pruned behind one layer are missing in the next.
// RUN: sparsam-opt %s --sattn-cascade="tokens=4,3 protect=0" --split-input-file | FileCheck %s --check-prefix=TOKENS
// RUN: sparsam-opt %s --sattn-cascade="heads=2,1" --split-input-file | FileCheck %s --check-prefix=HEADS
// RUN: sparsam-opt %s --sattn-cascade="tokens=4,4 heads=2,2" --split-input-file | FileCheck %s --check-prefix=NONE
// NONE-NOT: top_k

// Projection, reshape, transpose, the residual and the mask follow the three survivors; the result has all places.
// TOKENS-LABEL: @two_layers(
// TOKENS: %[[Z:.*]] = arith.constant dense<0.000000e+00> : tensor<1x4xf32>
// TOKENS: %[[O:.*]], %[[S:.*]] = sattn.attention {{.*}} mask %{{.*}} token_scores %[[Z]] {{.*}} -> tensor<1x2x4x2xf32> token_scores tensor<1x4xf32>
// TOKENS: %[[I:.*]] = sattn.top_k %[[S]] {k = 3 : i64, protect = array<i64: 0>} : tensor<1x4xf32> -> tensor<1x3xi64>
// TOKENS: %[[OK:.*]] = sattn.gather %[[O]], %[[I]] {dim = 2 : i64} : {{.*}} -> tensor<1x2x3x2xf32>
// TOKENS: onnx.Transpose %[[OK]] {{.*}} -> tensor<1x3x2x2xf32>
// TOKENS: onnx.Reshape {{.*}} -> tensor<1x3x4xf32>
// TOKENS: %[[XK:.*]] = sattn.gather %{{.*}}, %[[I]] {dim = 1 : i64} : tensor<1x4x4xf32>, {{.*}} -> tensor<1x3x4xf32>
// TOKENS: sattn.linear {{.*}} residual %[[XK]] : {{.*}} -> tensor<1x3x4xf32>
// TOKENS: %[[MK:.*]] = sattn.gather %{{.*}}, %[[I]] {dim = 3 : i64} : tensor<1x1x1x4xf32>, {{.*}} -> tensor<1x1x1x3xf32>
// TOKENS: sattn.attention {{.*}} mask %[[MK]] {{.*}} -> tensor<1x2x3x2xf32>
// TOKENS: %[[R:.*]] = sattn.scatter %{{.*}}, %[[I]] {dim = 1 : i64} : tensor<1x3x4xf32>, tensor<1x3xi64> -> tensor<1x4x4xf32>
// TOKENS: return %[[R]]

// HEADS-LABEL: @two_layers(
// HEADS: %{{.*}}, %[[S:.*]] = sattn.attention {{.*}} head_scores
// HEADS: %[[I:.*]] = sattn.top_k %[[S]] {k = 1 : i64} : tensor<1x2xf32> -> tensor<1x1xi64>
// HEADS-COUNT-3: sattn.gather %{{.*}}, %[[I]] {dim = 1 : i64} : tensor<1x2x4x2xf32>, tensor<1x1xi64> -> tensor<1x1x4x2xf32>
// HEADS: %[[O:.*]] = sattn.attention {{.*}} -> tensor<1x1x4x2xf32>
// HEADS: sattn.scatter %[[O]], %[[I]] {dim = 1 : i64} : tensor<1x1x4x2xf32>, tensor<1x1xi64> -> tensor<1x2x4x2xf32>
func.func @two_layers(%x: tensor<1x4x4xf32>, %w: tensor<4x4xf32>, %m: tensor<1x1x1x4xf32>) -> tensor<1x4x4xf32> {
  %split = onnx.Constant dense<[1, 4, 2, 2]> : tensor<4xi64>
  %join = onnx.Constant dense<[1, 4, 4]> : tensor<3xi64>
  %r0 = onnx.Reshape %x, %split : (tensor<1x4x4xf32>, tensor<4xi64>) -> tensor<1x4x2x2xf32>
  %q0 = onnx.Transpose %r0 {perm = array<i64: 0, 2, 1, 3>} : (tensor<1x4x2x2xf32>) -> tensor<1x2x4x2xf32>
  %o0 = sattn.attention %q0, %q0, %q0 mask %m {sattn.name = "attention_0", scale = 1.0 : f32, policy = #sattn.dense} : tensor<1x2x4x2xf32>, tensor<1x2x4x2xf32>, tensor<1x2x4x2xf32>, tensor<1x1x1x4xf32> -> tensor<1x2x4x2xf32>
  %t0 = onnx.Transpose %o0 {perm = array<i64: 0, 2, 1, 3>} : (tensor<1x2x4x2xf32>) -> tensor<1x4x2x2xf32>
  %j0 = onnx.Reshape %t0, %join : (tensor<1x4x2x2xf32>, tensor<3xi64>) -> tensor<1x4x4xf32>
  %x1 = sattn.linear %j0, %w residual %x : tensor<1x4x4xf32>, tensor<4x4xf32> residual tensor<1x4x4xf32> -> tensor<1x4x4xf32>
  %r1 = onnx.Reshape %x1, %split : (tensor<1x4x4xf32>, tensor<4xi64>) -> tensor<1x4x2x2xf32>
  %q1 = onnx.Transpose %r1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<1x4x2x2xf32>) -> tensor<1x2x4x2xf32>
  %o1 = sattn.attention %q1, %q1, %q1 mask %m {sattn.name = "attention_1", scale = 1.0 : f32, policy = #sattn.dense} : tensor<1x2x4x2xf32>, tensor<1x2x4x2xf32>, tensor<1x2x4x2xf32>, tensor<1x1x1x4xf32> -> tensor<1x2x4x2xf32>
  %t1 = onnx.Transpose %o1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<1x2x4x2xf32>) -> tensor<1x4x2x2xf32>
  %j1 = onnx.Reshape %t1, %join : (tensor<1x4x2x2xf32>, tensor<3xi64>) -> tensor<1x4x4xf32>
  %x2 = onnx.Add %j1, %x1 : (tensor<1x4x4xf32>, tensor<1x4x4xf32>) -> tensor<1x4x4xf32>
  return %x2 : tensor<1x4x4xf32>
}

// -----

// A mean over tokens needs all places: the survivors go back before it.
// TOKENS-LABEL: @needs_all_positions(
// TOKENS: %[[K:.*]] = sattn.attention {{.*}} -> tensor<1x2x3x2xf32>
// TOKENS: %[[ALL:.*]] = sattn.scatter %[[K]], {{.*}} -> tensor<1x2x4x2xf32>
// TOKENS: onnx.ReduceMean %[[ALL]]
func.func @needs_all_positions(%x: tensor<1x2x4x2xf32>) -> tensor<1x2x1x2xf32> {
  %axes = onnx.Constant dense<[2]> : tensor<1xi64>
  %o0 = sattn.attention %x, %x, %x {scale = 1.0 : f32, policy = #sattn.dense} : tensor<1x2x4x2xf32>, tensor<1x2x4x2xf32>, tensor<1x2x4x2xf32> -> tensor<1x2x4x2xf32>
  %o1 = sattn.attention %o0, %o0, %o0 {scale = 1.0 : f32, policy = #sattn.dense} : tensor<1x2x4x2xf32>, tensor<1x2x4x2xf32>, tensor<1x2x4x2xf32> -> tensor<1x2x4x2xf32>
  %y = onnx.ReduceMean %o1, %axes {keepdims = 1 : i64} : (tensor<1x2x4x2xf32>, tensor<1xi64>) -> tensor<1x2x1x2xf32>
  return %y : tensor<1x2x1x2xf32>
}
