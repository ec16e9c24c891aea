// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs cascades: each core works on what the one before it left.
// RUN: sparsam-opt %s --sattn-cascade="tokens=3,2,1" --sattn-interpret -o /dev/null

// Every query attends alike (queries of 0), so a key's share is all that counts: with keys of 0 all shares are equal and
// ties keep the first tokens: {0, 1} behind the first core, {0} behind the second. Values are the tokens themselves:
// core 0 gives every token (3 + 6 + 12) / 3 = 7 in each of the places; core 1 sees tokens 0 and 1 and gives 7 again, core
// 2 sees token 0 alone. Pruned places are 0: one place of three is left.
func.func @cascade() {
  %q = arith.constant dense<0.0> : tensor<1x1x3x1xf32>
  %v = arith.constant dense<[[[[3.0], [6.0], [12.0]]]]> : tensor<1x1x3x1xf32>
  %o0 = sattn.attention %q, %q, %v {scale = 1.0 : f32, policy = #sattn.dense} : tensor<1x1x3x1xf32>, tensor<1x1x3x1xf32>, tensor<1x1x3x1xf32> -> tensor<1x1x3x1xf32>
  %o1 = sattn.attention %o0, %o0, %o0 {scale = 1.0 : f32, policy = #sattn.dense} : tensor<1x1x3x1xf32>, tensor<1x1x3x1xf32>, tensor<1x1x3x1xf32> -> tensor<1x1x3x1xf32>
  %o2 = sattn.attention %o1, %o1, %o1 {scale = 1.0 : f32, policy = #sattn.dense} : tensor<1x1x3x1xf32>, tensor<1x1x3x1xf32>, tensor<1x1x3x1xf32> -> tensor<1x1x3x1xf32>
  %e = arith.constant dense<[[[[7.0], [0.0], [0.0]]]]> : tensor<1x1x3x1xf32>
  check.expect_close %o2, %e max_abs 1.0e-5 : tensor<1x1x3x1xf32>
  return
}
