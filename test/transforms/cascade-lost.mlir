// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s --sattn-cascade="tokens=4,2" --verify-diagnostics

// Two heads lie in front of one batch entry: which tokens survive cannot be told there, and all places come back.
func.func @cannot_be_followed(%x: tensor<1x2x4x2xf32>) -> tensor<1x2x4x2xf32> {
  %o0 = sattn.attention %x, %x, %x {sattn.name = "attention_0", scale = 1.0 : f32, policy = #sattn.dense} : tensor<1x2x4x2xf32>, tensor<1x2x4x2xf32>, tensor<1x2x4x2xf32> -> tensor<1x2x4x2xf32>
  %t = onnx.Transpose %o0 {perm = array<i64: 1, 0, 2, 3>} : (tensor<1x2x4x2xf32>) -> tensor<2x1x4x2xf32>
  %u = onnx.Transpose %t {perm = array<i64: 1, 0, 2, 3>} : (tensor<2x1x4x2xf32>) -> tensor<1x2x4x2xf32>
  // expected-error @below {{cannot be part of a cascade (options of sattn-cascade): the tokens of attention_0 cannot be followed up to here}}
  %o1 = sattn.attention %u, %u, %u {scale = 1.0 : f32, policy = #sattn.dense} : tensor<1x2x4x2xf32>, tensor<1x2x4x2xf32>, tensor<1x2x4x2xf32> -> tensor<1x2x4x2xf32>
  return %o1 : tensor<1x2x4x2xf32>
}
