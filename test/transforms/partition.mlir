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

// -----

// Ops of one `sattn.kernel` become one kernel: its arguments are the values from outside, its results those that are used
// outside. What needs a result is moved behind the launch.
// CHECK: isa.kernel @layer
// CHECK-SAME: (%[[X:[a-z0-9]+]]: tensor<2x4xf32>, %[[W:[a-z0-9]+]]: tensor<4x4xf32>) -> (tensor<2x4xf32>, tensor<2x4xf32>)
// CHECK: %[[A:.*]] = sattn.linear %[[X]], %[[W]] :
// CHECK: %[[B:.*]] = sattn.linear %[[A]], %[[W]] :
// CHECK: isa.return %[[A]], %[[B]]
// CHECK-LABEL: func.func @group
// CHECK: %[[L:.*]]:2 = isa.launch @layer(
// CHECK: %[[BETWEEN:.*]] = sattn.linear %[[L]]#0,
// CHECK: return %[[L]]#1, %[[BETWEEN]]
func.func @group(%x: tensor<2x4xf32>, %w: tensor<4x4xf32>) -> (tensor<2x4xf32>, tensor<2x4xf32>) {
  %a = sattn.linear %x, %w {sattn.target = "machine", sattn.kernel = "layer"} : tensor<2x4xf32>, tensor<4x4xf32> -> tensor<2x4xf32>
  %between = sattn.linear %a, %w : tensor<2x4xf32>, tensor<4x4xf32> -> tensor<2x4xf32>
  %b = sattn.linear %a, %w {sattn.target = "machine", sattn.kernel = "layer"} : tensor<2x4xf32>, tensor<4x4xf32> -> tensor<2x4xf32>
  return %b, %between : tensor<2x4xf32>, tensor<2x4xf32>
}
