// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s --split-input-file --verify-diagnostics

func.func @attention_key_head_size(%q: tensor<1x2x8x4xf32>, %k: tensor<1x2x8x5xf32>) {
  // expected-error @below {{expects key of shape 1x2x?x4 (batch, heads and head size of the query), got 1x2x8x5}}
  sattn.attention %q, %k, %q {scale = 1.0 : f32, policy = #sattn.dense} : tensor<1x2x8x4xf32>, tensor<1x2x8x5xf32>, tensor<1x2x8x4xf32> -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @attention_value_tokens(%q: tensor<1x2x8x4xf32>, %v: tensor<1x2x7x4xf32>) {
  // expected-error @below {{expects value of shape 1x2x8x? (batch, heads and tokens of the key), got 1x2x7x4}}
  sattn.attention %q, %q, %v {scale = 1.0 : f32, policy = #sattn.dense} : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x7x4xf32> -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @attention_mask_broadcast(%q: tensor<1x2x8x4xf32>, %m: tensor<1x1x3x8xf32>) {
  // expected-error @below {{expects a mask that broadcasts to the scores, 1x2x8x8, got 1x1x3x8}}
  sattn.attention %q, %q, %q mask %m {scale = 1.0 : f32, policy = #sattn.dense} : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x1x3x8xf32> -> tensor<1x2x8x4xf32>
  return
}

// -----

// expected-error @below {{expects `bits` from 2 to 8, got 9}}
func.func private @policy_bits() attributes {p = #sattn.low_bit_threshold<bits = 9, threshold = 0.5, normalize = true, q_range = 1.0, k_range = 1.0, empty_row = dense>}

// -----

// expected-error @below {{expects `threshold` in (0, 1), got 1}}
func.func private @policy_threshold() attributes {p = #sattn.low_bit_threshold<bits = 4, threshold = 1.0, normalize = true, q_range = 1.0, k_range = 1.0, empty_row = dense>}

// -----

// expected-error @below {{expects `k_range` finite and > 0, or 0 if not calibrated yet, got -1}}
func.func private @policy_range() attributes {p = #sattn.low_bit_threshold<bits = 4, threshold = 0.5, normalize = true, q_range = 1.0, k_range = -1.0, empty_row = dense>}

// -----

func.func @linear_weight(%x: tensor<8x16xf32>, %w: tensor<17x4xf32>) {
  // expected-error @below {{expects weight of shape 16x4 (last size of the input), got 17x4}}
  sattn.linear %x, %w : tensor<8x16xf32>, tensor<17x4xf32> -> tensor<8x4xf32>
  return
}

// -----

func.func @linear_weight_rank(%x: tensor<8x16xf32>, %w: tensor<16xf32>) {
  // expected-error @below {{expects a weight of rank 2, got rank 1}}
  sattn.linear %x, %w : tensor<8x16xf32>, tensor<16xf32> -> tensor<8x4xf32>
  return
}

// -----

func.func @linear_scalar(%x: tensor<f32>, %w: tensor<16x4xf32>) {
  // expected-error @below {{expects an input of rank 1 or more, got a scalar}}
  sattn.linear %x, %w : tensor<f32>, tensor<16x4xf32> -> tensor<4xf32>
  return
}

// -----

func.func @linear_bias(%x: tensor<8x16xf32>, %w: tensor<16x4xf32>, %b: tensor<1x4xf32>) {
  // expected-error @below {{expects bias of shape 4 (columns of the weight), got 1x4}}
  sattn.linear %x, %w bias %b : tensor<8x16xf32>, tensor<16x4xf32>, tensor<1x4xf32> -> tensor<8x4xf32>
  return
}

// -----

func.func @linear_residual(%x: tensor<8x16xf32>, %w: tensor<16x4xf32>, %r: tensor<1x4xf32>) {
  // expected-error @below {{expects residual of shape 8x4 (the output), got 1x4}}
  sattn.linear %x, %w residual %r : tensor<8x16xf32>, tensor<16x4xf32> residual tensor<1x4xf32> -> tensor<8x4xf32>
  return
}

// -----

func.func @quantize_without_calibration(%x: tensor<1x1x4x2xf32>) {
  // expected-error @below {{expects a finite range > 0, got 0}}
  sattn.quantize %x bits 4 range 0.0 : tensor<1x1x4x2xf32> -> tensor<1x1x4x2xi8>, tensor<1x1x4x1xf32>
  return
}

// -----

func.func @quantize_norms(%x: tensor<1x1x4x2xf32>) {
  // expected-error @below {{expects norms of shape 1x1x4x1 (one per token of the input), got 1x1x4x2}}
  sattn.quantize %x bits 4 range 1.0 : tensor<1x1x4x2xf32> -> tensor<1x1x4x2xi8>, tensor<1x1x4x2xf32>
  return
}

// -----

func.func @predict_key_norms(%c: tensor<1x1x4x2xi8>, %n: tensor<1x1x4x1xf32>, %m: tensor<1x1x3x1xf32>) {
  // expected-error @below {{expects key norms of shape 1x1x4x1 (one per key), got 1x1x3x1}}
  sattn.predict %c, %n, %c, %m {q_scale = 5.0 : f64, k_scale = 5.0 : f64, scale = 1.0 : f32} : tensor<1x1x4x2xi8>, tensor<1x1x4x1xf32>, tensor<1x1x4x2xi8>, tensor<1x1x3x1xf32> -> tensor<1x1x4x4xf32>
  return
}

// -----

func.func @predict_scale(%c: tensor<1x1x4x2xi8>, %n: tensor<1x1x4x1xf32>) {
  // expected-error @below {{expects finite scales > 0, got 0}}
  sattn.predict %c, %n, %c, %n {q_scale = 0.0 : f64, k_scale = 5.0 : f64, scale = 1.0 : f32} : tensor<1x1x4x2xi8>, tensor<1x1x4x1xf32>, tensor<1x1x4x2xi8>, tensor<1x1x4x1xf32> -> tensor<1x1x4x4xf32>
  return
}

// -----

func.func @select_threshold(%p: tensor<1x1x4x4xf32>) {
  // expected-error @below {{expects a threshold in [0, 1), got 1}}
  sattn.select %p threshold 1.0 empty_row<dense> : tensor<1x1x4x4xf32> -> tensor<1x1x4x4xi1>
  return
}

// -----

func.func @select_all_dynamic() {
  // expected-error @below {{expects a static shape, got 'tensor<1x1x?x4xi1>'}}
  sattn.select_all : tensor<1x1x?x4xi1>
  return
}

// -----

func.func @pack_split_shape(%m: tensor<1x1x4x4xi1>) {
  // expected-error @below {{expects mask of shape 1x1x4x8 (the packed type), got 1x1x4x4}}
  sattn.pack_split %m : tensor<1x1x4x4xi1> -> !sattn.packed<1x1x4x8, stripe = 4, pes = 2, rows = 4, encoder = subrow>
  return
}

// -----

// expected-error @below {{expects four dimensions, [batch, heads, queries, keys], got 2}}
func.func private @packed_rank(!sattn.packed<4x4, stripe = 4, pes = 2, rows = 4, encoder = subrow>)

// -----

// expected-error @below {{expects dimensions of at least 1}}
func.func private @packed_empty(!sattn.packed<1x1x0x4, stripe = 4, pes = 2, rows = 4, encoder = subrow>)

// -----

// expected-error @below {{expects a stripe of at least 1 key, got 0}}
func.func private @packed_stripe(!sattn.packed<1x1x4x4, stripe = 0, pes = 2, rows = 4, encoder = subrow>)

// -----

// expected-error @below {{expects `pes` between 1 and the stripe's 4 keys, got 5}}
func.func private @packed_pes(!sattn.packed<1x1x4x4, stripe = 4, pes = 5, rows = 4, encoder = subrow>)

// -----

// expected-error @below {{expects at least 1 row per block, got 0}}
func.func private @packed_rows(!sattn.packed<1x1x4x4, stripe = 4, pes = 2, rows = 0, encoder = subrow>)

// -----

func.func @sddmm_selection(%x: tensor<1x1x4x2xf32>, %m: tensor<1x1x4x3xi1>) {
  // expected-error @below {{expects selection of shape 1x1x4x4 (queries x keys), got 1x1x4x3}}
  sattn.sddmm %x, %x over %m {scale = 1.0 : f32} : tensor<1x1x4x2xf32>, tensor<1x1x4x2xf32>, tensor<1x1x4x3xi1> -> tensor<1x1x4x4xf32>
  return
}

// -----

func.func @softmax_selection(%s: tensor<1x1x4x4xf32>, %m: !sattn.packed<1x1x4x3, stripe = 4, pes = 2, rows = 4, encoder = subrow>) {
  // expected-error @below {{expects selection of shape 1x1x4x4 (the scores), got 1x1x4x3}}
  sattn.softmax %s over %m : tensor<1x1x4x4xf32>, !sattn.packed<1x1x4x3, stripe = 4, pes = 2, rows = 4, encoder = subrow> -> tensor<1x1x4x4xf32>
  return
}

// -----

func.func @spmm_value(%p: tensor<1x1x4x4xf32>, %v: tensor<1x1x5x2xf32>, %m: tensor<1x1x4x4xi1>) {
  // expected-error @below {{expects value of shape 1x1x4x? (batch, heads and keys of the probabilities), got 1x1x5x2}}
  sattn.spmm %p, %v over %m : tensor<1x1x4x4xf32>, tensor<1x1x5x2xf32>, tensor<1x1x4x4xi1> -> tensor<1x1x4x2xf32>
  return
}

// -----

func.func @cache_append_head_size(%c: tensor<1x2x8x4xf32>, %x: tensor<1x2x1x5xf32>, %n: tensor<i64>) {
  // expected-error @below {{expects tokens of shape 1x2x?x4 (batch, heads and head size of the cache), got 1x2x1x5}}
  sattn.cache_append %c, %x at %n : tensor<1x2x8x4xf32>, tensor<1x2x1x5xf32> at tensor<i64>
  return
}

// -----

func.func @cache_append_capacity(%c: tensor<1x2x8x4xf32>, %x: tensor<1x2x9x4xf32>, %n: tensor<i64>) {
  // expected-error @below {{expects at most 8 tokens, the capacity of the cache, got 9}}
  sattn.cache_append %c, %x at %n : tensor<1x2x8x4xf32>, tensor<1x2x9x4xf32> at tensor<i64>
  return
}
