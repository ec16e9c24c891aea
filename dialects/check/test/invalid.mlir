// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s --split-input-file --verify-diagnostics

func.func @negative_bound(%a: tensor<2xf32>) {
  // expected-error @below {{expects `max_abs` of at least 0, got -1}}
  check.expect_close %a, %a max_abs -1.0 : tensor<2xf32>
  return
}

// -----

func.func @integers_are_not_close(%a: tensor<2xi32>) {
  // expected-error @below {{operand #0 must be ranked tensor of 32-bit float values, but got 'tensor<2xi32>'}}
  check.expect_close %a, %a max_abs 1.0 : tensor<2xi32>
  return
}
