// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s -raise-onnx-to-sattn -canonicalize | FileCheck %s

!t = tensor<1x2x8x16xf32>
!k = tensor<1x2x16x8xf32>
!s = tensor<1x2x8x8xf32>

// Scaled by Div after the product, masked by Add; one Transpose of K from [batch, tokens, heads, size].
// CHECK-LABEL: @bert
func.func @bert(%q: !t, %k4: tensor<1x8x2x16xf32>, %v: !t, %mask: tensor<1x1x1x8xf32>) -> !t {
  // CHECK: %[[K:.*]] = onnx.Transpose %arg1 {perm = array<i64: 0, 2, 1, 3>}
  // CHECK: %[[O:.*]] = sattn.attention %arg0, %[[K]], %arg2 mask %arg3 {policy = #sattn.dense, sattn.name = "attention_0", scale = 2.500000e-01 : f32}
  // CHECK: return %[[O]]
  %four = onnx.Constant dense<4.0> : tensor<f32>
  %kt = onnx.Transpose %k4 {perm = array<i64: 0, 2, 3, 1>} : (tensor<1x8x2x16xf32>) -> !k
  %s = onnx.MatMul %q, %kt : (!t, !k) -> !s
  %d = onnx.Div %s, %four : (!s, tensor<f32>) -> !s
  %m = onnx.Add %d, %mask : (!s, tensor<1x1x1x8xf32>) -> !s
  %p = onnx.Softmax %m : (!s) -> !s
  %o = onnx.MatMul %p, %v : (!s, !t) -> !t
  return %o : !t
}

// Scaled by Mul on both operands before the product.
// CHECK-LABEL: @scale_on_q_and_k
func.func @scale_on_q_and_k(%q: !t, %k: !t, %v: !t) -> !t {
  // CHECK: sattn.attention %arg0, %arg1, %arg2 {{.*}}"attention_1", scale = 2.500000e-01 : f32
  %half = onnx.Constant dense<0.5> : tensor<f32>
  %qs = onnx.Mul %q, %half : (!t, tensor<f32>) -> !t
  %ks = onnx.Mul %half, %k : (tensor<f32>, !t) -> !t
  %kt = onnx.Transpose %ks {perm = array<i64: 0, 1, 3, 2>} : (!t) -> !k
  %s = onnx.MatMul %qs, %kt : (!t, !k) -> !s
  %p = onnx.Softmax %s {axis = 3 : i64} : (!s) -> !s
  %o = onnx.MatMul %p, %v : (!s, !t) -> !t
  return %o : !t
}

// Chosen by Where, with a Cast that does nothing in between.
// CHECK-LABEL: @where
func.func @where(%q: !t, %kt: !k, %v: !t, %keep: tensor<1x1x8x8xi1>) -> !t {
  // CHECK: %[[M:.*]] = onnx.Where %arg3, %{{.*}}, %{{.*}} : (tensor<1x1x8x8xi1>, tensor<f32>, tensor<f32>) -> tensor<1x1x8x8xf32>
  // CHECK: sattn.attention %arg0, %{{.*}}, %arg2 mask %[[M]] {{.*}}scale = 1.000000e+00 : f32
  %low = onnx.Constant dense<-3.40282347e+38> : tensor<f32>
  %s = onnx.MatMul %q, %kt : (!t, !k) -> !s
  %w = onnx.Where %keep, %s, %low : (tensor<1x1x8x8xi1>, !s, tensor<f32>) -> !s
  %p = onnx.Softmax %w : (!s) -> !s
  %c = onnx.Cast %p {to = 1 : i64} : (!s) -> !s
  %o = onnx.MatMul %c, %v : (!s, !t) -> !t
  return %o : !t
}

// A constant mask that hides the future.
// CHECK-LABEL: @causal
func.func @causal(%q: tensor<3x16xf32>, %kt: tensor<16x3xf32>, %v: tensor<3x16xf32>) -> tensor<3x16xf32> {
  // CHECK: sattn.attention {{.*}} {causal, policy = #sattn.dense, {{.*}} : tensor<1x1x3x16xf32>
  // CHECK: onnx.Reshape {{.*}} -> tensor<3x16xf32>
  %keep = onnx.Constant dense<[[true, false, false], [true, true, false], [true, true, true]]> : tensor<3x3xi1>
  %low = onnx.Constant dense<-3.40282347e+38> : tensor<f32>
  %s = onnx.MatMul %q, %kt : (tensor<3x16xf32>, tensor<16x3xf32>) -> tensor<3x3xf32>
  %w = onnx.Where %keep, %s, %low : (tensor<3x3xi1>, tensor<3x3xf32>, tensor<f32>) -> tensor<3x3xf32>
  %p = onnx.Softmax %w : (tensor<3x3xf32>) -> tensor<3x3xf32>
  %o = onnx.MatMul %p, %v : (tensor<3x3xf32>, tensor<3x16xf32>) -> tensor<3x16xf32>
  return %o : tensor<3x16xf32>
}

// Heads and batch in one dimension.
// CHECK-LABEL: @three_dims
func.func @three_dims(%q: tensor<6x8x16xf32>, %kt: tensor<6x16x8xf32>, %v: tensor<6x8x16xf32>) -> tensor<6x8x16xf32> {
  // CHECK: sattn.attention {{.*}} : tensor<1x6x8x16xf32>
  %s = onnx.MatMul %q, %kt : (tensor<6x8x16xf32>, tensor<6x16x8xf32>) -> tensor<6x8x8xf32>
  %p = onnx.Softmax %s : (tensor<6x8x8xf32>) -> tensor<6x8x8xf32>
  %o = onnx.MatMul %p, %v : (tensor<6x8x8xf32>, tensor<6x8x16xf32>) -> tensor<6x8x16xf32>
  return %o : tensor<6x8x16xf32>
}

// CHECK-LABEL: @operator
func.func @operator(%q: tensor<1x8x32xf32>, %mask: tensor<8x8xi1>) -> tensor<1x8x32xf32> {
  // CHECK: sattn.attention {{.*}} mask {{.*}} {policy = #sattn.dense, sattn.name = "attention_5", scale = 2.500000e-01 : f32} : tensor<1x2x8x16xf32>
  %y = onnx.Attention %q, %q, %q, %mask {q_num_heads = 2 : i64, kv_num_heads = 2 : i64}
      : (tensor<1x8x32xf32>, tensor<1x8x32xf32>, tensor<1x8x32xf32>, tensor<8x8xi1>) -> tensor<1x8x32xf32>
  return %y : tensor<1x8x32xf32>
}

// Query i sees keys up to i, which is not up to i + keys - queries.
// CHECK-LABEL: @causal_operator
func.func @causal_operator(%q: tensor<1x2x2x16xf32>, %k: tensor<1x2x3x16xf32>) -> tensor<1x2x2x16xf32> {
  // CHECK: %[[MASK:.*]] = onnx.Constant dense<{{\[\[\[\[}}0.000000e+00, 0xFF800000, 0xFF800000], [0.000000e+00, 0.000000e+00, 0xFF800000]]]]>
  // CHECK: sattn.attention {{.*}} mask %[[MASK]] {policy = #sattn.dense
  %none = onnx.None : none
  %y = onnx.Attention %q, %k, %k, %none {is_causal = 1 : i64}
      : (tensor<1x2x2x16xf32>, tensor<1x2x3x16xf32>, tensor<1x2x3x16xf32>, none) -> tensor<1x2x2x16xf32>
  return %y : tensor<1x2x2x16xf32>
}

// CHECK-LABEL: @microsoft
func.func @microsoft(%x: tensor<1x8x32xf32>, %w: tensor<32x96xf32>, %b: tensor<96xf32>, %m: tensor<1x8xi32>) -> (tensor<1x8x32xf32>, tensor<1x8x32xf32>) {
  // CHECK: sattn.attention {{.*}} mask {{.*}} {causal, policy = #sattn.dense, sattn.name = "attention_7"
  // CHECK: sattn.attention {{.*}} {policy = #sattn.dense, sattn.name = "attention_8"
  %none = onnx.None : none
  %y = onnx.MSAttention %x, %w, %b, %m, %none {num_heads = 2 : i64, unidirectional = 1 : i64}
      : (tensor<1x8x32xf32>, tensor<32x96xf32>, tensor<96xf32>, tensor<1x8xi32>, none) -> tensor<1x8x32xf32>
  %z = onnx.MSMultiHeadAttention %x, %x, %x, %none, %none, %none {num_heads = 2 : i64}
      : (tensor<1x8x32xf32>, tensor<1x8x32xf32>, tensor<1x8x32xf32>, none, none, none) -> tensor<1x8x32xf32>
  return %y, %z : tensor<1x8x32xf32>, tensor<1x8x32xf32>
}

// Rows 3 to 5 and six columns of a triangle: query i sees keys up to i + 3.
// CHECK-LABEL: @triangle
func.func @triangle(%q: tensor<1x1x3x4xf32>, %kt: tensor<1x1x4x6xf32>, %v: tensor<1x1x6x4xf32>) -> tensor<1x1x3x4xf32> {
  // CHECK-NOT: onnx.Where
  // CHECK: sattn.attention %arg0, %{{.*}}, %arg2 {causal,
  %triangle = onnx.Constant dense<[[[[1, 0, 0, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0, 0], [1, 1, 1, 0, 0, 0, 0], [1, 1, 1, 1, 0, 0, 0], [1, 1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1, 0], [1, 1, 1, 1, 1, 1, 1]]]]> : tensor<1x1x7x7xi1>
  %none = onnx.None : none
  %zero = onnx.Constant dense<0> : tensor<1xi64>
  %three = onnx.Constant dense<3> : tensor<1xi64>
  %six = onnx.Constant dense<6> : tensor<1xi64>
  %rows = onnx.Constant dense<2> : tensor<1xi64>
  %columns = onnx.Constant dense<3> : tensor<1xi64>
  %low = onnx.Constant dense<-1.0e+09> : tensor<f32>
  %part = onnx.Slice %triangle, %three, %six, %rows, %none : (tensor<1x1x7x7xi1>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, none) -> tensor<1x1x3x7xi1>
  %keep = onnx.Slice %part, %zero, %six, %columns, %none : (tensor<1x1x3x7xi1>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, none) -> tensor<1x1x3x6xi1>
  %s = onnx.MatMul %q, %kt : (tensor<1x1x3x4xf32>, tensor<1x1x4x6xf32>) -> tensor<1x1x3x6xf32>
  %w = onnx.Where %keep, %s, %low : (tensor<1x1x3x6xi1>, tensor<1x1x3x6xf32>, tensor<f32>) -> tensor<1x1x3x6xf32>
  %p = onnx.Softmax %w {axis = -1 : i64} : (tensor<1x1x3x6xf32>) -> tensor<1x1x3x6xf32>
  %o = onnx.MatMul %p, %v : (tensor<1x1x3x6xf32>, tensor<1x1x6x4xf32>) -> tensor<1x1x3x4xf32>
  return %o : tensor<1x1x3x4xf32>
}

// A mask by products, and one that is folded.
// CHECK-LABEL: @mask_by_products
func.func @mask_by_products(%q: tensor<3x4xf32>, %kt: tensor<4x3xf32>, %v: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK-NOT: onnx.Sub
  // CHECK: sattn.attention {{.*}} {causal,
  %flags = onnx.Constant dense_resource<flags> : tensor<3x3xf32>
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %large = onnx.Constant dense<1.0e+04> : tensor<f32>
  %s = onnx.MatMul %q, %kt : (tensor<3x4xf32>, tensor<4x3xf32>) -> tensor<3x3xf32>
  %shown = onnx.Mul %s, %flags : (tensor<3x3xf32>, tensor<3x3xf32>) -> tensor<3x3xf32>
  %inverse = onnx.Sub %one, %flags : (tensor<f32>, tensor<3x3xf32>) -> tensor<3x3xf32>
  %hidden = onnx.Mul %inverse, %large : (tensor<3x3xf32>, tensor<f32>) -> tensor<3x3xf32>
  %m = onnx.Sub %shown, %hidden : (tensor<3x3xf32>, tensor<3x3xf32>) -> tensor<3x3xf32>
  %p = onnx.Softmax %m : (tensor<3x3xf32>) -> tensor<3x3xf32>
  %o = onnx.MatMul %p, %v : (tensor<3x3xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %o : tensor<3x4xf32>
}

// CHECK-LABEL: @folded_mask_by_products
func.func @folded_mask_by_products(%q: tensor<2x4xf32>, %kt: tensor<4x3xf32>, %v: tensor<3x4xf32>) -> tensor<2x4xf32> {
  // CHECK: sattn.attention {{.*}} mask {{.*}} {policy
  %flags = onnx.Constant dense<[[1.0, 0.0, 1.0], [1.0, 1.0, 1.0]]> : tensor<2x3xf32>
  %hidden = onnx.Constant dense<[[0.0, 1.0e+04, 0.0], [0.0, 0.0, 0.0]]> : tensor<2x3xf32>
  %s = onnx.MatMul %q, %kt : (tensor<2x4xf32>, tensor<4x3xf32>) -> tensor<2x3xf32>
  %shown = onnx.Mul %flags, %s : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %m = onnx.Sub %shown, %hidden : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %p = onnx.Softmax %m : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %o = onnx.MatMul %p, %v : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return %o : tensor<2x4xf32>
}

// CHECK-LABEL: @guarded
func.func @guarded(%q: tensor<3x4xf32>, %kt: tensor<4x3xf32>, %v: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK-NOT: onnx.IsNaN
  // CHECK: sattn.attention
  %zero = onnx.Constant dense<0.0> : tensor<f32>
  %s = onnx.MatMul %q, %kt : (tensor<3x4xf32>, tensor<4x3xf32>) -> tensor<3x3xf32>
  %p = onnx.Softmax %s : (tensor<3x3xf32>) -> tensor<3x3xf32>
  %n = onnx.IsNaN %p : (tensor<3x3xf32>) -> tensor<3x3xi1>
  %g = onnx.Where %n, %zero, %p : (tensor<3x3xi1>, tensor<f32>, tensor<3x3xf32>) -> tensor<3x3xf32>
  %o = onnx.MatMul %g, %v : (tensor<3x3xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %o : tensor<3x4xf32>
}

// A padding mask that is itself a product, subtracted from 1, in front of the scores.
// CHECK-LABEL: @mask_of_a_product
func.func @mask_of_a_product(%q: tensor<3x4xf32>, %kt: tensor<4x3xf32>, %v: tensor<3x4xf32>, %rows: tensor<3x1xf32>, %columns: tensor<1x3xf32>) -> tensor<3x4xf32> {
  // CHECK: onnx.Sub
  // CHECK: sattn.attention {{.*}} mask
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %low = onnx.Constant dense<-1.0e+04> : tensor<f32>
  %pairs = onnx.MatMul %rows, %columns : (tensor<3x1xf32>, tensor<1x3xf32>) -> tensor<3x3xf32>
  %inverse = onnx.Sub %one, %pairs : (tensor<f32>, tensor<3x3xf32>) -> tensor<3x3xf32>
  %mask = onnx.Mul %inverse, %low : (tensor<3x3xf32>, tensor<f32>) -> tensor<3x3xf32>
  %s = onnx.MatMul %q, %kt : (tensor<3x4xf32>, tensor<4x3xf32>) -> tensor<3x3xf32>
  %m = onnx.Add %mask, %s : (tensor<3x3xf32>, tensor<3x3xf32>) -> tensor<3x3xf32>
  %p = onnx.Softmax %m : (tensor<3x3xf32>) -> tensor<3x3xf32>
  %o = onnx.MatMul %p, %v : (tensor<3x3xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %o : tensor<3x4xf32>
}

{-#
  dialect_resources: {
    builtin: {
      flags: "0x040000000000803F00000000000000000000803F0000803F000000000000803F0000803F0000803F"
    }
  }
#-}
