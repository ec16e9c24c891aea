// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Why an attention runs without its layer.
// RUN: sparsam-opt %s --split-input-file --verify-diagnostics --isa-set-target="target=sta" --sta-form-layers -o /dev/null

!t = tensor<1x2x8x8xf32>
!s = tensor<1x8xf32>
func.func @ranks(%q: !t, %s: !s) -> !t {
  // expected-remark @below {{runs alone, without its layer: it works on a cache, or ranks tokens or heads}}
  %a, %b = sattn.attention %q, %q, %q token_scores %s {scale = 0.5 : f32, policy = #sattn.dense} : !t, !t, !t token_scores !s -> !t token_scores !s
  return %a : !t
}

// -----

!x = tensor<1x8x16xf32>
!w = tensor<16x16xf32>
!h = tensor<1x8x2x8xf32>
!t = tensor<1x2x8x8xf32>
func.func @residual_of_queries(%x: !x) -> !t {
  %w = arith.constant dense<0.5> : !w
  %split = onnx.Constant dense<[1, 8, 2, 8]> : tensor<4xi64>
  %q = sattn.linear %x, %w residual %x : !x, !w residual !x -> !x
  %qr = onnx.Reshape %q, %split : (!x, tensor<4xi64>) -> !h
  %qt = onnx.Transpose %qr {perm = array<i64: 0, 2, 1, 3>} : (!h) -> !t
  %k = sattn.linear %x, %w : !x, !w -> !x
  %kr = onnx.Reshape %k, %split : (!x, tensor<4xi64>) -> !h
  %kt = onnx.Transpose %kr {perm = array<i64: 0, 2, 1, 3>} : (!h) -> !t
  %v = sattn.linear %x, %w : !x, !w -> !x
  %vr = onnx.Reshape %v, %split : (!x, tensor<4xi64>) -> !h
  %vt = onnx.Transpose %vr {perm = array<i64: 0, 2, 1, 3>} : (!h) -> !t
  // expected-remark @below {{runs alone, without its layer: a residual is added to its queries, keys or values}}
  %a = sattn.attention %qt, %kt, %vt {scale = 0.5 : f32, policy = #sattn.dense} : !t, !t, !t -> !t
  return %a : !t
}

// -----

!x = tensor<1x8x16xf32>
!w = tensor<16x16xf32>
!h = tensor<1x8x2x8xf32>
!t = tensor<1x2x8x8xf32>
func.func @context_goes_elsewhere(%x: !x) -> !t {
  %w = arith.constant dense<0.5> : !w
  %split = onnx.Constant dense<[1, 8, 2, 8]> : tensor<4xi64>
  %q = sattn.linear %x, %w : !x, !w -> !x
  %qr = onnx.Reshape %q, %split : (!x, tensor<4xi64>) -> !h
  %qt = onnx.Transpose %qr {perm = array<i64: 0, 2, 1, 3>} : (!h) -> !t
  %k = sattn.linear %x, %w : !x, !w -> !x
  %kr = onnx.Reshape %k, %split : (!x, tensor<4xi64>) -> !h
  %kt = onnx.Transpose %kr {perm = array<i64: 0, 2, 1, 3>} : (!h) -> !t
  %v = sattn.linear %x, %w : !x, !w -> !x
  %vr = onnx.Reshape %v, %split : (!x, tensor<4xi64>) -> !h
  %vt = onnx.Transpose %vr {perm = array<i64: 0, 2, 1, 3>} : (!h) -> !t
  // expected-remark @below {{runs alone, without its layer: its context is not merged and projected by a linear layer}}
  %a = sattn.attention %qt, %kt, %vt {scale = 0.5 : f32, policy = #sattn.dense} : !t, !t, !t -> !t
  return %a : !t
}

// -----

!x = tensor<1x8x16xf32>
!w = tensor<16x16xf32>
!h = tensor<1x8x2x8xf32>
!t = tensor<1x2x8x8xf32>
func.func @residual_from_elsewhere(%x: !x, %y: !x) -> !x {
  %w = arith.constant dense<0.5> : !w
  %split = onnx.Constant dense<[1, 8, 2, 8]> : tensor<4xi64>
  %merge = onnx.Constant dense<[1, 8, 16]> : tensor<3xi64>
  %q = sattn.linear %x, %w : !x, !w -> !x
  %qr = onnx.Reshape %q, %split : (!x, tensor<4xi64>) -> !h
  %qt = onnx.Transpose %qr {perm = array<i64: 0, 2, 1, 3>} : (!h) -> !t
  %k = sattn.linear %x, %w : !x, !w -> !x
  %kr = onnx.Reshape %k, %split : (!x, tensor<4xi64>) -> !h
  %kt = onnx.Transpose %kr {perm = array<i64: 0, 2, 1, 3>} : (!h) -> !t
  %v = sattn.linear %x, %w : !x, !w -> !x
  %vr = onnx.Reshape %v, %split : (!x, tensor<4xi64>) -> !h
  %vt = onnx.Transpose %vr {perm = array<i64: 0, 2, 1, 3>} : (!h) -> !t
  // expected-remark @below {{runs alone, without its layer: its output projection adds a residual from elsewhere}}
  %a = sattn.attention %qt, %kt, %vt {scale = 0.5 : f32, policy = #sattn.dense} : !t, !t, !t -> !t
  %at = onnx.Transpose %a {perm = array<i64: 0, 2, 1, 3>} : (!t) -> !h
  %am = onnx.Reshape %at, %merge : (!h, tensor<3xi64>) -> !x
  %o = sattn.linear %am, %w residual %y : !x, !w residual !x -> !x
  return %o : !x
}
