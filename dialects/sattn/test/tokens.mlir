// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Round trip through text, the generic form and bytecode.
// RUN: sparsam-opt %s | sparsam-opt | FileCheck %s
// RUN: sparsam-opt %s --mlir-print-op-generic | sparsam-opt | FileCheck %s
// RUN: sparsam-opt %s --emit-bytecode | sparsam-opt | FileCheck %s

// CHECK-LABEL: @scores
// CHECK: sattn.attention %{{.*}}, %{{.*}}, %{{.*}} mask %{{.*}} token_scores %{{.*}} head_scores %{{.*}} {policy = #sattn.dense, scale = 1.000000e+00 : f32} : {{.*}} token_scores tensor<1x6xf32> head_scores tensor<1x2xf32> -> tensor<1x2x8x3xf32> token_scores tensor<1x6xf32> head_scores tensor<1x2xf32>
// CHECK: sattn.attention %{{.*}}, %{{.*}}, %{{.*}} head_scores %{{.*}} {{.*}} -> tensor<1x2x8x3xf32> head_scores tensor<1x2xf32>
func.func @scores(%q: tensor<1x2x8x4xf32>, %k: tensor<1x2x6x4xf32>, %v: tensor<1x2x6x3xf32>, %m: tensor<1x1x1x6xf32>, %t: tensor<1x6xf32>, %h: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %o, %t1, %h1 = sattn.attention %q, %k, %v mask %m token_scores %t head_scores %h {policy = #sattn.dense, scale = 1.0 : f32}
      : tensor<1x2x8x4xf32>, tensor<1x2x6x4xf32>, tensor<1x2x6x3xf32>, tensor<1x1x1x6xf32> token_scores tensor<1x6xf32> head_scores tensor<1x2xf32>
      -> tensor<1x2x8x3xf32> token_scores tensor<1x6xf32> head_scores tensor<1x2xf32>
  %p, %h2 = sattn.attention %q, %k, %v head_scores %h1 {policy = #sattn.dense, scale = 1.0 : f32}
      : tensor<1x2x8x4xf32>, tensor<1x2x6x4xf32>, tensor<1x2x6x3xf32> head_scores tensor<1x2xf32> -> tensor<1x2x8x3xf32> head_scores tensor<1x2xf32>
  return %h2 : tensor<1x2xf32>
}

// CHECK-LABEL: @progressive
// CHECK: #sattn.progressive<msb = 6, lsb = 4, value_bits = 6, threshold = 5.000000e-02, values = 40, q_range = 4.000000e+00, k_range = 3.000000e+00, v_range = 2.000000e+00>
func.func private @progressive() attributes {p = #sattn.progressive<msb = 6, lsb = 4, value_bits = 6, threshold = 0.05, values = 40, q_range = 4.0, k_range = 3.0, v_range = 2.0>}

// CHECK-LABEL: @tokens
// CHECK: sattn.top_k %{{.*}} {k = 3 : i64, protect = array<i64: 0, -1>} : tensor<2x5xf32> -> tensor<2x3xi64>
// CHECK: sattn.gather %{{.*}}, %{{.*}} {dim = 1 : i64} : tensor<2x5x8xf32>, tensor<2x3xi64> -> tensor<2x3x8xf32>
// CHECK: sattn.scatter %{{.*}}, %{{.*}} {dim = 1 : i64} : tensor<2x3x8xf32>, tensor<2x3xi64> -> tensor<2x5x8xf32>
// CHECK: sattn.select_largest %{{.*}} {k = 2 : i64} : tensor<1x2x4x4xf32> -> tensor<1x2x4x4xi1>
func.func @tokens(%s: tensor<2x5xf32>, %x: tensor<2x5x8xf32>, %p: tensor<1x2x4x4xf32>) -> tensor<2x5x8xf32> {
  %i = sattn.top_k %s {k = 3 : i64, protect = array<i64: 0, -1>} : tensor<2x5xf32> -> tensor<2x3xi64>
  %y = sattn.gather %x, %i {dim = 1 : i64} : tensor<2x5x8xf32>, tensor<2x3xi64> -> tensor<2x3x8xf32>
  %z = sattn.scatter %y, %i {dim = 1 : i64} : tensor<2x3x8xf32>, tensor<2x3xi64> -> tensor<2x5x8xf32>
  %m = sattn.select_largest %p {k = 2 : i64} : tensor<1x2x4x4xf32> -> tensor<1x2x4x4xi1>
  return %z : tensor<2x5x8xf32>
}
