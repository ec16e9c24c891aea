// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s --sattn-partition --split-input-file | FileCheck %s

// CHECK: isa.kernel @attention_0
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<1x2x8x4xf32>, %[[K:[a-z0-9]+]]: tensor<1x2x8x4xf32>, %[[V:[a-z0-9]+]]: tensor<1x2x8x4xf32>
// CHECK: sattn.attention %[[Q]], %[[K]], %[[V]] {causal, policy = #sattn.dense, sattn.name = "attention_0", scale
// CHECK: isa.return
// CHECK-LABEL: func.func @main
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<1x2x8x4xf32>
// CHECK: %[[O:.*]] = isa.launch @attention_0(%[[X]], %[[X]], %[[X]]) :
// CHECK-NOT: sattn.attention
// CHECK: return %[[O]]
func.func @main(%x: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %o = sattn.attention %x, %x, %x {causal, scale = 0.5 : f32, policy = #sattn.dense, sattn.name = "attention_0", sattn.target = "machine"}
      : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32> -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// -----

// The additive mask is an operand of the kernel; two cores make two kernels.
// CHECK: isa.kernel @attention_0
// CHECK: isa.kernel @attention_1
// CHECK-LABEL: func.func @two_cores_with_mask
// CHECK: isa.launch @attention_0(%{{.*}}, %{{.*}}, %{{.*}}, %[[MASK:.*]]) :
// CHECK: isa.launch @attention_1(%{{.*}}, %{{.*}}, %{{.*}}, %[[MASK]]) :
func.func @two_cores_with_mask(%x: tensor<1x2x8x4xf32>, %m: tensor<1x1x1x8xf32>) -> tensor<1x2x8x4xf32> {
  %o = sattn.attention %x, %x, %x mask %m {scale = 0.5 : f32, policy = #sattn.dense, sattn.name = "attention_0", sattn.target = "machine"}
      : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x1x1x8xf32> -> tensor<1x2x8x4xf32>
  %p = sattn.attention %o, %o, %o mask %m {scale = 0.5 : f32, policy = #sattn.dense, sattn.name = "attention_1", sattn.target = "machine"}
      : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x1x1x8xf32> -> tensor<1x2x8x4xf32>
  return %p : tensor<1x2x8x4xf32>
}

// -----

// Without a target attention stays: it runs on the host.
// CHECK-NOT: isa.
// CHECK-LABEL: func.func @host
// CHECK: sattn.attention
// CHECK-NOT: isa.
func.func @host(%x: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %o = sattn.attention %x, %x, %x {scale = 0.5 : f32, policy = #sattn.dense, sattn.name = "attention_0"}
      : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32> -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// -----

// A core without a name gets one that is free.
// CHECK: isa.kernel @attention_0
// CHECK: func.func @attention
// CHECK: isa.launch @attention_0
func.func @attention(%x: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %o = sattn.attention %x, %x, %x {scale = 0.5 : f32, policy = #sattn.dense, sattn.target = "machine"}
      : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32> -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}
