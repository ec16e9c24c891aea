// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s --sattn-decompose="everywhere=true" --split-input-file --verify-diagnostics

func.func @not_calibrated(%x: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  // expected-error @below {{has a selection policy without a value for `q_range`; calibrate on sample inputs, or give it in the target's settings}}
  %o = sattn.attention %x, %x, %x {scale = 0.5 : f32, policy = #sattn.low_bit_threshold<bits = 4, threshold = 0.02, normalize = true, q_range = 0.0, k_range = 0.7, empty_row = zero>}
      : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32> -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// -----

func.func @dynamic_shape(%x: tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32> {
  // expected-error @below {{cannot be decomposed on 'tensor<1x2x?x4xf32>': expects static shapes}}
  %o = sattn.attention %x, %x, %x {scale = 0.5 : f32, policy = #sattn.dense}
      : tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32> -> tensor<1x2x?x4xf32>
  return %o : tensor<1x2x?x4xf32>
}

// -----

func.func @valid_keys(%q: tensor<1x2x1x4xf32>, %k: tensor<1x2x8x4xf32>, %n: tensor<i64>) -> tensor<1x2x1x4xf32> {
  // expected-error @below {{cannot be decomposed: it attends over a cache that grows (`valid`), and masks are made for all keys; run attention on the host (--attention host)}}
  %o = sattn.attention %q, %k, %k valid %n {scale = 0.5 : f32, policy = #sattn.dense}
      : tensor<1x2x1x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32> valid tensor<i64> -> tensor<1x2x1x4xf32>
  return %o : tensor<1x2x1x4xf32>
}
