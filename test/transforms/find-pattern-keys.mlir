// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Padding may stay where the machine masks keys, whether it depends on the input or not.
// RUN: sparsam-opt %s --sattn-find-pattern="keys required" | FileCheck %s

// CHECK-LABEL: @alone
// CHECK: sattn.attention %{{.*}}, %{{.*}}, %{{.*}} mask %{{.*}} {policy = #sattn.dense
func.func @alone(%x: tensor<2x1x4x4xf32>, %p: tensor<2x1x1x4xf32>) -> tensor<2x1x4x4xf32> {
  %o = sattn.attention %x, %x, %x mask %p {scale = 5.000000e-01 : f32, policy = #sattn.dense}
      : tensor<2x1x4x4xf32>, tensor<2x1x4x4xf32>, tensor<2x1x4x4xf32>, tensor<2x1x1x4xf32> -> tensor<2x1x4x4xf32>
  return %o : tensor<2x1x4x4xf32>
}

// CHECK-LABEL: @beside_a_window
// CHECK-SAME: %[[X:.*]]: tensor<2x1x3x4xf32>, %[[P:.*]]: tensor<2x1x1x3xf32>
// CHECK-NEXT: sattn.attention %[[X]], %[[X]], %[[X]] mask %[[P]] {policy = #sattn.pattern<windows = [(-1, 3, 1)], globals = []>
func.func @beside_a_window(%x: tensor<2x1x3x4xf32>, %p: tensor<2x1x1x3xf32>) -> tensor<2x1x3x4xf32> {
  %w = arith.constant dense<[[[[0.0, 0.0, -1.0e+4], [0.0, 0.0, 0.0], [-1.0e+4, 0.0, 0.0]]]]> : tensor<1x1x3x3xf32>
  %m = onnx.Add %w, %p : (tensor<1x1x3x3xf32>, tensor<2x1x1x3xf32>) -> tensor<2x1x3x3xf32>
  %o = sattn.attention %x, %x, %x mask %m {scale = 5.000000e-01 : f32, policy = #sattn.dense}
      : tensor<2x1x3x4xf32>, tensor<2x1x3x4xf32>, tensor<2x1x3x4xf32>, tensor<2x1x3x3xf32> -> tensor<2x1x3x4xf32>
  return %o : tensor<2x1x3x4xf32>
}

// CHECK-LABEL: @causal_and_padded
// CHECK: mask %{{.*}} {policy = #sattn.pattern<windows = [(-3, 4, 1)], globals = []>
func.func @causal_and_padded(%x: tensor<2x1x4x4xf32>, %p: tensor<2x1x1x4xf32>) -> tensor<2x1x4x4xf32> {
  %o = sattn.attention %x, %x, %x mask %p {causal, scale = 5.000000e-01 : f32, policy = #sattn.dense}
      : tensor<2x1x4x4xf32>, tensor<2x1x4x4xf32>, tensor<2x1x4x4xf32>, tensor<2x1x1x4xf32> -> tensor<2x1x4x4xf32>
  return %o : tensor<2x1x4x4xf32>
}

// CHECK-LABEL: @constant
// CHECK: %[[P:.*]] = arith.constant dense<{{\[\[\[\[}}0.000000e+00, 0.000000e+00, -1.000000e+04, 0.000000e+00]]]]> : tensor<1x1x1x4xf32>
// CHECK: mask %[[P]] {policy = #sattn.pattern<windows = [(-3, 7, 1)], globals = []>
func.func @constant(%x: tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32> {
  %m = arith.constant dense<[[[[0.0, 0.0, -1.0e+9, 0.0]]]]> : tensor<1x1x1x4xf32>
  %o = sattn.attention %x, %x, %x mask %m {scale = 5.000000e-01 : f32, policy = #sattn.dense}
      : tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x1x4xf32> -> tensor<1x1x4x4xf32>
  return %o : tensor<1x1x4x4xf32>
}

// A window, a key that a constant hides, and those that the input hides.
// CHECK-LABEL: @both
// CHECK-SAME: %[[X:.*]]: tensor<2x1x4x4xf32>, %[[P:.*]]: tensor<2x1x1x4xf32>
// CHECK: %[[C:.*]] = arith.constant dense<{{\[\[\[\[}}0.000000e+00, 0.000000e+00, -1.000000e+04, 0.000000e+00]]]]> : tensor<1x1x1x4xf32>
// CHECK: %[[M:.*]] = onnx.Add %[[P]], %[[C]]
// CHECK: mask %[[M]] {policy = #sattn.pattern<windows = [(-1, 3, 1)], globals = []>
func.func @both(%x: tensor<2x1x4x4xf32>, %p: tensor<2x1x1x4xf32>) -> tensor<2x1x4x4xf32> {
  %w = arith.constant dense<[[[[0.0, 0.0, -1.0e+4, -1.0e+4], [0.0, 0.0, -1.0e+4, -1.0e+4],
                               [-1.0e+4, 0.0, -1.0e+4, 0.0], [-1.0e+4, -1.0e+4, -1.0e+4, 0.0]]]]> : tensor<1x1x4x4xf32>
  %m = onnx.Add %p, %w : (tensor<2x1x1x4xf32>, tensor<1x1x4x4xf32>) -> tensor<2x1x4x4xf32>
  %o = sattn.attention %x, %x, %x mask %m {scale = 5.000000e-01 : f32, policy = #sattn.dense}
      : tensor<2x1x4x4xf32>, tensor<2x1x4x4xf32>, tensor<2x1x4x4xf32>, tensor<2x1x4x4xf32> -> tensor<2x1x4x4xf32>
  return %o : tensor<2x1x4x4xf32>
}

// Heads of different patterns beside padding that is the same for all of them.
// CHECK-LABEL: @heads
// CHECK-SAME: %[[X:.*]]: tensor<2x2x2x4xf32>, %[[P:.*]]: tensor<2x1x1x2xf32>
// CHECK: mask %[[P]] {policy = #sattn.pattern<windows = [(-1, 2, 1)], globals = []>
// CHECK: mask %[[P]] {policy = #sattn.pattern<windows = [(-1, 3, 1)], globals = []>
func.func @heads(%x: tensor<2x2x2x4xf32>, %p: tensor<2x1x1x2xf32>) -> tensor<2x2x2x4xf32> {
  %w = arith.constant dense<[[[[0.0, -1.0e+4], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]]]> : tensor<1x2x2x2xf32>
  %m = onnx.Add %w, %p : (tensor<1x2x2x2xf32>, tensor<2x1x1x2xf32>) -> tensor<2x2x2x2xf32>
  %o = sattn.attention %x, %x, %x mask %m {scale = 5.000000e-01 : f32, policy = #sattn.dense}
      : tensor<2x2x2x4xf32>, tensor<2x2x2x4xf32>, tensor<2x2x2x4xf32>, tensor<2x2x2x2xf32> -> tensor<2x2x2x4xf32>
  return %o : tensor<2x2x2x4xf32>
}

// Padding of each head.
// CHECK-LABEL: @padded_heads
// CHECK-SAME: %[[X:.*]]: tensor<1x2x2x4xf32>, %[[P:.*]]: tensor<1x2x1x2xf32>
// CHECK: %[[OWN:.*]] = onnx.Gather %[[P]], %{{.*}} {axis = 1 : i64} : (tensor<1x2x1x2xf32>, tensor<1xi64>) -> tensor<1x1x1x2xf32>
// CHECK: mask %[[OWN]] {policy = #sattn.pattern<windows = [(-1, 2, 1)], globals = []>
func.func @padded_heads(%x: tensor<1x2x2x4xf32>, %p: tensor<1x2x1x2xf32>) -> tensor<1x2x2x4xf32> {
  %w = arith.constant dense<[[[[0.0, -1.0e+4], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]]]> : tensor<1x2x2x2xf32>
  %m = onnx.Add %w, %p : (tensor<1x2x2x2xf32>, tensor<1x2x1x2xf32>) -> tensor<1x2x2x2xf32>
  %o = sattn.attention %x, %x, %x mask %m {scale = 5.000000e-01 : f32, policy = #sattn.dense}
      : tensor<1x2x2x4xf32>, tensor<1x2x2x4xf32>, tensor<1x2x2x4xf32>, tensor<1x2x2x2xf32> -> tensor<1x2x2x4xf32>
  return %o : tensor<1x2x2x4xf32>
}

// Two rows of two tokens; a token sees its row. A hidden token behind each row keeps the window from the next one.
// CHECK-LABEL: @rows
// CHECK-SAME: %[[X:.*]]: tensor<1x1x4x4xf32>, %[[P:.*]]: tensor<1x1x1x4xf32>
// CHECK: %[[OWN:.*]] = onnx.Gather %[[P]], %{{.*}} {axis = 3 : i64} : (tensor<1x1x1x4xf32>, tensor<6xi64>) -> tensor<1x1x1x6xf32>
// CHECK: %[[TOKENS:.*]] = arith.constant dense<[0, 1, 1, 2, 3, 3]>
// CHECK: %[[Q:.*]] = onnx.Gather %[[X]], %[[TOKENS]] {axis = 2 : i64}
// CHECK: %[[HIDDEN:.*]] = arith.constant dense<{{\[\[\[\[}}0.000000e+00, 0.000000e+00, -1.000000e+04, 0.000000e+00, 0.000000e+00, -1.000000e+04]]]]>
// CHECK: %[[M:.*]] = onnx.Add %[[OWN]], %[[HIDDEN]]
// CHECK: %[[O:.*]] = sattn.attention %[[Q]], %{{.*}}, %{{.*}} mask %[[M]] {policy = #sattn.pattern<windows = [(-1, 3, 1)], globals = []>
// CHECK: %[[PLACES:.*]] = arith.constant dense<[0, 1, 3, 4]>
// CHECK: %[[R:.*]] = onnx.Gather %[[O]], %[[PLACES]] {axis = 2 : i64}
// CHECK: return %[[R]]
func.func @rows(%x: tensor<1x1x4x4xf32>, %p: tensor<1x1x1x4xf32>) -> tensor<1x1x4x4xf32> {
  %w = arith.constant dense<[[[[0.0, 0.0, -1.0e+4, -1.0e+4], [0.0, 0.0, -1.0e+4, -1.0e+4],
                               [-1.0e+4, -1.0e+4, 0.0, 0.0], [-1.0e+4, -1.0e+4, 0.0, 0.0]]]]> : tensor<1x1x4x4xf32>
  %m = onnx.Add %w, %p : (tensor<1x1x4x4xf32>, tensor<1x1x1x4xf32>) -> tensor<1x1x4x4xf32>
  %o = sattn.attention %x, %x, %x mask %m {scale = 5.000000e-01 : f32, policy = #sattn.dense}
      : tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32> -> tensor<1x1x4x4xf32>
  return %o : tensor<1x1x4x4xf32>
}
