// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Round trip through text, the generic form and bytecode.
// RUN: sparsam-opt %s | sparsam-opt | FileCheck %s
// RUN: sparsam-opt %s --mlir-print-op-generic | sparsam-opt | FileCheck %s
// RUN: sparsam-opt %s --emit-bytecode | sparsam-opt | FileCheck %s

// CHECK-LABEL: isa.kernel @all
isa.kernel @all(%q: memref<2x64x64xf32, #isa.memory<"dram">>, %o: memref<2x64x64xf32, #isa.memory<"dram">>) attributes {target = "salo"} {
  %qb = isa.alloc at 0 : memref<1x32x64xi16, #isa.memory<"query">>
  %kb = isa.alloc at 0 : memref<1x64x64xi16, #isa.memory<"key">>
  %vb = isa.alloc at 0 : memref<1x64x64xi16, #isa.memory<"value">>
  %ob = isa.alloc at 0 : memref<1x33x64xf32, #isa.memory<"output">>
  // CHECK: salo.config queries 64 keys 64 segments 1 head_dim 64 heads 2 q_factor 1.500000e+00 k_factor 1.000000e+00 v_factor 1.000000e+00
  salo.config queries 64 keys 64 segments 1 head_dim 64 heads 2 q_factor 1.5 k_factor 1.0 v_factor 1.0
  // CHECK: salo.set_global 7
  salo.set_global 7
  isa.loop %h to 2 {
    %n = isa.index affine_map<(h) -> (h)>(%h)
    %z = isa.index affine_map<() -> (0)>()
    // CHECK: salo.select_head %{{.*}} segment %{{.*}}
    salo.select_head %n segment %z
    %rows = isa.view %q [affine_map<(h) -> (h, 0, 0)>(%h)] : memref<2x64x64xf32, #isa.memory<"dram">> to memref<32x64xf32, #isa.memory<"dram">>
    %all = isa.view %q [affine_map<(h) -> (h, 0, 0)>(%h)] : memref<2x64x64xf32, #isa.memory<"dram">> to memref<64x64xf32, #isa.memory<"dram">>
    %one = isa.view %q [affine_map<(h) -> (h, 7, 0)>(%h)] : memref<2x64x64xf32, #isa.memory<"dram">> to memref<1x64xf32, #isa.memory<"dram">>
    %qt = isa.view %qb [affine_map<() -> (0, 0, 0)>()] : memref<1x32x64xi16, #isa.memory<"query">> to memref<32x64xi16, #isa.memory<"query">>
    %kt = isa.view %kb [affine_map<() -> (0, 0, 0)>()] : memref<1x64x64xi16, #isa.memory<"key">> to memref<63x64xi16, #isa.memory<"key">>
    %vt = isa.view %vb [affine_map<() -> (0, 0, 0)>()] : memref<1x64x64xi16, #isa.memory<"value">> to memref<63x64xi16, #isa.memory<"value">>
    %gq = isa.view %qb [affine_map<() -> (0, 0, 0)>()] : memref<1x32x64xi16, #isa.memory<"query">> to memref<1x64xi16, #isa.memory<"query">>
    %gk = isa.view %kb [affine_map<() -> (0, 63, 0)>()] : memref<1x64x64xi16, #isa.memory<"key">> to memref<1x64xi16, #isa.memory<"key">>
    %gv = isa.view %vb [affine_map<() -> (0, 63, 0)>()] : memref<1x64x64xi16, #isa.memory<"value">> to memref<1x64xi16, #isa.memory<"value">>
    %ot = isa.view %ob [affine_map<() -> (0, 0, 0)>()] : memref<1x33x64xf32, #isa.memory<"output">> to memref<32x64xf32, #isa.memory<"output">>
    %go = isa.view %ob [affine_map<() -> (0, 32, 0)>()] : memref<1x33x64xf32, #isa.memory<"output">> to memref<1x64xf32, #isa.memory<"output">>
    // CHECK: salo.load_global_query %{{.*}} to
    salo.load_global_query %one to %gq : memref<1x64xf32, #isa.memory<"dram">> to memref<1x64xi16, #isa.memory<"query">>
    // CHECK: salo.load_global_key %{{.*}} to
    salo.load_global_key %one to %gk : memref<1x64xf32, #isa.memory<"dram">> to memref<1x64xi16, #isa.memory<"key">>
    // CHECK: salo.load_global_value %{{.*}} to
    salo.load_global_value %one to %gv : memref<1x64xf32, #isa.memory<"dram">> to memref<1x64xi16, #isa.memory<"value">>
    // CHECK: salo.clear %{{.*}} : memref<1x64xf32, #isa.memory<"output">>
    salo.clear %go : memref<1x64xf32, #isa.memory<"output">>
    // CHECK: salo.load_query %{{.*}} to
    salo.load_query %rows to %qt : memref<32x64xf32, #isa.memory<"dram">> to memref<32x64xi16, #isa.memory<"query">>
    %first = isa.index affine_map<() -> (-31)>()
    // CHECK: salo.load_key %{{.*}} from %{{.*}} to
    salo.load_key %all from %first to %kt : memref<64x64xf32, #isa.memory<"dram">> to memref<63x64xi16, #isa.memory<"key">>
    %m = isa.view %q [affine_map<() -> (0, 0, 0)>()] : memref<2x64x64xf32, #isa.memory<"dram">> to memref<64x1xf32, #isa.memory<"dram">>
    // CHECK: salo.load_key %{{.*}} from %{{.*}} mask %{{.*}} to %{{.*}} : memref<64x64xf32, #isa.memory<"dram">> mask memref<64x1xf32, #isa.memory<"dram">> to
    salo.load_key %all from %first mask %m to %kt : memref<64x64xf32, #isa.memory<"dram">> mask memref<64x1xf32, #isa.memory<"dram">> to memref<63x64xi16, #isa.memory<"key">>
    // CHECK: salo.load_value %{{.*}} from %{{.*}} to
    salo.load_value %all from %first to %vt : memref<64x64xf32, #isa.memory<"dram">> to memref<63x64xi16, #isa.memory<"value">>
    // CHECK: salo.tile_attn %{{.*}}, %{{.*}}, %{{.*}} cols 32 global_key %{{.*}}, %{{.*}} global_query %{{.*}} row_from 0 row_to 64 row_cols 32 :
    salo.tile_attn %qt, %kt, %vt cols 32 global_key %gk, %gv global_query %gq row_from 0 row_to 64 row_cols 32
        : memref<32x64xi16, #isa.memory<"query">>, memref<63x64xi16, #isa.memory<"key">>, memref<63x64xi16, #isa.memory<"value">>, memref<1x64xi16, #isa.memory<"key">>, memref<1x64xi16, #isa.memory<"value">>, memref<1x64xi16, #isa.memory<"query">>
    // CHECK: salo.merge %{{.*}} init true global %{{.*}} :
    salo.merge %ot init true global %go : memref<32x64xf32, #isa.memory<"output">>, memref<1x64xf32, #isa.memory<"output">>
    // CHECK: salo.tile_attn %{{.*}}, %{{.*}}, %{{.*}} cols 8 row_from 0 row_to 0 row_cols 0 :
    salo.tile_attn %qt, %kt, %vt cols 8 row_from 0 row_to 0 row_cols 0
        : memref<32x64xi16, #isa.memory<"query">>, memref<63x64xi16, #isa.memory<"key">>, memref<63x64xi16, #isa.memory<"value">>
    // CHECK: salo.merge %{{.*}} init false :
    salo.merge %ot init false : memref<32x64xf32, #isa.memory<"output">>
    %out = isa.view %o [affine_map<(h) -> (h, 0, 0)>(%h)] : memref<2x64x64xf32, #isa.memory<"dram">> to memref<32x64xf32, #isa.memory<"dram">>
    // CHECK: salo.store_output %{{.*}} to
    salo.store_output %ot to %out : memref<32x64xf32, #isa.memory<"output">> to memref<32x64xf32, #isa.memory<"dram">>
  }
  isa.return
}
