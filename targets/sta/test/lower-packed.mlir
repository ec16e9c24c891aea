// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Keys and values that a layer returns beside its output, as prompts of decoders do: columns of what packs queries, keys
// and values.
// RUN: sparsam-opt %s --split-input-file --verify-diagnostics --isa-set-target="target=sta" --lower-to-sta | FileCheck %s

!x = tensor<1x4x16xf32>
!t = tensor<1x2x4x8xf32>
// CHECK-LABEL: isa.kernel @returns_keys
// CHECK-SAME: memref<2x4x8xf32, #isa.memory<"dram">>
// CHECK: sta.mm_dd<context>
// CHECK: sta.store_act
// CHECK: isa.loop %{{.*}} to 2 {
// CHECK: sta.store_act {{.*}} : memref<4x8xi16, {{.*}}#isa.memory<"activation">> to memref<4x8xf32, {{.*}}#isa.memory<"dram">>
isa.kernel @returns_keys(%x: !x, %v: tensor<48x16xf32>) -> (!t, !t) attributes {target = "sta"} {
  %w = sattn.nm_expand %v as <n = 2, m = 2, bits = 32, fraction = 0> : tensor<48x16xf32> -> tensor<16x48xf32>
  %qkv = sattn.linear %x, %w : !x, tensor<16x48xf32> -> tensor<1x4x48xf32>
  %l = onnx.Constant dense<16> : tensor<3xi64>
  %split = onnx.Constant dense<[1, 4, 2, 8]> : tensor<4xi64>
  %p:3 = onnx.Split %qkv, %l {axis = 2 : i64} : (tensor<1x4x48xf32>, tensor<3xi64>) -> (!x, !x, !x)
  %q = onnx.Reshape %p#0, %split : (!x, tensor<4xi64>) -> tensor<1x4x2x8xf32>
  %k = onnx.Reshape %p#1, %split : (!x, tensor<4xi64>) -> tensor<1x4x2x8xf32>
  %u = onnx.Reshape %p#2, %split : (!x, tensor<4xi64>) -> tensor<1x4x2x8xf32>
  %qt = onnx.Transpose %q {perm = array<i64: 0, 2, 1, 3>} : (tensor<1x4x2x8xf32>) -> !t
  %kt = onnx.Transpose %k {perm = array<i64: 0, 2, 1, 3>} : (tensor<1x4x2x8xf32>) -> !t
  %vt = onnx.Transpose %u {perm = array<i64: 0, 2, 1, 3>} : (tensor<1x4x2x8xf32>) -> !t
  %a = sattn.attention %qt, %kt, %vt {scale = 0.5 : f32, policy = #sattn.dense} : !t, !t, !t -> !t
  isa.return %a, %kt : !t, !t
}

// -----

!x = tensor<1x4x16xf32>
// A part that begins in one page and ends in the next.
// expected-error @below {{cannot run on STA: a result of 16 packed columns across pages of 16}}
isa.kernel @across_pages(%x: !x, %v: tensor<32x16xf32>) -> !x attributes {target = "sta"} {
  %w = sattn.nm_expand %v as <n = 2, m = 2, bits = 32, fraction = 0> : tensor<32x16xf32> -> tensor<16x32xf32>
  %y = sattn.linear %x, %w : !x, tensor<16x32xf32> -> tensor<1x4x32xf32>
  %l = onnx.Constant dense<[8, 16, 8]> : tensor<3xi64>
  %p:3 = onnx.Split %y, %l {axis = 2 : i64} : (tensor<1x4x32xf32>, tensor<3xi64>) -> (tensor<1x4x8xf32>, !x, tensor<1x4x8xf32>)
  isa.return %p#1 : !x
}
