// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s --sattn-reorder-dilated | FileCheck %s
// RUN: sparsam-opt %s --sattn-reorder-dilated --sattn-split-windows=columns=2 --sattn-interpret -o /dev/null

// Token 3 stands behind the even ones, second of the odd.
// CHECK-LABEL: isa.kernel @shared
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<1x1x8x1xf32>, %[[K:[a-z0-9]+]]: {{.*}}, %[[V:[a-z0-9]+]]:
// CHECK: %[[RQ:.*]] = sattn.reorder %[[Q]] by 2 :
// CHECK: %[[RK:.*]] = sattn.reorder %[[K]] by 2 :
// CHECK: %[[RV:.*]] = sattn.reorder %[[V]] by 2 :
// CHECK: %[[RO:.*]] = sattn.attention %[[RQ]], %[[RK]], %[[RV]] {policy = #sattn.pattern<windows = [(-1, 3, 1)], globals = [5], segments = 2>,
// CHECK: %[[O:.*]] = sattn.reorder %[[RO]] by 2 inverse
// CHECK: isa.return %[[O]]
isa.kernel @shared(%q: tensor<1x1x8x1xf32>, %k: tensor<1x1x8x1xf32>, %v: tensor<1x1x8x1xf32>) -> tensor<1x1x8x1xf32> attributes {target = "machine"} {
  %o = sattn.attention %q, %k, %v {scale = 1.0 : f32, policy = #sattn.pattern<windows = [(-2, 3, 2)], globals = [3]>}
      : tensor<1x1x8x1xf32>, tensor<1x1x8x1xf32>, tensor<1x1x8x1xf32> -> tensor<1x1x8x1xf32>
  isa.return %o : tensor<1x1x8x1xf32>
}

// Offsets that are no multiples of the dilation: one window for each.
// CHECK-LABEL: isa.kernel @between
// CHECK-NOT: sattn.reorder
// CHECK: windows = [(-1, 1, 1), (1, 1, 1), (3, 1, 1)], globals = [3]>
isa.kernel @between(%q: tensor<1x1x8x1xf32>, %k: tensor<1x1x8x1xf32>, %v: tensor<1x1x8x1xf32>) -> tensor<1x1x8x1xf32> attributes {target = "machine"} {
  %o = sattn.attention %q, %k, %v {scale = 1.0 : f32, policy = #sattn.pattern<windows = [(-1, 3, 2)], globals = [3]>}
      : tensor<1x1x8x1xf32>, tensor<1x1x8x1xf32>, tensor<1x1x8x1xf32> -> tensor<1x1x8x1xf32>
  isa.return %o : tensor<1x1x8x1xf32>
}

// Plain windows stay.
// CHECK-LABEL: isa.kernel @plain
// CHECK-NOT: sattn.reorder
// CHECK: windows = [(-2, 4, 1)], globals = []>
isa.kernel @plain(%q: tensor<1x1x8x1xf32>, %k: tensor<1x1x8x1xf32>, %v: tensor<1x1x8x1xf32>) -> tensor<1x1x8x1xf32> attributes {target = "machine"} {
  %o = sattn.attention %q, %k, %v {scale = 1.0 : f32, policy = #sattn.pattern<windows = [(-2, 4, 1)], globals = []>}
      : tensor<1x1x8x1xf32>, tensor<1x1x8x1xf32>, tensor<1x1x8x1xf32> -> tensor<1x1x8x1xf32>
  isa.return %o : tensor<1x1x8x1xf32>
}

// Before and after the passes a kernel gives what the pattern gives outside of kernels, which they leave alone.
// CHECK-LABEL: func.func @equal
// CHECK: sattn.attention {{.*}}windows = [(-2, 3, 2)], globals = [3]>
func.func @equal() {
  %q = arith.constant dense<[[[[0.5], [-1.0], [2.0], [0.25], [1.0], [-0.5], [0.75], [3.0]]]]> : tensor<1x1x8x1xf32>
  %v = arith.constant dense<[[[[1.0], [2.0], [4.0], [8.0], [16.0], [32.0], [64.0], [128.0]]]]> : tensor<1x1x8x1xf32>
  %e = sattn.attention %q, %q, %v {scale = 1.0 : f32, policy = #sattn.pattern<windows = [(-2, 3, 2)], globals = [3]>}
      : tensor<1x1x8x1xf32>, tensor<1x1x8x1xf32>, tensor<1x1x8x1xf32> -> tensor<1x1x8x1xf32>
  %o = isa.launch @shared(%q, %q, %v) : (tensor<1x1x8x1xf32>, tensor<1x1x8x1xf32>, tensor<1x1x8x1xf32>) -> tensor<1x1x8x1xf32>
  check.expect_close %o, %e max_abs 1.0e-4 : tensor<1x1x8x1xf32>
  %f = sattn.attention %q, %q, %v {scale = 1.0 : f32, policy = #sattn.pattern<windows = [(-1, 3, 2)], globals = [3]>}
      : tensor<1x1x8x1xf32>, tensor<1x1x8x1xf32>, tensor<1x1x8x1xf32> -> tensor<1x1x8x1xf32>
  %p = isa.launch @between(%q, %q, %v) : (tensor<1x1x8x1xf32>, tensor<1x1x8x1xf32>, tensor<1x1x8x1xf32>) -> tensor<1x1x8x1xf32>
  check.expect_close %p, %f max_abs 1.0e-4 : tensor<1x1x8x1xf32>
  return
}
