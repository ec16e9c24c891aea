// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s -split-input-file --sparsam-compile="target=sanger settings=tx=0.5,ty=0.5" | FileCheck %s
// RUN: sparsam-opt %s -split-input-file --sparsam-compile="target=sanger settings=tx=0.5,ty=0.5,query_buffer=16KB,value_buffer=8KB" | FileCheck %s --check-prefix=SMALL
// RUN: sparsam-opt %s -split-input-file --sparsam-compile="target=sanger attention=dense" | FileCheck %s --check-prefix=DENSE
// RUN: sparsam-opt %s -split-input-file --sparsam-compile="target=sanger attention=host" | FileCheck %s --check-prefix=HOST

// 100 tokens are no multiple of the tile: buffers hold 128, loads are clipped. Head h+1 is predicted before head h is computed.
// CHECK-LABEL: isa.kernel @attention_0
// CHECK: isa.alloc at 0 : memref<2x128x64xi16, #isa.memory<"query">>
// CHECK: isa.alloc at 0 double_buffer : memref<2x64x64xi16, #isa.memory<"value">>
// CHECK: sanger.config queries 100 keys 100 head_dim 64 heads 3 predict true bits 4 normalize true threshold 2.000000e-03 q_range 5.000000e-01 k_range 5.000000e-01 scale 1.250000e-01 causal false empty_row<dense> encoder<subrow>
// CHECK: sanger.select_head<predict>
// CHECK: isa.loop %{{.*}} to 2 {
// CHECK:   sanger.load_query
// CHECK: sanger.quantize_key
// CHECK: sanger.score
// CHECK: sanger.softmax_threshold
// CHECK: sanger.pack_split
// CHECK: isa.loop %{{.*}} to 2 {
// CHECK:   sanger.select_head<predict>
// CHECK:   sanger.select_head<sparse>
// CHECK:   %[[N:.*]] = sanger.seal_blocks
// CHECK:   isa.loop %{{.*}} to counter %[[N]] {
// CHECK:     sanger.sddmm
// CHECK-NEXT: sanger.exp
// CHECK-NEXT: sanger.spmm
// CHECK-NEXT: sanger.accumulate
// CHECK:   sanger.normalize
// CHECK:   sanger.store_output
// CHECK: sanger.select_head<sparse>
// CHECK: isa.return
// CHECK-LABEL: func.func @main
// CHECK: isa.launch @attention_0

// One head in the query buffer, one stripe in the value buffer: no pipeline over heads, no double buffer.
// SMALL-LABEL: isa.kernel @attention_0
// SMALL: isa.alloc at 0 : memref<1x128x64xi16, #isa.memory<"query">>
// SMALL: isa.alloc at 0 : memref<1x64x64xi16, #isa.memory<"value">>
// SMALL: isa.loop %{{.*}} to 3 {
// SMALL: sanger.select_head<predict>
// SMALL: sanger.select_head<sparse>

// DENSE-LABEL: isa.kernel @attention_0
// DENSE: predict false
// DENSE-NOT: sanger.score
// DENSE: sanger.select_all

// HOST-NOT: isa.kernel
// HOST: sattn.attention
func.func @main(%q: tensor<1x3x100x64xf32>, %k: tensor<1x3x100x64xf32>, %v: tensor<1x3x100x64xf32>) -> tensor<1x3x100x64xf32> {
  %o = sattn.attention %q, %k, %v {scale = 0.125 : f32, policy = #sattn.dense, sattn.name = "attention_0"}
    : tensor<1x3x100x64xf32>, tensor<1x3x100x64xf32>, tensor<1x3x100x64xf32> -> tensor<1x3x100x64xf32>
  return %o : tensor<1x3x100x64xf32>
}

// -----

// One token, one head: no loop over heads or tiles is left.
// CHECK-LABEL: isa.kernel @attention_0
// CHECK: sanger.config queries 1 keys 1
// CHECK: sanger.seal_blocks
// CHECK: isa.loop %{{.*}} to counter
// CHECK-NOT: isa.loop
// CHECK: isa.return
func.func @main(%q: tensor<1x1x1x8xf32>) -> tensor<1x1x1x8xf32> {
  %o = sattn.attention %q, %q, %q {scale = 1.0 : f32, policy = #sattn.dense, sattn.name = "attention_0"}
    : tensor<1x1x1x8xf32>, tensor<1x1x1x8xf32>, tensor<1x1x1x8xf32> -> tensor<1x1x1x8xf32>
  return %o : tensor<1x1x1x8xf32>
}

// -----

// A padding mask per batch entry: a loop over entries around the heads, the mask loaded once per entry.
// CHECK-LABEL: isa.kernel @attention_0
// CHECK: isa.loop %[[B:.*]] to 2 {
// CHECK: sanger.load_bias
// CHECK: sanger.select_head<predict>
// CHECK: sanger.score {{.*}} bias
// CHECK: sanger.sddmm {{.*}} bias
func.func @main(%q: tensor<2x4x70x16xf32>, %m: tensor<2x1x1x70xf32>) -> tensor<2x4x70x16xf32> {
  %o = sattn.attention %q, %q, %q mask %m {scale = 0.25 : f32, policy = #sattn.dense, sattn.name = "attention_0"}
    : tensor<2x4x70x16xf32>, tensor<2x4x70x16xf32>, tensor<2x4x70x16xf32>, tensor<2x1x1x70xf32> -> tensor<2x4x70x16xf32>
  return %o : tensor<2x4x70x16xf32>
}
