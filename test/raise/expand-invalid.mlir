// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators that are attention, in forms that are not supported.
// RUN: sparsam-opt %s -split-input-file -raise-onnx-to-sattn -verify-diagnostics

func.func @softcap(%q: tensor<1x2x8x16xf32>) -> tensor<1x2x8x16xf32> {
  %none = onnx.None : none
  // expected-error @+1 {{cannot be run: softcap is not supported}}
  %y = onnx.Attention %q, %q, %q, %none {softcap = 2.0 : f32} : (tensor<1x2x8x16xf32>, tensor<1x2x8x16xf32>, tensor<1x2x8x16xf32>, none) -> tensor<1x2x8x16xf32>
  return %y : tensor<1x2x8x16xf32>
}

// -----

func.func @dynamic(%q: tensor<1x2x?x16xf32>) -> tensor<1x2x?x16xf32> {
  %none = onnx.None : none
  // expected-error @+1 {{cannot be run: expects static float32 tensors}}
  %y = onnx.Attention %q, %q, %q, %none : (tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>, none) -> tensor<1x2x?x16xf32>
  return %y : tensor<1x2x?x16xf32>
}

// -----

func.func @heads(%x: tensor<1x8x15xf32>) -> tensor<1x8x15xf32> {
  %none = onnx.None : none
  // expected-error @+1 {{cannot be run: expects float32 tensors [batch, tokens, hidden] whose hidden size is a multiple of num_heads = 2}}
  %y = onnx.MSMultiHeadAttention %x, %x, %x, %none, %none, %none {num_heads = 2 : i64}
    : (tensor<1x8x15xf32>, tensor<1x8x15xf32>, tensor<1x8x15xf32>, none, none, none) -> tensor<1x8x15xf32>
  return %y : tensor<1x8x15xf32>
}

// -----

func.func @mask_index(%x: tensor<1x8x16xf32>, %w: tensor<16x48xf32>, %m: tensor<3xi32>) -> tensor<1x8x16xf32> {
  %none = onnx.None : none
  // expected-error @+1 {{cannot be run: expects a mask_index [batch], [2 * batch], [batch, keys] or [batch, queries, keys]}}
  %y = onnx.MSAttention %x, %w, %none, %m, %none {num_heads = 2 : i64} : (tensor<1x8x16xf32>, tensor<16x48xf32>, none, tensor<3xi32>, none) -> tensor<1x8x16xf32>
  return %y : tensor<1x8x16xf32>
}

// -----

func.func @key_padding_mask(%x: tensor<1x8x16xf32>, %m: tensor<2xi32>) -> tensor<1x8x16xf32> {
  %none = onnx.None : none
  // expected-error @+1 {{cannot be run: expects a key_padding_mask [batch], [batch, keys] or [batch, queries, keys]}}
  %y = onnx.MSMultiHeadAttention %x, %x, %x, %none, %m, %none {num_heads = 2 : i64}
    : (tensor<1x8x16xf32>, tensor<1x8x16xf32>, tensor<1x8x16xf32>, none, tensor<2xi32>, none) -> tensor<1x8x16xf32>
  return %y : tensor<1x8x16xf32>
}

// -----

// ONNX Runtime lets the last query see all keys, and others those up to their own number.
func.func @unidirectional(%q: tensor<1x4x16xf32>, %k: tensor<1x6x16xf32>) -> tensor<1x4x16xf32> {
  %none = onnx.None : none
  // expected-error @+1 {{cannot be run: unidirectional attention of 4 queries and 6 keys is not supported, it takes as many of both}}
  %y = onnx.MSMultiHeadAttention %q, %k, %k, %none, %none, %none {num_heads = 2 : i64, unidirectional = 1 : i64}
    : (tensor<1x4x16xf32>, tensor<1x6x16xf32>, tensor<1x6x16xf32>, none, none, none) -> tensor<1x4x16xf32>
  return %y : tensor<1x4x16xf32>
}
