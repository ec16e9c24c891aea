// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every instruction, through text, the generic form and bytecode.
// RUN: sparsam-opt %s --verify-roundtrip | FileCheck %s
// RUN: sparsam-opt %s --mlir-print-op-generic | sparsam-opt | FileCheck %s
// RUN: sparsam-opt %s --emit-bytecode | sparsam-opt | FileCheck %s

// CHECK-LABEL: isa.kernel @every_instruction
isa.kernel @every_instruction(%w: memref<64x24xi16, #isa.memory<"dram">>, %b: memref<64x12xui8, #isa.memory<"dram">>, %x: memref<1x32x96xf32, #isa.memory<"dram">>, %c: memref<1x96xf32, #isa.memory<"dram">>, %y: memref<1x32x96xf32, #isa.memory<"dram">>) attributes {target = "sta"} {
  // CHECK: sta.config n 2 m 8 engines 4 rows 16 cols 32 entries 1 heads 4 queries 16 keys 16 causal false
  sta.config n 2 m 8 engines 4 rows 16 cols 32 entries 1 heads 4 queries 16 keys 16 causal false
  %values = isa.alloc double_buffer : memref<2x64x24xi16, #isa.memory<"values">>
  %bitmaps = isa.alloc double_buffer : memref<2x64x12xi8, #isa.memory<"bitmaps">>
  %pages = isa.alloc : memref<1x128x96xi16, #isa.memory<"activation">>
  %small = isa.alloc : memref<1x64x16xi16, #isa.memory<"activation">>
  %constants = isa.alloc : memref<1x1x96xi32, #isa.memory<"constants">>
  %masks = isa.alloc : memref<1x1x16xi32, #isa.memory<"mask">>
  %i = isa.index affine_map<() -> (0)>()
  %wd = isa.view %w [affine_map<() -> (0, 0)>()] : memref<64x24xi16, #isa.memory<"dram">> to memref<64x24xi16, #isa.memory<"dram">>
  %ws = isa.view %values [affine_map<() -> (0, 0, 0)>()] : memref<2x64x24xi16, #isa.memory<"values">> to memref<64x24xi16, #isa.memory<"values">>
  %bd = isa.view %b [affine_map<() -> (0, 0)>()] : memref<64x12xui8, #isa.memory<"dram">> to memref<64x12xui8, #isa.memory<"dram">>
  %bs = isa.view %bitmaps [affine_map<() -> (0, 0, 0)>()] : memref<2x64x12xi8, #isa.memory<"bitmaps">> to memref<64x12xi8, #isa.memory<"bitmaps">>
  %xd = isa.view %x [affine_map<() -> (0, 0, 0)>()] : memref<1x32x96xf32, #isa.memory<"dram">> to memref<32x96xf32, #isa.memory<"dram">>
  %yd = isa.view %y [affine_map<() -> (0, 0, 0)>()] : memref<1x32x96xf32, #isa.memory<"dram">> to memref<32x96xf32, #isa.memory<"dram">>
  %cd = isa.view %c [affine_map<() -> (0, 0)>()] : memref<1x96xf32, #isa.memory<"dram">> to memref<1x96xf32, #isa.memory<"dram">>
  %md = isa.view %c [affine_map<() -> (0, 0)>()] : memref<1x96xf32, #isa.memory<"dram">> to memref<1x16xf32, #isa.memory<"dram">>
  %xs = isa.view %pages [affine_map<() -> (0, 0, 0)>()] : memref<1x128x96xi16, #isa.memory<"activation">> to memref<32x96xi16, #isa.memory<"activation">>
  %ys = isa.view %pages [affine_map<() -> (0, 32, 0)>()] : memref<1x128x96xi16, #isa.memory<"activation">> to memref<32x64xi16, #isa.memory<"activation">>
  %zs = isa.view %pages [affine_map<() -> (0, 64, 0)>()] : memref<1x128x96xi16, #isa.memory<"activation">> to memref<32x96xi16, #isa.memory<"activation">>
  %q = isa.view %pages [affine_map<() -> (0, 32, 0)>()] : memref<1x128x96xi16, #isa.memory<"activation">> to memref<16x64xi16, #isa.memory<"activation">>
  %t = isa.view %pages [affine_map<() -> (0, 64, 0)>()] : memref<1x128x96xi16, #isa.memory<"activation">> to memref<64x16xi16, #isa.memory<"activation">>
  %s = isa.view %small [affine_map<() -> (0, 0, 0)>()] : memref<1x64x16xi16, #isa.memory<"activation">> to memref<64x16xi16, #isa.memory<"activation">>
  %cs = isa.view %constants [affine_map<() -> (0, 0, 0)>()] : memref<1x1x96xi32, #isa.memory<"constants">> to memref<1x96xi32, #isa.memory<"constants">>
  %cb = isa.view %constants [affine_map<() -> (0, 0, 0)>()] : memref<1x1x96xi32, #isa.memory<"constants">> to memref<1x64xi32, #isa.memory<"constants">>
  %ms = isa.view %masks [affine_map<() -> (0, 0, 0)>()] : memref<1x1x16xi32, #isa.memory<"mask">> to memref<1x16xi32, #isa.memory<"mask">>
  // CHECK: sta.load_w %{{.*}} to %{{.*}} map %{{.*}} to %{{.*}} : memref<64x24xi16
  sta.load_w %wd to %ws map %bd to %bs : memref<64x24xi16, #isa.memory<"dram">> to memref<64x24xi16, #isa.memory<"values">>, memref<64x12xui8, #isa.memory<"dram">> to memref<64x12xi8, #isa.memory<"bitmaps">>
  // CHECK: sta.load_w %{{.*}} to %{{.*}} : memref<64x24xi16
  sta.load_w %wd to %ws : memref<64x24xi16, #isa.memory<"dram">> to memref<64x24xi16, #isa.memory<"values">>
  // CHECK: sta.load_act %{{.*}} to %{{.*}} fraction 12
  sta.load_act %xd to %xs fraction 12 : memref<32x96xf32, #isa.memory<"dram">> to memref<32x96xi16, #isa.memory<"activation">>
  // CHECK: sta.load_const %{{.*}} to %{{.*}} fraction 20
  sta.load_const %cd to %cs fraction 20 : memref<1x96xf32, #isa.memory<"dram">> to memref<1x96xi32, #isa.memory<"constants">>
  // CHECK: sta.load_mask %{{.*}} to %{{.*}} fraction 11
  sta.load_mask %md to %ms fraction 11 : memref<1x16xf32, #isa.memory<"dram">> to memref<1x16xi32, #isa.memory<"mask">>
  // CHECK: sta.mm_sd %{{.*}} map %{{.*}}, %{{.*}} bias %{{.*}} residual %{{.*}} to %{{.*}} fractions 12, 13, 11, 10 shift 3 function<gelu> first true last true
  sta.mm_sd %ws map %bs, %xs bias %cb residual %ys to %ys fractions 12, 13, 11, 10 shift 3 function<gelu> first true last true : memref<64x24xi16, #isa.memory<"values">> map memref<64x12xi8, #isa.memory<"bitmaps">>, memref<32x96xi16, #isa.memory<"activation">> bias memref<1x64xi32, #isa.memory<"constants">> residual memref<32x64xi16, #isa.memory<"activation">> to memref<32x64xi16, #isa.memory<"activation">>
  // CHECK: sta.mm_dd<scores> %{{.*}}, %{{.*}} to %{{.*}} heads 4 scale 2.500000e-01 fractions 12, 12, 11 shift 0
  sta.mm_dd<scores> %q, %q to %s heads 4 scale 0.25 fractions 12, 12, 11 shift 0 : memref<16x64xi16, #isa.memory<"activation">>, memref<16x64xi16, #isa.memory<"activation">> to memref<64x16xi16, #isa.memory<"activation">>
  // CHECK: sta.softmax %{{.*}} mask %{{.*}} query %{{.*}} heads 4 causal true offset 0 fractions 11, 15
  sta.softmax %s mask %ms query %i heads 4 causal true offset 0 fractions 11, 15 : memref<64x16xi16, #isa.memory<"activation">>, memref<1x16xi32, #isa.memory<"mask">>
  // CHECK: sta.mm_dd<context>
  sta.mm_dd<context> %s, %t to %s heads 4 scale 1.0 fractions 15, 12, 12 shift 0 : memref<64x16xi16, #isa.memory<"activation">>, memref<64x16xi16, #isa.memory<"activation">> to memref<64x16xi16, #isa.memory<"activation">>
  // CHECK: sta.layer_norm %{{.*}}, %{{.*}} bias %{{.*}} to %{{.*}} epsilon 9.99999974E-6 fractions 11, 12, 12
  sta.layer_norm %xs, %cs bias %cs to %zs epsilon 1.0e-5 fractions 11, 12, 12 : memref<32x96xi16, #isa.memory<"activation">>, memref<1x96xi32, #isa.memory<"constants">>, memref<1x96xi32, #isa.memory<"constants">> to memref<32x96xi16, #isa.memory<"activation">>
  // CHECK: sta.reshuffle<transpose> %{{.*}} to %{{.*}} heads 4
  sta.reshuffle<transpose> %q to %t heads 4 : memref<16x64xi16, #isa.memory<"activation">> to memref<64x16xi16, #isa.memory<"activation">>
  // CHECK: sta.reshuffle<merge_heads>
  sta.reshuffle<merge_heads> %s to %q heads 4 : memref<64x16xi16, #isa.memory<"activation">> to memref<16x64xi16, #isa.memory<"activation">>
  // CHECK: sta.store_act %{{.*}} to %{{.*}} fraction 12
  sta.store_act %zs to %yd fraction 12 : memref<32x96xi16, #isa.memory<"activation">> to memref<32x96xf32, #isa.memory<"dram">>
  isa.return
}
