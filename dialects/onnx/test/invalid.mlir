// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s -split-input-file -onnx-infer-shapes -verify-diagnostics

func.func @matmul(%a: tensor<2x3xf32>, %b: tensor<4x5xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{'onnx.MatMul' op cannot multiply 'tensor<2x3xf32>' by 'tensor<4x5xf32>'}}
  %y = onnx.MatMul %a, %b : (tensor<2x3xf32>, tensor<4x5xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @reshape_count(%x: tensor<2x3xf32>) -> tensor<4x2xf32> {
  %s = onnx.Constant dense<[4, 2]> : tensor<2xi64>
  // expected-error @+1 {{cannot turn 'tensor<2x3xf32>' into shape}}
  %y = onnx.Reshape %x, %s : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// -----

// The number that MLIR uses for a dynamic extent, and products beyond 64 bits.
func.func @reshape_extreme(%x: tensor<2x3xf32>) -> tensor<*xf32> {
  %s = onnx.Constant dense<[-9223372036854775808, 9223372036854775807]> : tensor<2xi64>
  // expected-error @+1 {{makes a tensor with an extent of -9223372036854775808}}
  %y = onnx.Reshape %x, %s : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @split_overflow(%x: tensor<2x3xf32>) -> tensor<*xf32> {
  %s = onnx.Constant dense<9223372036854775807> : tensor<2xi64>
  // expected-error @+1 {{makes a tensor with an extent of 9223372036854775807}}
  %y:2 = onnx.Split %x, %s {axis = 1 : i64} : (tensor<2x3xf32>, tensor<2xi64>) -> (tensor<*xf32>, tensor<*xf32>)
  return %y#0 : tensor<*xf32>
}

// -----

func.func @axis(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  // expected-error @+1 {{has axis 2, but its tensor has 2 dimensions}}
  %y = onnx.Softmax %x {axis = 2 : i64} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}

// -----

func.func @perm(%x: tensor<2x3xf32>) -> tensor<2x2xf32> {
  // expected-error @+1 {{that is no permutation of 2 dimensions}}
  %y = onnx.Transpose %x {perm = array<i64: 0, 0>} : (tensor<2x3xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// -----

func.func @gelu(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  // expected-error @+1 {{knows approximate = "none" and "tanh", got "fast"}}
  %y = onnx.Gelu %x {approximate = "fast"} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}

// -----

func.func @declared(%x: tensor<2x3xf32>) -> tensor<2x4xf32> {
  // expected-error @+1 {{result 0 is declared as 'tensor<2x4xf32>', but its operands make it 'tensor<2x3xf32>'}}
  %y = onnx.Relu %x : (tensor<2x3xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

func.func @dynamic(%x: tensor<6xf32>, %s: tensor<2xi64>) -> tensor<*xf32> {
  // expected-error @+2 {{has no static shape: 'tensor<*xf32>' depends on values that are known only when the model runs}}
  // expected-note @+1 {{shapes must follow from the shapes of the inputs (--shape name=1x128) and from constants}}
  %y = onnx.Reshape %x, %s : (tensor<6xf32>, tensor<2xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}
