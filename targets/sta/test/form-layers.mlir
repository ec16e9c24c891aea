// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which ops of a model become one kernel.
// RUN: sparsam-opt %s --isa-set-target="target=sta settings=n=2,m=8" --sta-form-layers | FileCheck %s
// RUN: sparsam-opt %s --isa-set-target="target=sta settings=n=2,m=8" --sta-form-layers --sattn-sparsify --sattn-partition | FileCheck %s --check-prefix=KERNEL

// KERNEL: isa.kernel @layer_0
// KERNEL: sattn.nm_expand
// KERNEL: sattn.attention
// KERNEL: func.func @post_norm
// KERNEL-NOT: sattn.linear
// KERNEL: %[[Y:.*]] = isa.launch @layer_0
// KERNEL-NEXT: return %[[Y]]
// KERNEL: isa.kernel @attention_1
// KERNEL-NOT: sattn.linear
// KERNEL: func.func @alone

// The whole layer, normalised after.
// CHECK-LABEL: @post_norm
// CHECK-COUNT-6: sattn.linear {{.*}}sattn.kernel = "layer_0", sattn.target = "sta"
func.func @post_norm(%x: tensor<1x8x16xf32>) -> tensor<1x8x16xf32> {
  %w = arith.constant dense<0.5> : tensor<16x16xf32>
  %s = arith.constant dense<1.0> : tensor<16xf32>
  %split = onnx.Constant dense<[1, 8, 2, 8]> : tensor<4xi64>
  %merge = onnx.Constant dense<[1, 8, 16]> : tensor<3xi64>
  %q = sattn.linear %x, %w : tensor<1x8x16xf32>, tensor<16x16xf32> -> tensor<1x8x16xf32>
  %k = sattn.linear %x, %w bias %s : tensor<1x8x16xf32>, tensor<16x16xf32>, tensor<16xf32> -> tensor<1x8x16xf32>
  %v = sattn.linear %x, %w bias %s : tensor<1x8x16xf32>, tensor<16x16xf32>, tensor<16xf32> -> tensor<1x8x16xf32>
  %qr = onnx.Reshape %q, %split : (tensor<1x8x16xf32>, tensor<4xi64>) -> tensor<1x8x2x8xf32>
  %kr = onnx.Reshape %k, %split : (tensor<1x8x16xf32>, tensor<4xi64>) -> tensor<1x8x2x8xf32>
  %vr = onnx.Reshape %v, %split : (tensor<1x8x16xf32>, tensor<4xi64>) -> tensor<1x8x2x8xf32>
  %qt = onnx.Transpose %qr {perm = array<i64: 0, 2, 1, 3>} : (tensor<1x8x2x8xf32>) -> tensor<1x2x8x8xf32>
  %kt = onnx.Transpose %kr {perm = array<i64: 0, 2, 1, 3>} : (tensor<1x8x2x8xf32>) -> tensor<1x2x8x8xf32>
  %vt = onnx.Transpose %vr {perm = array<i64: 0, 2, 1, 3>} : (tensor<1x8x2x8xf32>) -> tensor<1x2x8x8xf32>
  %a = sattn.attention %qt, %kt, %vt {sattn.name = "attention_0", scale = 0.5 : f32, policy = #sattn.dense}
      : tensor<1x2x8x8xf32>, tensor<1x2x8x8xf32>, tensor<1x2x8x8xf32> -> tensor<1x2x8x8xf32>
  %at = onnx.Transpose %a {perm = array<i64: 0, 2, 1, 3>} : (tensor<1x2x8x8xf32>) -> tensor<1x8x2x8xf32>
  %am = onnx.Reshape %at, %merge : (tensor<1x8x2x8xf32>, tensor<3xi64>) -> tensor<1x8x16xf32>
  %o = sattn.linear %am, %w residual %x : tensor<1x8x16xf32>, tensor<16x16xf32> residual tensor<1x8x16xf32> -> tensor<1x8x16xf32>
  %n1 = onnx.LayerNormalization %o, %s, %s {axis = -1 : i64} : (tensor<1x8x16xf32>, tensor<16xf32>, tensor<16xf32>) -> tensor<1x8x16xf32>
  %up = sattn.linear %n1, %w {activation = #sattn.activation<gelu>} : tensor<1x8x16xf32>, tensor<16x16xf32> -> tensor<1x8x16xf32>
  %down = sattn.linear %up, %w residual %n1 : tensor<1x8x16xf32>, tensor<16x16xf32> residual tensor<1x8x16xf32> -> tensor<1x8x16xf32>
  %n2 = onnx.LayerNormalization %down, %s, %s {axis = -1 : i64} : (tensor<1x8x16xf32>, tensor<16xf32>, tensor<16xf32>) -> tensor<1x8x16xf32>
  return %n2 : tensor<1x8x16xf32>
}

// Nothing around it that the machine knows: the attention alone.
// CHECK-LABEL: @alone
// CHECK: sattn.attention
// CHECK-NOT: sattn.kernel
func.func @alone(%q: tensor<1x2x8x8xf32>) -> tensor<1x2x8x8xf32> {
  %a = sattn.attention %q, %q, %q {sattn.name = "attention_1", scale = 0.5 : f32, policy = #sattn.dense}
      : tensor<1x2x8x8xf32>, tensor<1x2x8x8xf32>, tensor<1x2x8x8xf32> -> tensor<1x2x8x8xf32>
  return %a : tensor<1x2x8x8xf32>
}
