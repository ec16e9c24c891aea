// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s --split-input-file --verify-diagnostics

// expected-error @below {{expects n from 1 to m = 2 kept weights per group, got 3}}
func.func private @more_than_the_group(tensor<8x8xf32>) attributes {e = #sattn.nm<n = 3, m = 2, bits = 16, fraction = 0>}

// -----

// expected-error @below {{expects groups of m = 2, 4, 8 or 16 weights, got 6}}
func.func private @odd_group(tensor<8x8xf32>) attributes {e = #sattn.nm<n = 2, m = 6, bits = 16, fraction = 0>}

// -----

// expected-error @below {{expects words of 8, 16 or 32 bits, got 12}}
func.func private @odd_word(tensor<8x8xf32>) attributes {e = #sattn.nm<n = 2, m = 4, bits = 12, fraction = 0>}

// -----

// expected-error @below {{expects from 0 to 31 fraction bits, got -1}}
func.func private @negative_fraction(tensor<8x8xf32>) attributes {e = #sattn.nm<n = 2, m = 4, bits = 16, fraction = -1>}

// -----

func.func @inputs_not_a_multiple(%w: tensor<12x4xf32>) {
  // expected-error @below {{has 12 inputs per output, which is no multiple of m = 8, the weights of one group (`encoding`)}}
  %v, %b = sattn.nm_compress %w as <n = 2, m = 8, bits = 16, fraction = 0> : tensor<12x4xf32> -> tensor<4x2xi16>, tensor<4x1xui8>
  return
}

// -----

func.func @wrong_values(%w: tensor<16x4xf32>) {
  // expected-error @below {{expects values and bitmaps of types 'tensor<4x4xi16>', 'tensor<4x2xui8>' (weight 'tensor<16x4xf32>' in #sattn.nm<n = 2, m = 8, bits = 16, fraction = 0>), got 'tensor<4x8xi16>', 'tensor<4x2xui8>'}}
  %v, %b = sattn.nm_compress %w as <n = 2, m = 8, bits = 16, fraction = 0> : tensor<16x4xf32> -> tensor<4x8xi16>, tensor<4x2xui8>
  return
}

// -----

func.func @bitmaps_of_all(%v: tensor<4x16xi16>, %b: tensor<4x2xui8>) {
  // expected-error @below {{expects values and bitmaps of types 'tensor<4x16xi16>' (weight}}
  %w = sattn.nm_expand %v, %b as <n = 8, m = 8, bits = 16, fraction = 0> : tensor<4x16xi16>, tensor<4x2xui8> -> tensor<16x4xf32>
  return
}

// -----

func.func @not_a_matrix(%w: tensor<2x16x4xf32>) {
  // expected-error @below {{expects a weight of two static dimensions, got 'tensor<2x16x4xf32>'}}
  %v, %b = sattn.nm_compress %w as <n = 2, m = 8, bits = 16, fraction = 0> : tensor<2x16x4xf32> -> tensor<4x4xi16>, tensor<4x2xui8>
  return
}
