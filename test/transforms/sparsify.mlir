// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Mode host needs no target. Modes that need one are tested with a made-up target in lib/Transforms/test.
// RUN: sparsam-opt %s --sattn-sparsify="mode=host" | FileCheck %s

// CHECK-LABEL: @host
// CHECK: sattn.attention
// CHECK-SAME: {policy = #sattn.dense, sattn.name = "attention_0", scale
func.func @host(%x: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %o = sattn.attention %x, %x, %x {scale = 0.5 : f32, sattn.name = "attention_0", sattn.target = "machine", policy = #sattn.low_bit_threshold<bits = 4,
      threshold = 0.02, normalize = true, q_range = 1.4, k_range = 0.7, empty_row = zero>}
      : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32> -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}
