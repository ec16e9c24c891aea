// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Semantics of single ops at their edges, with the arithmetic beside it.
// RUN: sparsam-opt %s --sattn-interpret -o /dev/null

// ln 3 = 1.0986123: scores [0, ln 3] give [1/4, 3/4]; unselected scores count for nothing; an empty row gives zeros.
func.func @softmax() {
  %s = arith.constant dense<[[[[0.0, 1.0986123, 9.0], [5.0, 5.0, 5.0]]]]> : tensor<1x1x2x3xf32>
  %m = arith.constant dense<[[[[1, 1, 0], [0, 0, 0]]]]> : tensor<1x1x2x3xi1>
  %p = sattn.softmax %s over %m : tensor<1x1x2x3xf32>, tensor<1x1x2x3xi1> -> tensor<1x1x2x3xf32>
  %e = arith.constant dense<[[[[0.25, 0.75, 0.0], [0.0, 0.0, 0.0]]]]> : tensor<1x1x2x3xf32>
  check.expect_close %p, %e max_abs 1.0e-6 : tensor<1x1x2x3xf32>
  return
}

// 0.5 * (1*3 + 2*4) + 10 = 15.5; the second pair is not selected and stays 0.
func.func @sddmm() {
  %q = arith.constant dense<[[[[1.0, 2.0]]]]> : tensor<1x1x1x2xf32>
  %k = arith.constant dense<[[[[3.0, 4.0], [5.0, 6.0]]]]> : tensor<1x1x2x2xf32>
  %m = arith.constant dense<[[[[1, 0]]]]> : tensor<1x1x1x2xi1>
  %b = arith.constant dense<10.0> : tensor<1x1x1x1xf32>
  %s = sattn.sddmm %q, %k over %m mask %b {scale = 0.5 : f32} : tensor<1x1x1x2xf32>, tensor<1x1x2x2xf32>, tensor<1x1x1x2xi1>, tensor<1x1x1x1xf32> -> tensor<1x1x1x2xf32>
  %e = arith.constant dense<[[[[15.5, 0.0]]]]> : tensor<1x1x1x2xf32>
  check.expect_close %s, %e max_abs 0.0 : tensor<1x1x1x2xf32>
  return
}

// 0.25 * 8 = 2; the probability of the unselected pair is not looked at.
func.func @spmm() {
  %p = arith.constant dense<[[[[0.25, 0.75]]]]> : tensor<1x1x1x2xf32>
  %v = arith.constant dense<[[[[8.0], [4.0]]]]> : tensor<1x1x2x1xf32>
  %m = arith.constant dense<[[[[1, 0]]]]> : tensor<1x1x1x2xi1>
  %o = sattn.spmm %p, %v over %m : tensor<1x1x1x2xf32>, tensor<1x1x2x1xf32>, tensor<1x1x1x2xi1> -> tensor<1x1x1x1xf32>
  %e = arith.constant dense<2.0> : tensor<1x1x1x1xf32>
  check.expect_close %o, %e max_abs 0.0 : tensor<1x1x1x1xf32>
  return
}

// Codes 7 and 7 at scale 7: score 1 * norms 2 * 0.5 * scale ln 3; key 1 has score 0. Query 0 of 2 does not see key 1.
func.func @predict_causal() {
  %q = arith.constant dense<[[[[7], [7]]]]> : tensor<1x1x2x1xi8>
  %nq = arith.constant dense<2.0> : tensor<1x1x2x1xf32>
  %k = arith.constant dense<[[[[7], [0]]]]> : tensor<1x1x2x1xi8>
  %nk = arith.constant dense<0.5> : tensor<1x1x2x1xf32>
  %p = sattn.predict %q, %nq, %k, %nk {causal, q_scale = 7.0 : f64, k_scale = 7.0 : f64, scale = 1.0986123 : f32}
      : tensor<1x1x2x1xi8>, tensor<1x1x2x1xf32>, tensor<1x1x2x1xi8>, tensor<1x1x2x1xf32> -> tensor<1x1x2x2xf32>
  %e = arith.constant dense<[[[[1.0, 0.0], [0.75, 0.25]]]]> : tensor<1x1x2x2xf32>
  check.expect_close %p, %e max_abs 1.0e-6 : tensor<1x1x2x2xf32>
  return
}

// An additive mask of -inf everywhere leaves no probability.
func.func @predict_nothing_visible() {
  %c = arith.constant dense<1> : tensor<1x1x1x1xi8>
  %n = arith.constant dense<1.0> : tensor<1x1x1x1xf32>
  %b = arith.constant dense<0xFF800000> : tensor<1x1x1x1xf32>
  %p = sattn.predict %c, %n, %c, %n mask %b {q_scale = 1.0 : f64, k_scale = 1.0 : f64, scale = 1.0 : f32}
      : tensor<1x1x1x1xi8>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xi8>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xf32> -> tensor<1x1x1x1xf32>
  %e = arith.constant dense<0.0> : tensor<1x1x1x1xf32>
  check.expect_close %p, %e max_abs 0.0 : tensor<1x1x1x1xf32>
  return
}

// Two queries and three keys: query i sees keys up to i + 1.
func.func @select_all_causal() {
  %m = sattn.select_all {causal} : tensor<1x1x2x3xi1>
  %e = arith.constant dense<[[[[1, 1, 0], [1, 1, 1]]]]> : tensor<1x1x2x3xi1>
  check.expect_equal %m, %e : tensor<1x1x2x3xi1>
  return
}

// [1, 2] [[1, -3], [1, 0]] + [0, 1] = [3, -2]; relu [3, 0]; plus [1, 1].
func.func @linear() {
  %x = arith.constant dense<[[1.0, 2.0]]> : tensor<1x2xf32>
  %w = arith.constant dense<[[1.0, -3.0], [1.0, 0.0]]> : tensor<2x2xf32>
  %wt = arith.constant dense<[[1.0, 1.0], [-3.0, 0.0]]> : tensor<2x2xf32>
  %b = arith.constant dense<[0.0, 1.0]> : tensor<2xf32>
  %r = arith.constant dense<1.0> : tensor<1x2xf32>
  %y = sattn.linear %x, %w bias %b residual %r {activation = #sattn.activation<relu>} : tensor<1x2xf32>, tensor<2x2xf32>, tensor<2xf32> residual tensor<1x2xf32> -> tensor<1x2xf32>
  %z = sattn.linear %x, %wt bias %b residual %r {activation = #sattn.activation<relu>, transpose_weight} : tensor<1x2xf32>, tensor<2x2xf32>, tensor<2xf32> residual tensor<1x2xf32> -> tensor<1x2xf32>
  %e = arith.constant dense<[[4.0, 1.0]]> : tensor<1x2xf32>
  check.expect_close %y, %e max_abs 0.0 : tensor<1x2xf32>
  check.expect_close %z, %e max_abs 0.0 : tensor<1x2xf32>
  return
}

// gelu(1) = (1 + erf(1 / sqrt 2)) / 2 = 0.8413447; its tanh form gives 0.8411920; tanh 1 = 0.7615942.
func.func @activations() {
  %x = arith.constant dense<1.0> : tensor<1x1xf32>
  %g = sattn.linear %x, %x {activation = #sattn.activation<gelu>} : tensor<1x1xf32>, tensor<1x1xf32> -> tensor<1x1xf32>
  %t = sattn.linear %x, %x {activation = #sattn.activation<gelu_tanh>} : tensor<1x1xf32>, tensor<1x1xf32> -> tensor<1x1xf32>
  %h = sattn.linear %x, %x {activation = #sattn.activation<tanh>} : tensor<1x1xf32>, tensor<1x1xf32> -> tensor<1x1xf32>
  %eg = arith.constant dense<0.8413447> : tensor<1x1xf32>
  %et = arith.constant dense<0.8411920> : tensor<1x1xf32>
  %eh = arith.constant dense<0.7615942> : tensor<1x1xf32>
  check.expect_close %g, %eg max_abs 1.0e-6 : tensor<1x1xf32>
  check.expect_close %t, %et max_abs 1.0e-6 : tensor<1x1xf32>
  check.expect_close %h, %eh max_abs 1.0e-6 : tensor<1x1xf32>
  return
}

// The rows from 1 on are replaced; the last one stays.
func.func @cache_append() {
  %c = arith.constant dense<[[[[1.0], [2.0], [3.0], [4.0]]]]> : tensor<1x1x4x1xf32>
  %x = arith.constant dense<[[[[8.0], [9.0]]]]> : tensor<1x1x2x1xf32>
  %n = arith.constant dense<1> : tensor<i64>
  %r = sattn.cache_append %c, %x at %n : tensor<1x1x4x1xf32>, tensor<1x1x2x1xf32> at tensor<i64>
  %e = arith.constant dense<[[[[1.0], [8.0], [9.0], [4.0]]]]> : tensor<1x1x4x1xf32>
  check.expect_close %r, %e max_abs 0.0 : tensor<1x1x4x1xf32>
  return
}

// Two keys of four are there, scores [0, ln 3]: 1/4 * 8 + 3/4 * 4 = 5. What lies behind them is not looked at.
func.func @attention_valid() {
  %q = arith.constant dense<1.0> : tensor<1x1x1x1xf32>
  %k = arith.constant dense<[[[[0.0], [1.0986123], [9.0], [0x7FC00000]]]]> : tensor<1x1x4x1xf32>
  %v = arith.constant dense<[[[[8.0], [4.0], [100.0], [0x7FC00000]]]]> : tensor<1x1x4x1xf32>
  %n = arith.constant dense<2> : tensor<i64>
  %o = sattn.attention %q, %k, %v valid %n {scale = 1.0 : f32, policy = #sattn.dense}
      : tensor<1x1x1x1xf32>, tensor<1x1x4x1xf32>, tensor<1x1x4x1xf32> valid tensor<i64> -> tensor<1x1x1x1xf32>
  %e = arith.constant dense<5.0> : tensor<1x1x1x1xf32>
  check.expect_close %o, %e max_abs 1.0e-6 : tensor<1x1x1x1xf32>
  return
}

// Two queries, three keys there: query 0 sees keys 0 and 1, (1 + 2) / 2 = 1.5, query 1 sees three, (1 + 2 + 6) / 3 = 3.
func.func @attention_valid_causal() {
  %q = arith.constant dense<0.0> : tensor<1x1x2x1xf32>
  %k = arith.constant dense<0.0> : tensor<1x1x4x1xf32>
  %v = arith.constant dense<[[[[1.0], [2.0], [6.0], [100.0]]]]> : tensor<1x1x4x1xf32>
  %n = arith.constant dense<3> : tensor<i64>
  %o = sattn.attention %q, %k, %v valid %n {scale = 1.0 : f32, causal, policy = #sattn.dense}
      : tensor<1x1x2x1xf32>, tensor<1x1x4x1xf32>, tensor<1x1x4x1xf32> valid tensor<i64> -> tensor<1x1x2x1xf32>
  %e = arith.constant dense<[[[[1.5], [3.0]]]]> : tensor<1x1x2x1xf32>
  check.expect_close %o, %e max_abs 1.0e-6 : tensor<1x1x2x1xf32>
  return
}
