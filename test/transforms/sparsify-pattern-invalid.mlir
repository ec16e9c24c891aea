// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s --sattn-sparsify=mode=host --verify-diagnostics

func.func @mask(%x: tensor<1x1x4x4xf32>, %m: tensor<1x1x1x4xf32>) -> tensor<1x1x4x4xf32> {
  // expected-error @below {{has a pattern over 4 tokens, which the host cannot run: it makes a mask of at most 4194304 pairs, and none beside another}}
  %o = sattn.attention %x, %x, %x mask %m {scale = 1.0 : f32, policy = #sattn.pattern<windows = [(-1, 3, 1)], globals = []>}
      : tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x1x4xf32> -> tensor<1x1x4x4xf32>
  return %o : tensor<1x1x4x4xf32>
}
