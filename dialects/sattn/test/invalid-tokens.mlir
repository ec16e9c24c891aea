// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s --split-input-file --verify-diagnostics

func.func @scores_without_result(%q: tensor<1x2x4x4xf32>, %t: tensor<1x4xf32>) {
  // expected-error @below {{expects `token_scores` among its operands exactly when there is a result for them}}
  %o = "sattn.attention"(%q, %q, %q, %t) <{operandSegmentSizes = array<i32: 1, 1, 1, 0, 1, 0, 0>, policy = #sattn.dense, resultSegmentSizes = array<i32: 1, 0, 0>, scale = 1.0 : f32}> : (tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>, tensor<1x4xf32>) -> tensor<1x2x4x4xf32>
  return
}

// -----

func.func @scores_shape(%q: tensor<1x2x4x4xf32>, %h: tensor<1x3xf32>) {
  // expected-error @below {{expects head scores of shape 1x2 (batch and heads of the query), got 1x3}}
  %o, %n = sattn.attention %q, %q, %q head_scores %h {scale = 1.0 : f32, policy = #sattn.dense} : tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32> head_scores tensor<1x3xf32> -> tensor<1x2x4x4xf32> head_scores tensor<1x3xf32>
  return
}

// -----

// expected-error @below {{expects `msb` from 2 on, `lsb` from 0 on, and at most 16 together, got 14 and 4}}
func.func private @progressive_bits() attributes {p = #sattn.progressive<msb = 14, lsb = 4, value_bits = 8, threshold = 0.1, values = 2, q_range = 1.0, k_range = 1.0, v_range = 1.0>}

// -----

// expected-error @below {{expects `value_bits` from 2 to 16, got 1}}
func.func private @progressive_value_bits() attributes {p = #sattn.progressive<msb = 8, lsb = 4, value_bits = 1, threshold = 0.1, values = 2, q_range = 1.0, k_range = 1.0, v_range = 1.0>}

// -----

// expected-error @below {{expects `threshold` in [0, 1], got 1.1}}
func.func private @progressive_threshold() attributes {p = #sattn.progressive<msb = 8, lsb = 4, value_bits = 8, threshold = 1.1, values = 2, q_range = 1.0, k_range = 1.0, v_range = 1.0>}

// -----

// expected-error @below {{expects `values` from 1 on, got 0}}
func.func private @progressive_values() attributes {p = #sattn.progressive<msb = 8, lsb = 4, value_bits = 8, threshold = 0.1, values = 0, q_range = 1.0, k_range = 1.0, v_range = 1.0>}

// -----

// expected-error @below {{expects `v_range` finite and > 0, or 0 if not calibrated yet, got -1}}
func.func private @progressive_range() attributes {p = #sattn.progressive<msb = 8, lsb = 4, value_bits = 8, threshold = 0.1, values = 2, q_range = 1.0, k_range = 1.0, v_range = -1.0>}

// -----

func.func @top_k_too_many(%s: tensor<1x4xf32>) {
  // expected-error @below {{keeps 5 of 4 scores}}
  %i = sattn.top_k %s {k = 5 : i64} : tensor<1x4xf32> -> tensor<1x5xi64>
  return
}

// -----

func.func @top_k_protects_outside(%s: tensor<1x4xf32>) {
  // expected-error @below {{protects position 4 of 4 scores}}
  %i = sattn.top_k %s {k = 2 : i64, protect = array<i64: 4>} : tensor<1x4xf32> -> tensor<1x2xi64>
  return
}

// -----

func.func @top_k_protects_more_than_it_keeps(%s: tensor<1x4xf32>) {
  // expected-error @below {{keeps 1 scores, but protects 2}}
  %i = sattn.top_k %s {k = 1 : i64, protect = array<i64: 0, -1>} : tensor<1x4xf32> -> tensor<1x1xi64>
  return
}

// -----

func.func @top_k_shape(%s: tensor<2x4xf32>) {
  // expected-error @below {{expects indices of shape 2x3 (rows of the scores, `k` each), got 1x3}}
  %i = sattn.top_k %s {k = 3 : i64} : tensor<2x4xf32> -> tensor<1x3xi64>
  return
}

// -----

func.func @gather_element_type(%x: tensor<1x4x2xf32>, %i: tensor<1x3xi64>) {
  // expected-error @below {{expects one element type, got 'f32' and 'i32'}}
  %y = sattn.gather %x, %i {dim = 1 : i64} : tensor<1x4x2xf32>, tensor<1x3xi64> -> tensor<1x3x2xi32>
  return
}

// -----

func.func @gather_rank(%x: tensor<1x4x2xf32>, %i: tensor<1x3xi64>) {
  // expected-error @below {{expects tensors of one rank above `dim` = 3}}
  %y = sattn.gather %x, %i {dim = 3 : i64} : tensor<1x4x2xf32>, tensor<1x3xi64> -> tensor<1x3x2xf32>
  return
}

// -----

func.func @gather_batch_dimension(%x: tensor<4x2xf32>, %i: tensor<2x3xi64>) {
  // expected-error @below {{expects `dim` from 1 on, because there are 2 batch entries}}
  %y = sattn.gather %x, %i {dim = 0 : i64} : tensor<4x2xf32>, tensor<2x3xi64> -> tensor<3x2xf32>
  return
}

// -----

func.func @gather_shape(%x: tensor<1x4x2xf32>, %i: tensor<1x3xi64>) {
  // expected-error @below {{expects the kept positions of shape 1x3x2 (batch and number of the indices, other sizes of the whole), got 1x3x1}}
  %y = sattn.gather %x, %i {dim = 1 : i64} : tensor<1x4x2xf32>, tensor<1x3xi64> -> tensor<1x3x1xf32>
  return
}

// -----

func.func @gather_batch(%x: tensor<3x4x2xf32>, %i: tensor<2x3xi64>) {
  // expected-error @below {{expects 1 or 2 batch entries, got 'tensor<3x4x2xf32>'}}
  %y = sattn.gather %x, %i {dim = 1 : i64} : tensor<3x4x2xf32>, tensor<2x3xi64> -> tensor<2x3x2xf32>
  return
}

// -----

func.func @gather_more_than_there_are(%x: tensor<1x4x2xf32>, %i: tensor<1x5xi64>) {
  // expected-error @below {{keeps 5 of 4 positions}}
  %y = sattn.gather %x, %i {dim = 1 : i64} : tensor<1x4x2xf32>, tensor<1x5xi64> -> tensor<1x5x2xf32>
  return
}

// -----

func.func @scatter_batch(%y: tensor<2x3x2xf32>, %i: tensor<2x3xi64>) {
  // expected-error @below {{expects one number of batch entries, got 'tensor<2x3x2xf32>' and 'tensor<1x4x2xf32>'}}
  %x = sattn.scatter %y, %i {dim = 1 : i64} : tensor<2x3x2xf32>, tensor<2x3xi64> -> tensor<1x4x2xf32>
  return
}

// -----

func.func @select_largest_shape(%p: tensor<1x1x4x4xf32>) {
  // expected-error @below {{expects selection of shape 1x1x4x4 (the probabilities), got 1x1x4x3}}
  %m = sattn.select_largest %p {k = 2 : i64} : tensor<1x1x4x4xf32> -> tensor<1x1x4x3xi1>
  return
}
