// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A pattern stands for a mask of the model: it becomes one on the host.
// RUN: sparsam-opt %s --sattn-sparsify=mode=host | FileCheck %s
// RUN: sparsam-opt %s --sattn-sparsify=mode=host --sattn-interpret -o /dev/null

// CHECK-LABEL: @equal
// CHECK: %[[M:.*]] = arith.constant dense<{{\[\[\[\[}}0.000000e+00, 0.000000e+00, 0xFF800000], [0.000000e+00, 0.000000e+00, 0.000000e+00], [0xFF800000, 0.000000e+00, 0.000000e+00]]]]> : tensor<1x1x3x3xf32>
// CHECK: sattn.attention %{{.*}}, %{{.*}}, %{{.*}} mask %[[M]] {policy = #sattn.dense
func.func @equal() {
  %q = arith.constant dense<0.0> : tensor<1x1x3x1xf32>
  %v = arith.constant dense<[[[[3.0], [6.0], [12.0]]]]> : tensor<1x1x3x1xf32>
  %o = sattn.attention %q, %q, %v {scale = 1.0 : f32, policy = #sattn.pattern<windows = [(-1, 3, 1)], globals = []>}
      : tensor<1x1x3x1xf32>, tensor<1x1x3x1xf32>, tensor<1x1x3x1xf32> -> tensor<1x1x3x1xf32>
  %e = arith.constant dense<[[[[4.5], [7.0], [9.0]]]]> : tensor<1x1x3x1xf32>
  check.expect_close %o, %e max_abs 1.0e-6 : tensor<1x1x3x1xf32>
  return
}
