// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s -raise-onnx-to-sattn | FileCheck %s

// CHECK-LABEL: @bias_gelu
func.func @bias_gelu(%x: tensor<1x8x4xf32>) -> tensor<1x8x2xf32> {
  // CHECK: sattn.linear %arg0, %{{.*}} bias %{{.*}} {activation = #sattn.activation<gelu>}
  // CHECK-NEXT: return
  %w = onnx.Constant dense<1.0> : tensor<4x2xf32>
  %b = onnx.Constant dense<2.0> : tensor<2xf32>
  %y = onnx.MatMul %x, %w : (tensor<1x8x4xf32>, tensor<4x2xf32>) -> tensor<1x8x2xf32>
  %a = onnx.Add %b, %y : (tensor<2xf32>, tensor<1x8x2xf32>) -> tensor<1x8x2xf32>
  %g = onnx.Gelu %a : (tensor<1x8x2xf32>) -> tensor<1x8x2xf32>
  return %g : tensor<1x8x2xf32>
}

// A layer over [batch * tokens, width], as exporters write Gemm: its activation and residual have another shape.
// CHECK-LABEL: @flat
func.func @flat(%x: tensor<2x8x4xf32>, %r: tensor<2x8x2xf32>) -> tensor<2x8x2xf32> {
  // CHECK: %[[Y:.*]] = sattn.linear %{{.*}}, %{{.*}} bias %{{.*}} residual %arg1 : tensor<2x8x4xf32>
  // CHECK-NEXT: return %[[Y]]
  %w = onnx.Constant dense<1.0> : tensor<4x2xf32>
  %b = onnx.Constant dense<2.0> : tensor<2xf32>
  %two = onnx.Constant dense<[16, 4]> : tensor<2xi64>
  %three = onnx.Constant dense<[2, 8, 2]> : tensor<3xi64>
  %flat = onnx.Reshape %x, %two : (tensor<2x8x4xf32>, tensor<2xi64>) -> tensor<16x4xf32>
  %y = onnx.Gemm %flat, %w, %b : (tensor<16x4xf32>, tensor<4x2xf32>, tensor<2xf32>) -> tensor<16x2xf32>
  %tokens = onnx.Reshape %y, %three : (tensor<16x2xf32>, tensor<3xi64>) -> tensor<2x8x2xf32>
  %a = onnx.Add %tokens, %r : (tensor<2x8x2xf32>, tensor<2x8x2xf32>) -> tensor<2x8x2xf32>
  return %a : tensor<2x8x2xf32>
}

// CHECK-LABEL: @residual
func.func @residual(%x: tensor<1x8x4xf32>, %r: tensor<1x8x2xf32>) -> tensor<1x8x2xf32> {
  // CHECK: sattn.linear %arg0, %{{.*}} residual %arg1
  %w = onnx.Constant dense<1.0> : tensor<4x2xf32>
  %y = onnx.MatMul %x, %w : (tensor<1x8x4xf32>, tensor<4x2xf32>) -> tensor<1x8x2xf32>
  %a = onnx.Add %r, %y : (tensor<1x8x2xf32>, tensor<1x8x2xf32>) -> tensor<1x8x2xf32>
  return %a : tensor<1x8x2xf32>
}

// CHECK-LABEL: @gemm
func.func @gemm(%x: tensor<8x4xf32>) -> tensor<8x2xf32> {
  // CHECK: sattn.linear %arg0, %{{.*}} bias %{{.*}} {transpose_weight}
  %w = onnx.Constant dense<1.0> : tensor<2x4xf32>
  %b = onnx.Constant dense<2.0> : tensor<2xf32>
  %y = onnx.Gemm %x, %w, %b {transB = 1 : i64} : (tensor<8x4xf32>, tensor<2x4xf32>, tensor<2xf32>) -> tensor<8x2xf32>
  return %y : tensor<8x2xf32>
}

// A product that is used twice keeps its own value.
// CHECK-LABEL: @two_uses
func.func @two_uses(%x: tensor<8x4xf32>, %r: tensor<8x2xf32>) -> (tensor<8x2xf32>, tensor<8x2xf32>) {
  // CHECK: sattn.linear
  // CHECK: onnx.Add
  %w = onnx.Constant dense<1.0> : tensor<4x2xf32>
  %y = onnx.MatMul %x, %w : (tensor<8x4xf32>, tensor<4x2xf32>) -> tensor<8x2xf32>
  %a = onnx.Add %y, %r : (tensor<8x2xf32>, tensor<8x2xf32>) -> tensor<8x2xf32>
  return %y, %a : tensor<8x2xf32>, tensor<8x2xf32>
}
