// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s --sattn-prune-weights="n=2 m=8 everywhere" --split-input-file --verify-diagnostics
// RUN: not sparsam-opt %s --sattn-prune-weights="n=3 m=2 everywhere" --split-input-file 2>&1 | FileCheck %s --check-prefix=FORMAT
// FORMAT: sattn-prune-weights expects n from 1 to m = 2 kept weights per group, got 3

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

// -----

func.func @elements_elsewhere(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %w = arith.constant dense_resource<nowhere> : tensor<8x8xf32>
  // expected-error @below {{cannot be pruned: expects a float32 weight of at most 1073741824 elements, got 'tensor<8x8xf32>'}}
  %y = sattn.linear %x, %w : tensor<4x8xf32>, tensor<8x8xf32> -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}
