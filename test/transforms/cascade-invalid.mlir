// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s --sattn-cascade="tokens=4,1 protect=0,-1" --split-input-file --verify-diagnostics
// RUN: not sparsam-opt %s --sattn-cascade="tokens=3,2" --split-input-file 2>&1 | FileCheck %s --check-prefix=FIRST
// RUN: not sparsam-opt %s --sattn-cascade="tokens=4,0" --split-input-file 2>&1 | FileCheck %s --check-prefix=EMPTY
// RUN: not sparsam-opt %s --sattn-cascade="tokens=4,3 protect=7" --split-input-file 2>&1 | FileCheck %s --check-prefix=OUTSIDE
// RUN: not sparsam-opt %s --sattn-cascade="tokens=4,3 protect=2" --split-input-file 2>&1 | FileCheck %s --check-prefix=MIDDLE
// RUN: not sparsam-opt %s --sattn-cascade="tokens=4,2,3" --split-input-file 2>&1 | FileCheck %s --check-prefix=GROWS
// FIRST: cannot be part of a cascade (options of sattn-cascade): keeps 3 of 4 tokens in the first core, where nothing is ranked yet
// EMPTY: keeps 0 of 4 tokens; at least one must survive
// OUTSIDE: protects position 7 of 4
// MIDDLE: protects position 2; the first and the last tokens can be protected, because they stay first and last
// GROWS: has 3 tokens after a core with 2; what is pruned stays pruned

func.func @removes_protected(%x: tensor<1x2x4x2xf32>) -> tensor<1x2x4x2xf32> {
  %o0 = sattn.attention %x, %x, %x {scale = 1.0 : f32, policy = #sattn.dense} : tensor<1x2x4x2xf32>, tensor<1x2x4x2xf32>, tensor<1x2x4x2xf32> -> tensor<1x2x4x2xf32>
  // expected-error @below {{cannot be part of a cascade (options of sattn-cascade): keeps 1 of 4 tokens, but 2 are protected}}
  %o1 = sattn.attention %o0, %o0, %o0 {scale = 1.0 : f32, policy = #sattn.dense} : tensor<1x2x4x2xf32>, tensor<1x2x4x2xf32>, tensor<1x2x4x2xf32> -> tensor<1x2x4x2xf32>
  %o2 = sattn.attention %o1, %o1, %o1 {scale = 1.0 : f32, policy = #sattn.dense} : tensor<1x2x4x2xf32>, tensor<1x2x4x2xf32>, tensor<1x2x4x2xf32> -> tensor<1x2x4x2xf32>
  return %o2 : tensor<1x2x4x2xf32>
}

// -----

func.func @no_self_attention(%x: tensor<1x2x4x2xf32>, %y: tensor<1x2x5x2xf32>) -> tensor<1x2x4x2xf32> {
  %o0 = sattn.attention %x, %x, %x {scale = 1.0 : f32, policy = #sattn.dense} : tensor<1x2x4x2xf32>, tensor<1x2x4x2xf32>, tensor<1x2x4x2xf32> -> tensor<1x2x4x2xf32>
  // expected-error @below {{tokens are pruned in self-attention over one sequence, but it has 4 queries and 5 keys, the first core 4 keys}}
  %o1 = sattn.attention %o0, %y, %y {scale = 1.0 : f32, policy = #sattn.dense} : tensor<1x2x4x2xf32>, tensor<1x2x5x2xf32>, tensor<1x2x5x2xf32> -> tensor<1x2x4x2xf32>
  return %o1 : tensor<1x2x4x2xf32>
}

// -----

func.func @twice(%x: tensor<1x2x4x2xf32>, %s: tensor<1x4xf32>) -> tensor<1x2x4x2xf32> {
  // expected-error @below {{it is part of one already}}
  %o0, %t = sattn.attention %x, %x, %x token_scores %s {scale = 1.0 : f32, policy = #sattn.dense} : tensor<1x2x4x2xf32>, tensor<1x2x4x2xf32>, tensor<1x2x4x2xf32> token_scores tensor<1x4xf32> -> tensor<1x2x4x2xf32> token_scores tensor<1x4xf32>
  %o1 = sattn.attention %o0, %o0, %o0 {scale = 1.0 : f32, policy = #sattn.dense} : tensor<1x2x4x2xf32>, tensor<1x2x4x2xf32>, tensor<1x2x4x2xf32> -> tensor<1x2x4x2xf32>
  return %o1 : tensor<1x2x4x2xf32>
}

// -----

func.func @many_queries(%q: tensor<1x2x4x2xf32>, %k: tensor<1x2x8x2xf32>, %n: tensor<i64>) -> tensor<1x2x4x2xf32> {
  // expected-error @below {{a cache is pruned for one query of one sequence, all caches alike, got 'tensor<1x2x4x2xf32>' and 'tensor<1x2x8x2xf32>'}}
  %o0 = sattn.attention %q, %k, %k valid %n {scale = 1.0 : f32, policy = #sattn.dense} : tensor<1x2x4x2xf32>, tensor<1x2x8x2xf32>, tensor<1x2x8x2xf32> valid tensor<i64> -> tensor<1x2x4x2xf32>
  %o1 = sattn.attention %o0, %k, %k valid %n {scale = 1.0 : f32, policy = #sattn.dense} : tensor<1x2x4x2xf32>, tensor<1x2x8x2xf32>, tensor<1x2x8x2xf32> valid tensor<i64> -> tensor<1x2x4x2xf32>
  return %o1 : tensor<1x2x4x2xf32>
}

// -----

func.func @blocks(%x: tensor<1x2x4x2xf32>) -> tensor<1x2x4x2xf32> {
  %o0 = sattn.attention %x, %x, %x {scale = 1.0 : f32, policy = #sattn.dense} : tensor<1x2x4x2xf32>, tensor<1x2x4x2xf32>, tensor<1x2x4x2xf32> -> tensor<1x2x4x2xf32>
  return %o0 : tensor<1x2x4x2xf32>
^never:
  // expected-error @below {{expects it in the function's one block}}
  %o1 = sattn.attention %x, %x, %x {scale = 1.0 : f32, policy = #sattn.dense} : tensor<1x2x4x2xf32>, tensor<1x2x4x2xf32>, tensor<1x2x4x2xf32> -> tensor<1x2x4x2xf32>
  return %o1 : tensor<1x2x4x2xf32>
}
