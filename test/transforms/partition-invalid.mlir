// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s --sattn-partition --split-input-file --verify-diagnostics

func.func @name_taken(%x: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  // expected-note @below {{already called that}}
  %o = sattn.attention %x, %x, %x {scale = 0.5 : f32, policy = #sattn.dense, sattn.name = "attention_0", sattn.target = "machine"}
      : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32> -> tensor<1x2x8x4xf32>
  // expected-error @below {{is called 'attention_0' (`sattn.name`), which is taken}}
  %p = sattn.attention %o, %o, %o {scale = 0.5 : f32, policy = #sattn.dense, sattn.name = "attention_0", sattn.target = "machine"}
      : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32> -> tensor<1x2x8x4xf32>
  return %p : tensor<1x2x8x4xf32>
}
