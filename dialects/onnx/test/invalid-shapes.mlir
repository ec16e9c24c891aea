// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What shape rules refuse. Constants are operands here: what they say decides the shapes.
// RUN: sparsam-opt %s -split-input-file -onnx-infer-shapes -verify-diagnostics

func.func @cast(%x: tensor<2xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{cannot convert to ONNX type 99}}
  %y = onnx.Cast %x {to = 99 : i64} : (tensor<2xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @broadcast(%x: tensor<2x3xf32>, %y: tensor<2x4xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{cannot broadcast 'tensor<2x4xf32>' with the operands before it, which have the shape [2, 3]}}
  %z = onnx.Add %x, %y : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<*xf32>
  return %z : tensor<*xf32>
}

// -----

func.func @too_many_elements(%x: tensor<1099511627776x1xf32>, %y: tensor<1x1099511627776xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{makes a tensor of more than 1099511627776 elements}}
  %z = onnx.MatMul %x, %y : (tensor<1099511627776x1xf32>, tensor<1x1099511627776xf32>) -> tensor<*xf32>
  return %z : tensor<*xf32>
}

// -----

func.func @element_types(%x: tensor<2xf32>, %y: tensor<2xi64>) -> tensor<*xf32> {
  // expected-error @+1 {{mixes element types 'f32' and 'i64'}}
  %z = onnx.Add %x, %y : (tensor<2xf32>, tensor<2xi64>) -> tensor<*xf32>
  return %z : tensor<*xf32>
}

// -----

func.func @gemm(%x: tensor<2x3x4xf32>, %y: tensor<4x5xf32>) -> tensor<*xf32> {
  %none = onnx.None : none
  // expected-error @+1 {{multiplies matrices, got 'tensor<2x3x4xf32>' and 'tensor<4x5xf32>'}}
  %z = onnx.Gemm %x, %y, %none : (tensor<2x3x4xf32>, tensor<4x5xf32>, none) -> tensor<*xf32>
  return %z : tensor<*xf32>
}

// -----

func.func @attention_heads(%x: tensor<1x8x16xf32>) -> tensor<*xf32> {
  %none = onnx.None : none
  // expected-error @+1 {{of three dimensions needs q_num_heads and kv_num_heads}}
  %y = onnx.Attention %x, %x, %x, %none : (tensor<1x8x16xf32>, tensor<1x8x16xf32>, tensor<1x8x16xf32>, none) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @ms_attention(%x: tensor<1x8x16xf32>, %w: tensor<16x40xf32>) -> tensor<*xf32> {
  %none = onnx.None : none
  // expected-error @+1 {{expects input [batch, tokens, size] and weights [size, 3 * hidden], got 'tensor<1x8x16xf32>' and 'tensor<16x40xf32>'}}
  %y = onnx.MSAttention %x, %w, %none, %none, %none {num_heads = 2 : i64} : (tensor<1x8x16xf32>, tensor<16x40xf32>, none, none, none) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @ms_multi_head_attention(%x: tensor<1x8x16xf32>, %v: tensor<1x2x8x8xf32>) -> tensor<*xf32> {
  %none = onnx.None : none
  // expected-error @+1 {{expects query and value [batch, tokens, hidden], got 'tensor<1x8x16xf32>' and 'tensor<1x2x8x8xf32>'}}
  %y = onnx.MSMultiHeadAttention %x, %x, %v, %none, %none, %none {num_heads = 2 : i64}
    : (tensor<1x8x16xf32>, tensor<1x8x16xf32>, tensor<1x2x8x8xf32>, none, none, none) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @too_many_elements() -> tensor<*xf32> {
  %s = onnx.Constant dense<[2097152, 2097152]> : tensor<2xi64>
  // expected-error @+1 {{makes a tensor of more than 1099511627776 elements}}
  %y = onnx.ConstantOfShape %s : (tensor<2xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @constant_of_shape() -> tensor<*xf32> {
  %s = onnx.Constant dense<2> : tensor<1xi64>
  // expected-error @+1 {{repeats one value, got 2}}
  %y = onnx.ConstantOfShape %s {value = dense<[1.0, 2.0]> : tensor<2xf32>} : (tensor<1xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @range() -> tensor<*xi64> {
  %zero = onnx.Constant dense<0> : tensor<i64>
  %two = onnx.Constant dense<2> : tensor<i64>
  // expected-error @+1 {{counts from one start to one limit in steps that are not 0}}
  %y = onnx.Range %zero, %two, %zero : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<*xi64>
  return %y : tensor<*xi64>
}

// -----

func.func @reshape_keeps(%x: tensor<2x3xf32>) -> tensor<*xf32> {
  %s = onnx.Constant dense<[2, 3, 0]> : tensor<3xi64>
  // expected-error @+1 {{keeps dimension 2 of an operand that has 2 dimensions}}
  %y = onnx.Reshape %x, %s : (tensor<2x3xf32>, tensor<3xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @reshape_infers(%x: tensor<2x3xf32>) -> tensor<*xf32> {
  %s = onnx.Constant dense<-1> : tensor<2xi64>
  // expected-error @+1 {{has more than one -1 in its shape}}
  %y = onnx.Reshape %x, %s : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @reshape_overflows(%x: tensor<2x3xf32>) -> tensor<*xf32> {
  %s = onnx.Constant dense<[2097152, 2097152]> : tensor<2xi64>
  // expected-error @+1 {{makes a tensor of more than 1099511627776 elements}}
  %y = onnx.Reshape %x, %s : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @squeeze(%x: tensor<1x3xf32>) -> tensor<*xf32> {
  %a = onnx.Constant dense<1> : tensor<1xi64>
  // expected-error @+1 {{removes a dimension of 3 elements}}
  %y = onnx.Squeeze %x, %a : (tensor<1x3xf32>, tensor<1xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @tile_rank(%x: tensor<1x3xf32>) -> tensor<*xf32> {
  %r = onnx.Constant dense<2> : tensor<1xi64>
  // expected-error @+1 {{has 1 repeats for 2 dimensions}}
  %y = onnx.Tile %x, %r : (tensor<1x3xf32>, tensor<1xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @tile_repeats(%x: tensor<3xf32>) -> tensor<*xf32> {
  %r = onnx.Constant dense<-2> : tensor<1xi64>
  // expected-error @+1 {{repeats -2 times}}
  %y = onnx.Tile %x, %r : (tensor<3xf32>, tensor<1xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @slice_step(%x: tensor<3xf32>) -> tensor<*xf32> {
  %zero = onnx.Constant dense<0> : tensor<1xi64>
  %two = onnx.Constant dense<2> : tensor<1xi64>
  // expected-error @+1 {{has a step of 0}}
  %y = onnx.Slice %x, %zero, %two, %zero, %zero : (tensor<3xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @concat_nothing() -> tensor<*xf32> {
  // expected-error @+1 {{joins at least one tensor}}
  %y = "onnx.Concat"() {axis = 0 : i64} : () -> tensor<*xf32>
  return %y : tensor<*xf32>
}
