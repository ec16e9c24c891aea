// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Heads of different patterns are kernels of their own; what calibration says of the core holds for both.
// RUN: sparsam-opt %s --sparsam-compile="target=salo calibration=core:q_range=4.0,k_range=4.0,v_range=15.9375,score_range=5.0" | FileCheck %s

// CHECK: isa.kernel @core_0
// CHECK: salo.config queries 4 keys 4 {{.*}} heads 2 {{.*}} v_factor 1.000000e+00
// CHECK: isa.kernel @core_1
// CHECK: salo.config queries 4 keys 4 {{.*}} heads 1 {{.*}} v_factor 1.000000e+00
// CHECK: isa.launch @core_0
// CHECK: isa.launch @core_1
func.func @main(%q: tensor<1x3x4x64xf32>) -> tensor<1x3x4x64xf32> {
  %m = arith.constant dense<[[[[0.0, -1.0e+4, -1.0e+4, -1.0e+4], [0.0, 0.0, -1.0e+4, -1.0e+4], [0.0, 0.0, 0.0, -1.0e+4], [0.0, 0.0, 0.0, 0.0]],
                              [[0.0, -1.0e+4, -1.0e+4, -1.0e+4], [0.0, 0.0, -1.0e+4, -1.0e+4], [0.0, 0.0, 0.0, -1.0e+4], [0.0, 0.0, 0.0, 0.0]],
                              [[0.0, 0.0, -1.0e+4, -1.0e+4], [0.0, 0.0, 0.0, -1.0e+4], [-1.0e+4, 0.0, 0.0, 0.0], [-1.0e+4, -1.0e+4, 0.0, 0.0]]]]> : tensor<1x3x4x4xf32>
  %o = sattn.attention %q, %q, %q mask %m {scale = 0.125 : f32, policy = #sattn.dense, sattn.name = "core"}
    : tensor<1x3x4x64xf32>, tensor<1x3x4x64xf32>, tensor<1x3x4x64xf32>, tensor<1x3x4x4xf32> -> tensor<1x3x4x64xf32>
  return %o : tensor<1x3x4x64xf32>
}
