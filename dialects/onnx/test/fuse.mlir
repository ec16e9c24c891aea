// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s -onnx-fuse | FileCheck %s

// CHECK-LABEL: @gelu_erf
func.func @gelu_erf(%x: tensor<2x8xf32>) -> tensor<2x8xf32> {
  // CHECK: %[[Y:.*]] = onnx.Gelu %arg0 : (tensor<2x8xf32>) -> tensor<2x8xf32>
  // CHECK: return %[[Y]]
  %sqrt2 = onnx.Constant dense<1.41421354> : tensor<f32>
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %half = onnx.Constant dense<0.5> : tensor<f32>
  %d = onnx.Div %x, %sqrt2 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %e = onnx.Erf %d : (tensor<2x8xf32>) -> tensor<2x8xf32>
  %a = onnx.Add %e, %one : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %m = onnx.Mul %x, %a : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  %y = onnx.Mul %m, %half : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  return %y : tensor<2x8xf32>
}

// CHECK-LABEL: @gelu_tanh
func.func @gelu_tanh(%x: tensor<2x8xf32>) -> tensor<2x8xf32> {
  // CHECK: onnx.Gelu %arg0 {approximate = "tanh"}
  %half = onnx.Constant dense<0.5> : tensor<f32>
  %three = onnx.Constant dense<3.0> : tensor<f32>
  %c = onnx.Constant dense<0.0447149985> : tensor<f32>
  %s = onnx.Constant dense<0.797884583> : tensor<f32>
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %h = onnx.Mul %x, %half : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %p = onnx.Pow %x, %three : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %t = onnx.Mul %p, %c : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %u = onnx.Add %x, %t : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  %w = onnx.Mul %u, %s : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %th = onnx.Tanh %w : (tensor<2x8xf32>) -> tensor<2x8xf32>
  %o = onnx.Add %th, %one : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %y = onnx.Mul %h, %o : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  return %y : tensor<2x8xf32>
}

// Another factor is no GELU.
// CHECK-LABEL: @not_gelu
// CHECK-NOT: onnx.Gelu
func.func @not_gelu(%x: tensor<2x8xf32>) -> tensor<2x8xf32> {
  %sqrt2 = onnx.Constant dense<1.41421354> : tensor<f32>
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %third = onnx.Constant dense<0.3> : tensor<f32>
  %d = onnx.Div %x, %sqrt2 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %e = onnx.Erf %d : (tensor<2x8xf32>) -> tensor<2x8xf32>
  %a = onnx.Add %e, %one : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  %m = onnx.Mul %x, %a : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
  %y = onnx.Mul %m, %third : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
  return %y : tensor<2x8xf32>
}

// CHECK-LABEL: @layer_norm
func.func @layer_norm(%x: tensor<2x4x8xf32>, %w: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<2x4x8xf32> {
  // CHECK: onnx.LayerNormalization %arg0, %arg1, %arg2 {epsilon = 9.99999996E-13 : f32}
  %axes = onnx.Constant dense<-1> : tensor<1xi64>
  %two = onnx.Constant dense<2.0> : tensor<f32>
  %eps = onnx.Constant dense<1.0e-12> : tensor<f32>
  %mean = onnx.ReduceMean %x, %axes : (tensor<2x4x8xf32>, tensor<1xi64>) -> tensor<2x4x1xf32>
  %c = onnx.Sub %x, %mean : (tensor<2x4x8xf32>, tensor<2x4x1xf32>) -> tensor<2x4x8xf32>
  %sq = onnx.Pow %c, %two : (tensor<2x4x8xf32>, tensor<f32>) -> tensor<2x4x8xf32>
  %var = onnx.ReduceMean %sq, %axes : (tensor<2x4x8xf32>, tensor<1xi64>) -> tensor<2x4x1xf32>
  %e = onnx.Add %var, %eps : (tensor<2x4x1xf32>, tensor<f32>) -> tensor<2x4x1xf32>
  %s = onnx.Sqrt %e : (tensor<2x4x1xf32>) -> tensor<2x4x1xf32>
  %d = onnx.Div %c, %s : (tensor<2x4x8xf32>, tensor<2x4x1xf32>) -> tensor<2x4x8xf32>
  %m = onnx.Mul %d, %w : (tensor<2x4x8xf32>, tensor<8xf32>) -> tensor<2x4x8xf32>
  %y = onnx.Add %m, %b : (tensor<2x4x8xf32>, tensor<8xf32>) -> tensor<2x4x8xf32>
  return %y : tensor<2x4x8xf32>
}
