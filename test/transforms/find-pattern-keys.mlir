// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Padding, which depends on the input, may stay where the machine masks keys.
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
