// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A mask that lies in the file of the model.
// RUN: sparsam-opt %s --sattn-find-pattern | FileCheck %s

// CHECK: policy = #sattn.pattern<windows = [(-1, 2, 1)], globals = []>
func.func @window(%x: tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32> {
  %m = onnx.Constant dense_resource<mask> : tensor<1x1x4x4xf32>
  %o = sattn.attention %x, %x, %x mask %m {scale = 5.000000e-01 : f32, policy = #sattn.dense}
      : tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32> -> tensor<1x1x4x4xf32>
  return %o : tensor<1x1x4x4xf32>
}

{-#
  dialect_resources: {
    builtin: {
      // 0 on the diagonal and left of it, -10000 elsewhere.
      mask: "0x040000000000000000401CC600401CC600401CC6000000000000000000401CC600401CC600401CC6000000000000000000401CC600401CC600401CC60000000000000000"
    }
  }
#-}
