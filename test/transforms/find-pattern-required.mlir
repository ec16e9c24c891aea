// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s --sattn-find-pattern=required --verify-diagnostics

func.func @input(%x: tensor<1x1x4x4xf32>, %m: tensor<1x1x1x4xf32>) -> tensor<1x1x4x4xf32> {
  // expected-error @below {{has a mask that is no pattern of windows and global tokens: it depends on the input}}
  %o = sattn.attention %x, %x, %x mask %m {scale = 5.000000e-01 : f32, policy = #sattn.dense}
      : tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x1x4xf32> -> tensor<1x1x4x4xf32>
  return %o : tensor<1x1x4x4xf32>
}
