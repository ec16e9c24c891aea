// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s -split-input-file --sparsam-compile="target=salo" | FileCheck %s
// RUN: sparsam-opt %s -split-input-file --sparsam-compile="target=salo settings=key_buffer=12KB" | FileCheck %s --check-prefix=SMALL

// A window of 512 keys: 16 passes of 32, in loops. Token 0 is global: its key in pass 0; its query in pass 7, which shows the
// last row of all tiles the keys -1 to 4094, and in pass 8, which shows the last one key 4095.
// CHECK: affine_map<(d0, d1) -> (d0 * 32 + d1 * 32 - 224)>
// CHECK-LABEL: isa.kernel @attention_0
// CHECK: isa.alloc at 0 double_buffer : memref<2x32x64xi16, #isa.memory<"query">>
// CHECK: isa.alloc at 0 double_buffer : memref<2x63x64xi16, #isa.memory<"key">>
// CHECK: salo.config queries 4096 keys 4096 segments 1 head_dim 64 heads 12 q_factor 1.44269502
// CHECK: salo.set_global 0
// CHECK: isa.loop %[[H:.*]] to 12 {
// CHECK:   salo.load_global_query
// CHECK:   salo.clear
// CHECK:   isa.loop %[[T:.*]] to 128 {
// CHECK:     salo.load_query
// CHECK:     salo.tile_attn {{.*}} cols 32 global_key {{.*}} row_from 0 row_to 0 row_cols 0
// CHECK:     salo.merge {{.*}} init true :
// CHECK:     isa.loop %[[P:.*]] to 6 {
// CHECK:       isa.index #{{.*}}(%[[T]], %[[P]])
// CHECK:       salo.merge {{.*}} init false :
// CHECK:     }
// CHECK:     salo.tile_attn {{.*}} cols 32 global_query {{.*}} row_from 0 row_to 4095 row_cols 32
// CHECK:     salo.merge {{.*}} global
// CHECK:     salo.tile_attn {{.*}} cols 32 global_query {{.*}} row_from 4095 row_to 4096 row_cols 32
// CHECK:     isa.loop %{{.*}} to 7 {
// CHECK:     salo.store_output
// CHECK:   }
// CHECK:   salo.store_output

// SMALL-LABEL: isa.kernel @attention_0
// SMALL: isa.alloc at 0 : memref<1x63x64xi16, #isa.memory<"key">>
func.func @main(%q: tensor<1x12x4096x64xf32>) -> tensor<1x12x4096x64xf32> {
  %o = sattn.attention %q, %q, %q {scale = 0.125 : f32, policy = #sattn.pattern<windows = [(-256, 512, 1)], globals = [0]>, sattn.name = "attention_0"}
    : tensor<1x12x4096x64xf32>, tensor<1x12x4096x64xf32>, tensor<1x12x4096x64xf32> -> tensor<1x12x4096x64xf32>
  return %o : tensor<1x12x4096x64xf32>
}

// -----

// Two residue classes, 2 tokens apart in DRAM; the last pass has 8 columns; a scale of 1/4 leaves a factor of 2 beside log2(e).
// CHECK: affine_map<(d0, d1, d2) -> (d0, d2 * 32, d1 * 16)>
// CHECK-LABEL: isa.kernel @attention_0
// CHECK-SAME: memref<2x100x32xf32, #isa.memory<"dram">>
// CHECK: salo.config queries 100 keys 100 segments 2 head_dim 16 heads 2 q_factor 2.88539
// CHECK-NOT: salo.set_global
// CHECK: isa.loop %[[H:.*]] to 2 {
// CHECK:   isa.loop %[[S:.*]] to 2 {
// CHECK:     salo.select_head %{{.*}} segment %{{.*}}
// CHECK:     isa.loop %[[T:.*]] to 4 {
// CHECK:       isa.view %{{.*}}[#{{.*}}(%[[H]], %[[S]], %[[T]])]
// CHECK:       salo.tile_attn {{.*}} cols 32
// CHECK:       salo.tile_attn {{.*}} cols 8
// CHECK-NOT:   salo.tile_attn
func.func @main(%q: tensor<1x2x200x16xf32>) -> tensor<1x2x200x16xf32> {
  %o = sattn.attention %q, %q, %q {scale = 0.25 : f32, policy = #sattn.pattern<windows = [(-40, 40, 2)], globals = []>, sattn.name = "attention_0"}
    : tensor<1x2x200x16xf32>, tensor<1x2x200x16xf32>, tensor<1x2x200x16xf32> -> tensor<1x2x200x16xf32>
  return %o : tensor<1x2x200x16xf32>
}

// -----

// Two global tokens and one global row: the second costs a pass of each tile, whose last row sees keys 0 to 31 in the first
// one. The window shows the first token keys from -4 + 31 on: the others pass it in a pass of the first tile alone.
// CHECK-LABEL: isa.kernel @attention_0
// CHECK: salo.set_global 3
// CHECK: salo.set_global 7
// CHECK: salo.load_query
// CHECK: salo.tile_attn {{.*}} cols 8 global_key {{.*}} global_query {{.*}} row_from 27 row_to 64 row_cols 32
// CHECK: salo.tile_attn {{.*}} cols 0 global_key {{.*}} global_query {{.*}} row_from 0 row_to 64 row_cols 32
// CHECK: salo.tile_attn {{.*}} cols 0 global_query {{.*}} row_from 0 row_to 27 row_cols 32
// CHECK: salo.merge {{.*}} init false global
// CHECK: salo.load_query
// CHECK: salo.tile_attn {{.*}} cols 8 global_key {{.*}} global_query {{.*}} row_from 27 row_to 64 row_cols 32
// CHECK: salo.tile_attn {{.*}} cols 0 global_key {{.*}} global_query {{.*}} row_from 0 row_to 64 row_cols 32
// CHECK-NOT: salo.tile_attn
func.func @main(%q: tensor<1x1x64x64xf32>) -> tensor<1x1x64x64xf32> {
  %o = sattn.attention %q, %q, %q {scale = 0.125 : f32, policy = #sattn.pattern<windows = [(-4, 8, 1)], globals = [3, 7]>, sattn.name = "attention_0"}
    : tensor<1x1x64x64xf32>, tensor<1x1x64x64xf32>, tensor<1x1x64x64xf32> -> tensor<1x1x64x64xf32>
  return %o : tensor<1x1x64x64xf32>
}

// -----

// Keys are masked by what the input says, per batch entry: a loop over entries and one over heads. 70 queries, 40 keys.
// CHECK: affine_map<(d0, d1) -> (d0 * 3 + d1)>
// CHECK: affine_map<(d0) -> (d0, 0, 0, 0)>
// CHECK-LABEL: isa.kernel @attention_0
// CHECK-SAME: memref<2x1x40x1xf32, #isa.memory<"dram">>
// CHECK: salo.config queries 70 keys 40 segments 1 head_dim 64 heads 6
// CHECK: isa.loop %[[E:.*]] to 2 {
// CHECK:   isa.loop %[[H:.*]] to 3 {
// CHECK:     isa.index #{{.*}}(%[[E]], %[[H]])
// CHECK:     isa.view %{{.*}}[#{{.*}}(%[[E]])] : memref<2x1x40x1xf32, #isa.memory<"dram">> to memref<40x1xf32, #isa.memory<"dram">>
// CHECK:     salo.load_key {{.*}} mask
func.func @main(%q: tensor<2x3x70x64xf32>, %k: tensor<2x3x40x64xf32>, %m: tensor<2x1x1x40xf32>) -> tensor<2x3x70x64xf32> {
  %o = sattn.attention %q, %k, %k mask %m {scale = 0.125 : f32, policy = #sattn.dense, sattn.name = "attention_0"}
    : tensor<2x3x70x64xf32>, tensor<2x3x40x64xf32>, tensor<2x3x40x64xf32>, tensor<2x1x1x40xf32> -> tensor<2x3x70x64xf32>
  return %o : tensor<2x3x70x64xf32>
}
