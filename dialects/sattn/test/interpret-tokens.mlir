// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Ranking and keeping tokens; canonicalised, every op folds to the same.
// RUN: sparsam-opt %s --sattn-interpret -o /dev/null
// RUN: sparsam-opt %s --canonicalize | FileCheck %s
// CHECK-NOT: sattn.top_k
// CHECK-NOT: sattn.gather
// CHECK-NOT: sattn.scatter
// CHECK-NOT: sattn.select_largest

// The third largest is 0.6: 1.2 is above it, and of those equal both fit.
func.func @top_k() {
  %s = arith.constant dense<[[0.6, 0.1, 0.5, 1.2, 0.6]]> : tensor<1x5xf32>
  %i = sattn.top_k %s {k = 3 : i64} : tensor<1x5xf32> -> tensor<1x3xi64>
  %e = arith.constant dense<[[0, 3, 4]]> : tensor<1x3xi64>
  check.expect_equal %i, %e : tensor<1x3xi64>
  // Position 1 is protected: one place is left, for the largest.
  %j = sattn.top_k %s {k = 2 : i64, protect = array<i64: 1>} : tensor<1x5xf32> -> tensor<1x2xi64>
  %f = arith.constant dense<[[1, 3]]> : tensor<1x2xi64>
  check.expect_equal %j, %f : tensor<1x2xi64>
  return
}

func.func @gather_scatter() {
  %x = arith.constant dense<[[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]]> : tensor<1x3x2xf32>
  %i = arith.constant dense<[[0, 2]]> : tensor<1x2xi64>
  %y = sattn.gather %x, %i {dim = 1 : i64} : tensor<1x3x2xf32>, tensor<1x2xi64> -> tensor<1x2x2xf32>
  %e = arith.constant dense<[[[1.0, 2.0], [5.0, 6.0]]]> : tensor<1x2x2xf32>
  check.expect_equal %y, %e : tensor<1x2x2xf32>
  %z = sattn.scatter %y, %i {dim = 1 : i64} : tensor<1x2x2xf32>, tensor<1x2xi64> -> tensor<1x3x2xf32>
  %f = arith.constant dense<[[[1.0, 2.0], [0.0, 0.0], [5.0, 6.0]]]> : tensor<1x3x2xf32>
  check.expect_equal %z, %f : tensor<1x3x2xf32>
  return
}

// One mask for two batch entries that keep different tokens.
func.func @gather_shared() {
  %x = arith.constant dense<[[10.0, 20.0, 30.0]]> : tensor<1x3xf32>
  %i = arith.constant dense<[[0, 1], [1, 2]]> : tensor<2x2xi64>
  %y = sattn.gather %x, %i {dim = 1 : i64} : tensor<1x3xf32>, tensor<2x2xi64> -> tensor<2x2xf32>
  %e = arith.constant dense<[[10.0, 20.0], [20.0, 30.0]]> : tensor<2x2xf32>
  check.expect_equal %y, %e : tensor<2x2xf32>
  return
}

func.func @select_largest() {
  %p = arith.constant dense<[[[[0.5, 0.0, 0.5], [1.0, 0.0, 0.0]]]]> : tensor<1x1x2x3xf32>
  %m = sattn.select_largest %p {k = 2 : i64} : tensor<1x1x2x3xf32> -> tensor<1x1x2x3xi1>
  %e = arith.constant dense<[[[[1, 0, 1], [1, 0, 0]]]]> : tensor<1x1x2x3xi1>
  check.expect_equal %m, %e : tensor<1x1x2x3xi1>
  return
}

// Worked example of the cascade: the scores ln(p) give the rows of probabilities [.5 .2 .2 .1], [.4 .3 .2 .1] (head 0) and
// [.1 .2 .6 .1], [.25 .25 .3 .2] (head 1). Their column sums are [1.25, 0.95, 1.30, 0.50]; three of four are {0, 1, 2}, two
// are {0, 2}. Values of 1 make every output 1: each head adds its two queries.
func.func @cascade() {
  %q = arith.constant dense<[[[[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]]]]> : tensor<1x2x2x2xf32>
  %k = arith.constant dense<[[
    [[-0.69314718, -0.91629073], [-1.60943791, -1.20397280], [-1.60943791, -1.60943791], [-2.30258509, -2.30258509]],
    [[-2.30258509, -1.38629436], [-1.60943791, -1.38629436], [-0.51082562, -1.20397280], [-2.30258509, -1.60943791]]]]> : tensor<1x2x4x2xf32>
  %v = arith.constant dense<1.0> : tensor<1x2x4x1xf32>
  %t0 = arith.constant dense<0.0> : tensor<1x4xf32>
  %h0 = arith.constant dense<[[3.0, 0.0]]> : tensor<1x2xf32>
  %o, %t, %h = sattn.attention %q, %k, %v token_scores %t0 head_scores %h0 {scale = 1.0 : f32, policy = #sattn.dense}
      : tensor<1x2x2x2xf32>, tensor<1x2x4x2xf32>, tensor<1x2x4x1xf32> token_scores tensor<1x4xf32> head_scores tensor<1x2xf32>
      -> tensor<1x2x2x1xf32> token_scores tensor<1x4xf32> head_scores tensor<1x2xf32>
  %te = arith.constant dense<[[1.25, 0.95, 1.3, 0.5]]> : tensor<1x4xf32>
  check.expect_close %t, %te max_abs 1.0e-6 : tensor<1x4xf32>
  %he = arith.constant dense<[[5.0, 2.0]]> : tensor<1x2xf32>
  check.expect_close %h, %he max_abs 1.0e-6 : tensor<1x2xf32>
  return
}

// Probabilities [1/2, 1/4, 1/4] keep the two largest (the first of equals) and are not normalised again:
// 8 / 2 + 4 / 4 = 5 instead of 5 / 0.75. Scores of tokens count before that.
func.func @progressive() {
  %q = arith.constant dense<1.0> : tensor<1x1x1x1xf32>
  %k = arith.constant dense<[[[[0.69314718], [0.0], [0.0]]]]> : tensor<1x1x3x1xf32>
  %v = arith.constant dense<[[[[8.0], [4.0], [100.0]]]]> : tensor<1x1x3x1xf32>
  %t0 = arith.constant dense<0.0> : tensor<1x3xf32>
  %o, %t = sattn.attention %q, %k, %v token_scores %t0 {scale = 1.0 : f32, policy = #sattn.progressive<msb = 8, lsb = 4,
      value_bits = 8, threshold = 0.1, values = 2, q_range = 1.0, k_range = 1.0, v_range = 100.0>}
      : tensor<1x1x1x1xf32>, tensor<1x1x3x1xf32>, tensor<1x1x3x1xf32> token_scores tensor<1x3xf32> -> tensor<1x1x1x1xf32> token_scores tensor<1x3xf32>
  %e = arith.constant dense<5.0> : tensor<1x1x1x1xf32>
  check.expect_close %o, %e max_abs 1.0e-5 : tensor<1x1x1x1xf32>
  %te = arith.constant dense<[[0.5, 0.25, 0.25]]> : tensor<1x3xf32>
  check.expect_close %t, %te max_abs 1.0e-6 : tensor<1x3xf32>
  return
}
