// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s -split-input-file -raise-onnx-to-sattn -verify-diagnostics | FileCheck %s

!t = tensor<1x2x8x16xf32>
!k = tensor<1x2x16x8xf32>
!s = tensor<1x2x8x8xf32>

// CHECK: module attributes {sattn.not_raised = ["Softmax: nothing uses it"]}
func.func @unused(%x: tensor<1x2x8x8xf32>) {
  // expected-remark @+1 {{this Softmax is not raised to sattn.attention: nothing uses it}}
  %p = onnx.Softmax %x : (tensor<1x2x8x8xf32>) -> tensor<1x2x8x8xf32>
  return
}

// -----

func.func @twice(%s: tensor<1x2x8x8xf32>, %v: tensor<1x2x8x16xf32>) -> (tensor<1x2x8x16xf32>, tensor<1x2x8x8xf32>) {
  // expected-remark @+1 {{its probabilities are used more than once}}
  %p = onnx.Softmax %s : (tensor<1x2x8x8xf32>) -> tensor<1x2x8x8xf32>
  %o = onnx.MatMul %p, %v : (tensor<1x2x8x8xf32>, tensor<1x2x8x16xf32>) -> tensor<1x2x8x16xf32>
  return %o, %p : tensor<1x2x8x16xf32>, tensor<1x2x8x8xf32>
}

// -----

func.func @axis(%s: tensor<1x2x8x8xf32>, %v: tensor<1x2x8x16xf32>) -> tensor<1x2x8x16xf32> {
  // expected-remark @+1 {{it normalises another dimension than the last}}
  %p = onnx.Softmax %s {axis = 1 : i64} : (tensor<1x2x8x8xf32>) -> tensor<1x2x8x8xf32>
  %o = onnx.MatMul %p, %v : (tensor<1x2x8x8xf32>, tensor<1x2x8x16xf32>) -> tensor<1x2x8x16xf32>
  return %o : tensor<1x2x8x16xf32>
}

// -----

func.func @no_product(%s: tensor<1x2x8x8xf32>, %v: tensor<1x2x8x16xf32>) -> tensor<1x2x8x16xf32> {
  // expected-remark @+1 {{its scores come from an input, not from a MatMul}}
  %p = onnx.Softmax %s : (tensor<1x2x8x8xf32>) -> tensor<1x2x8x8xf32>
  %o = onnx.MatMul %p, %v : (tensor<1x2x8x8xf32>, tensor<1x2x8x16xf32>) -> tensor<1x2x8x16xf32>
  return %o : tensor<1x2x8x16xf32>
}

// -----

func.func @user(%s: tensor<1x8xf32>) -> tensor<1x8xf32> {
  // expected-remark @+1 {{its probabilities go to onnx.Relu, not to a MatMul}}
  %p = onnx.Softmax %s : (tensor<1x8xf32>) -> tensor<1x8xf32>
  %o = onnx.Relu %p : (tensor<1x8xf32>) -> tensor<1x8xf32>
  return %o : tensor<1x8xf32>
}

// -----

func.func @masked_before_scaled(%q: tensor<8x16xf32>, %kt: tensor<16x8xf32>, %v: tensor<8x16xf32>, %m: tensor<8x8xf32>) -> tensor<8x16xf32> {
  %four = onnx.Constant dense<4.0> : tensor<f32>
  %s = onnx.MatMul %q, %kt : (tensor<8x16xf32>, tensor<16x8xf32>) -> tensor<8x8xf32>
  %a = onnx.Add %s, %m : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  %d = onnx.Div %a, %four : (tensor<8x8xf32>, tensor<f32>) -> tensor<8x8xf32>
  // expected-remark @+1 {{its scores are masked before they are scaled}}
  %p = onnx.Softmax %d : (tensor<8x8xf32>) -> tensor<8x8xf32>
  %o = onnx.MatMul %p, %v : (tensor<8x8xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
  return %o : tensor<8x16xf32>
}

// -----

// Each head has a scale of its own.
func.func @scaled_by_many(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x8xf32>, %v: tensor<2x8x16xf32>) -> tensor<2x8x16xf32> {
  %scales = onnx.Constant dense<[[[0.25]], [[0.5]]]> : tensor<2x1x1xf32>
  %s = onnx.MatMul %q, %kt : (tensor<2x8x16xf32>, tensor<2x16x8xf32>) -> tensor<2x8x8xf32>
  %d = onnx.Mul %s, %scales : (tensor<2x8x8xf32>, tensor<2x1x1xf32>) -> tensor<2x8x8xf32>
  // expected-remark @+1 {{its scores are scaled by something else than one constant number}}
  %p = onnx.Softmax %d : (tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %o = onnx.MatMul %p, %v : (tensor<2x8x8xf32>, tensor<2x8x16xf32>) -> tensor<2x8x16xf32>
  return %o : tensor<2x8x16xf32>
}

// -----

// -100 does not hide: exp of it is small, not 0.
func.func @masked_by_little(%q: tensor<8x16xf32>, %kt: tensor<16x8xf32>, %v: tensor<8x16xf32>, %m: tensor<8x8xi1>) -> tensor<8x16xf32> {
  %little = onnx.Constant dense<-100.0> : tensor<f32>
  %s = onnx.MatMul %q, %kt : (tensor<8x16xf32>, tensor<16x8xf32>) -> tensor<8x8xf32>
  %w = onnx.Where %m, %s, %little : (tensor<8x8xi1>, tensor<8x8xf32>, tensor<f32>) -> tensor<8x8xf32>
  // expected-remark @+1 {{a Where puts something else in place of its scores than a constant of -10000 or less}}
  %p = onnx.Softmax %w : (tensor<8x8xf32>) -> tensor<8x8xf32>
  %o = onnx.MatMul %p, %v : (tensor<8x8xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
  return %o : tensor<8x16xf32>
}

// -----

func.func @grouped(%q: tensor<1x4x8x16xf32>, %k: tensor<1x2x8x16xf32>) -> tensor<1x4x8x16xf32> {
  %none = onnx.None : none
  // expected-error @+1 {{cannot be run: grouped queries (4 heads of Q, 2 of K) are not supported}}
  %y = onnx.Attention %q, %k, %k, %none : (tensor<1x4x8x16xf32>, tensor<1x2x8x16xf32>, tensor<1x2x8x16xf32>, none) -> tensor<1x4x8x16xf32>
  return %y : tensor<1x4x8x16xf32>
}

// -----

func.func @right_operand(%s: tensor<8x8xf32>, %v: tensor<8x8xf32>) -> tensor<8x8xf32> {
  // expected-remark @+1 {{its probabilities are the right operand of a MatMul}}
  %p = onnx.Softmax %s : (tensor<8x8xf32>) -> tensor<8x8xf32>
  %o = onnx.MatMul %v, %p : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  return %o : tensor<8x8xf32>
}

// -----

func.func @five_dims(%s: tensor<1x1x1x8x8xf32>) -> tensor<1x1x1x8x8xf32> {
  // expected-remark @+1 {{it has 5 dimensions, attention has 2 to 4}}
  %p = onnx.Softmax %s : (tensor<1x1x1x8x8xf32>) -> tensor<1x1x1x8x8xf32>
  return %p : tensor<1x1x1x8x8xf32>
}

// -----

func.func @dynamic(%s: tensor<?x8xf32>) -> tensor<?x8xf32> {
  // expected-remark @+1 {{its type is not a static float32 tensor}}
  %p = onnx.Softmax %s : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %p : tensor<?x8xf32>
}

// -----

// Two heads of queries share one of keys.
func.func @shared_keys(%q: tensor<1x2x8x16xf32>, %kt: tensor<1x1x16x8xf32>, %v: tensor<1x2x8x16xf32>) -> tensor<1x2x8x16xf32> {
  %s = onnx.MatMul %q, %kt : (tensor<1x2x8x16xf32>, tensor<1x1x16x8xf32>) -> tensor<1x2x8x8xf32>
  // expected-remark @+1 {{Q, K and V differ in batch or heads}}
  %p = onnx.Softmax %s : (tensor<1x2x8x8xf32>) -> tensor<1x2x8x8xf32>
  %o = onnx.MatMul %p, %v : (tensor<1x2x8x8xf32>, tensor<1x2x8x16xf32>) -> tensor<1x2x8x16xf32>
  return %o : tensor<1x2x8x16xf32>
}

// -----

func.func @fewer_dims(%q: tensor<1x2x8x16xf32>, %kt: tensor<16x8xf32>, %v: tensor<1x2x8x16xf32>) -> tensor<1x2x8x16xf32> {
  %s = onnx.MatMul %q, %kt : (tensor<1x2x8x16xf32>, tensor<16x8xf32>) -> tensor<1x2x8x8xf32>
  // expected-remark @+1 {{Q, K and V do not have its number of dimensions}}
  %p = onnx.Softmax %s : (tensor<1x2x8x8xf32>) -> tensor<1x2x8x8xf32>
  %o = onnx.MatMul %p, %v : (tensor<1x2x8x8xf32>, tensor<1x2x8x16xf32>) -> tensor<1x2x8x16xf32>
  return %o : tensor<1x2x8x16xf32>
}

// -----

// Something else than 1 - flags is subtracted: rows are not what they are without it.
func.func @product_of_other_flags(%q: tensor<2x4xf32>, %kt: tensor<4x2xf32>, %v: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %flags = onnx.Constant dense<[[1.0, 0.0], [1.0, 1.0]]> : tensor<2x2xf32>
  %hidden = onnx.Constant dense<[[5.0, 1.0e+04], [0.0, 0.0]]> : tensor<2x2xf32>
  %s = onnx.MatMul %q, %kt : (tensor<2x4xf32>, tensor<4x2xf32>) -> tensor<2x2xf32>
  %shown = onnx.Mul %s, %flags : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %m = onnx.Sub %shown, %hidden : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  // expected-remark @+1 {{its scores come from onnx.Sub, not from a MatMul}}
  %p = onnx.Softmax %m : (tensor<2x2xf32>) -> tensor<2x2xf32>
  %o = onnx.MatMul %p, %v : (tensor<2x2xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  return %o : tensor<2x4xf32>
}

// -----

// A row that shows nothing has equal probabilities, whatever its scores are.
func.func @product_that_hides_a_row(%q: tensor<2x4xf32>, %kt: tensor<4x2xf32>, %v: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %flags = onnx.Constant dense<[[1.0, 1.0], [0.0, 0.0]]> : tensor<2x2xf32>
  %hidden = onnx.Constant dense<[[0.0, 0.0], [1.0e+04, 1.0e+04]]> : tensor<2x2xf32>
  %s = onnx.MatMul %q, %kt : (tensor<2x4xf32>, tensor<4x2xf32>) -> tensor<2x2xf32>
  %shown = onnx.Mul %s, %flags : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %m = onnx.Sub %shown, %hidden : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  // expected-remark @+1 {{its scores come from onnx.Sub, not from a MatMul}}
  %p = onnx.Softmax %m : (tensor<2x2xf32>) -> tensor<2x2xf32>
  %o = onnx.MatMul %p, %v : (tensor<2x2xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  return %o : tensor<2x4xf32>
}

// -----

// The guard puts something else than 0 for a row that is hidden entirely.
func.func @other_guard(%q: tensor<2x4xf32>, %kt: tensor<4x2xf32>, %v: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %half = onnx.Constant dense<0.5> : tensor<f32>
  %s = onnx.MatMul %q, %kt : (tensor<2x4xf32>, tensor<4x2xf32>) -> tensor<2x2xf32>
  // expected-remark @+1 {{its probabilities are used more than once}}
  %p = onnx.Softmax %s : (tensor<2x2xf32>) -> tensor<2x2xf32>
  %n = onnx.IsNaN %p : (tensor<2x2xf32>) -> tensor<2x2xi1>
  %g = onnx.Where %n, %half, %p : (tensor<2x2xi1>, tensor<f32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %o = onnx.MatMul %g, %v : (tensor<2x2xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  return %o : tensor<2x4xf32>
}
