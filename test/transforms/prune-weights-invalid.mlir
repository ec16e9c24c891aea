// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s --sattn-prune-weights="n=2 m=8 everywhere" --split-input-file --verify-diagnostics

func.func @inputs_not_a_multiple(%x: tensor<4x12xf32>) -> tensor<4x8xf32> {
  %w = arith.constant dense<1.0> : tensor<12x8xf32>
  // expected-error @below {{cannot be pruned to 2:8: its weight has 12 inputs per output, which is no multiple of m = 8, the weights of one group}}
  %y = sattn.linear %x, %w : tensor<4x12xf32>, tensor<12x8xf32> -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// -----

func.func @no_constant(%x: tensor<4x8xf32>, %w: tensor<8x8xf32>) -> tensor<4x8xf32> {
  // expected-error @below {{cannot be pruned: its weight is no constant}}
  %y = sattn.linear %x, %w : tensor<4x8xf32>, tensor<8x8xf32> -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}
