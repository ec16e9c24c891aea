// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the hardware could not do.
// RUN: sparsam-opt %s --split-input-file --verify-diagnostics

isa.kernel @more_kept_than_there_are(%x: memref<1x8x8xf32, #isa.memory<"dram">>) attributes {target = "sta"} {
  // expected-error @below {{expects groups of 2, 4, 8 or 16 weights of which at most all are kept, got 9:8}}
  sta.config n 9 m 8 engines 4 rows 16 cols 32 entries 1 heads 4 queries 16 keys 16 causal false
  isa.return
}

// -----

module attributes {isa.arch = #isa.arch<"sta", {n = 2 : i64, m = 8 : i64, engines = 0 : i64, tile_rows = 16 : i64, tile_cols = 32 : i64}>} {
  isa.kernel @another_machine(%x: memref<1x8x8xf32, #isa.memory<"dram">>) attributes {target = "sta"} {
    // expected-error @below {{has engines = 2, the machine has 4}}
    sta.config n 2 m 8 engines 2 rows 16 cols 32 entries 1 heads 4 queries 16 keys 16 causal false
    isa.return
  }
}

// -----

isa.kernel @no_bitmaps(%x: memref<1x8x8xf32, #isa.memory<"dram">>) attributes {target = "sta"} {
  %values = isa.alloc : memref<1x16x4xi16, #isa.memory<"values">>
  %pages = isa.alloc : memref<1x32x16xi16, #isa.memory<"activation">>
  %w = isa.view %values [affine_map<() -> (0, 0, 0)>()] : memref<1x16x4xi16, #isa.memory<"values">> to memref<16x4xi16, #isa.memory<"values">>
  %a = isa.view %pages [affine_map<() -> (0, 0, 0)>()] : memref<1x32x16xi16, #isa.memory<"activation">> to memref<8x16xi16, #isa.memory<"activation">>
  // expected-error @below {{multiplies 4 weights per row with 16 activations; compressed weights need their bitmaps}}
  sta.mm_sd %w, %a to %a fractions 0, 0, 0, 0 shift 0 function<none> first true last true : memref<16x4xi16, #isa.memory<"values">>, memref<8x16xi16, #isa.memory<"activation">> to memref<8x16xi16, #isa.memory<"activation">>
  isa.return
}

// -----

isa.kernel @wrong_result(%x: memref<1x8x8xf32, #isa.memory<"dram">>) attributes {target = "sta"} {
  %values = isa.alloc : memref<1x16x16xi16, #isa.memory<"values">>
  %pages = isa.alloc : memref<1x32x16xi16, #isa.memory<"activation">>
  %w = isa.view %values [affine_map<() -> (0, 0, 0)>()] : memref<1x16x16xi16, #isa.memory<"values">> to memref<16x16xi16, #isa.memory<"values">>
  %a = isa.view %pages [affine_map<() -> (0, 0, 0)>()] : memref<1x32x16xi16, #isa.memory<"activation">> to memref<8x16xi16, #isa.memory<"activation">>
  %y = isa.view %pages [affine_map<() -> (0, 0, 0)>()] : memref<1x32x16xi16, #isa.memory<"activation">> to memref<4x16xi16, #isa.memory<"activation">>
  // expected-error @below {{expects a result of 8x16, got}}
  sta.mm_sd %w, %a to %y fractions 0, 0, 0, 0 shift 0 function<none> first true last true : memref<16x16xi16, #isa.memory<"values">>, memref<8x16xi16, #isa.memory<"activation">> to memref<4x16xi16, #isa.memory<"activation">>
  isa.return
}

// -----

module attributes {isa.arch = #isa.arch<"sta", {n = 2 : i64, m = 8 : i64, engines = 2 : i64, tile_rows = 4 : i64, tile_cols = 4 : i64}>} {
  isa.kernel @more_than_the_engine(%x: memref<1x8x8xf32, #isa.memory<"dram">>) attributes {target = "sta"} {
    %values = isa.alloc : memref<1x16x16xi16, #isa.memory<"values">>
    %pages = isa.alloc : memref<1x32x16xi16, #isa.memory<"activation">>
    %w = isa.view %values [affine_map<() -> (0, 0, 0)>()] : memref<1x16x16xi16, #isa.memory<"values">> to memref<16x16xi16, #isa.memory<"values">>
    %a = isa.view %pages [affine_map<() -> (0, 0, 0)>()] : memref<1x32x16xi16, #isa.memory<"activation">> to memref<4x16xi16, #isa.memory<"activation">>
    // expected-error @below {{has 16 rows of weights; the engine has 8 (parameters `engines` and `tile_rows`)}}
    sta.mm_sd %w, %a to %a fractions 0, 0, 0, 0 shift 0 function<none> first true last true : memref<16x16xi16, #isa.memory<"values">>, memref<4x16xi16, #isa.memory<"activation">> to memref<4x16xi16, #isa.memory<"activation">>
    isa.return
  }
}

// -----

module attributes {isa.arch = #isa.arch<"sta", {n = 2 : i64, m = 8 : i64, engines = 2 : i64, tile_rows = 4 : i64, tile_cols = 4 : i64}>} {
  isa.kernel @more_heads_than_engines(%x: memref<1x8x8xf32, #isa.memory<"dram">>) attributes {target = "sta"} {
    %pages = isa.alloc : memref<1x32x16xi16, #isa.memory<"activation">>
    %a = isa.view %pages [affine_map<() -> (0, 0, 0)>()] : memref<1x32x16xi16, #isa.memory<"activation">> to memref<4x16xi16, #isa.memory<"activation">>
    // expected-error @below {{has 4 heads; the engine has 2 (parameter `engines`)}}
    sta.mm_dd<scores> %a, %a to %a heads 4 scale 1.0 fractions 0, 0, 0 shift 0 : memref<4x16xi16, #isa.memory<"activation">>, memref<4x16xi16, #isa.memory<"activation">> to memref<4x16xi16, #isa.memory<"activation">>
    isa.return
  }
}

// -----

isa.kernel @attention_shapes(%x: memref<1x8x8xf32, #isa.memory<"dram">>) attributes {target = "sta"} {
  %pages = isa.alloc : memref<1x32x16xi16, #isa.memory<"activation">>
  %a = isa.view %pages [affine_map<() -> (0, 0, 0)>()] : memref<1x32x16xi16, #isa.memory<"activation">> to memref<4x16xi16, #isa.memory<"activation">>
  %b = isa.view %pages [affine_map<() -> (0, 0, 0)>()] : memref<1x32x16xi16, #isa.memory<"activation">> to memref<4x8xi16, #isa.memory<"activation">>
  %i = isa.index affine_map<() -> (0)>()
  // expected-error @below {{cannot multiply}}
  sta.mm_dd<scores> %a, %b to %a heads 4 scale 1.0 fractions 0, 0, 0 shift 0 : memref<4x16xi16, #isa.memory<"activation">>, memref<4x8xi16, #isa.memory<"activation">> to memref<4x16xi16, #isa.memory<"activation">>
  isa.return
}

// -----

isa.kernel @softmax_heads(%x: memref<1x8x8xf32, #isa.memory<"dram">>) attributes {target = "sta"} {
  %pages = isa.alloc : memref<1x32x16xi16, #isa.memory<"activation">>
  %a = isa.view %pages [affine_map<() -> (0, 0, 0)>()] : memref<1x32x16xi16, #isa.memory<"activation">> to memref<4x16xi16, #isa.memory<"activation">>
  %i = isa.index affine_map<() -> (0)>()
  // expected-error @below {{has 4 rows of scores for 3 heads}}
  sta.softmax %a query %i heads 3 causal false offset 0 fractions 0, 15 : memref<4x16xi16, #isa.memory<"activation">>
  isa.return
}

// -----

isa.kernel @reshuffle_shapes(%x: memref<1x8x8xf32, #isa.memory<"dram">>) attributes {target = "sta"} {
  %pages = isa.alloc : memref<1x32x16xi16, #isa.memory<"activation">>
  %a = isa.view %pages [affine_map<() -> (0, 0, 0)>()] : memref<1x32x16xi16, #isa.memory<"activation">> to memref<4x16xi16, #isa.memory<"activation">>
  // expected-error @below {{expects a result of 16x4, got}}
  sta.reshuffle<transpose> %a to %a heads 1 : memref<4x16xi16, #isa.memory<"activation">> to memref<4x16xi16, #isa.memory<"activation">>
  isa.return
}

// -----

func.func @bitmaps_without_slot(%v: memref<16x4xi16, #isa.memory<"dram">>, %s: memref<16x4xi16, #isa.memory<"values">>, %b: memref<16x2xui8, #isa.memory<"dram">>) {
  // expected-error @below {{needs a slot for its bitmaps}}
  "sta.load_w"(%v, %s, %b) {operandSegmentSizes = array<i32: 1, 1, 1, 0>} : (memref<16x4xi16, #isa.memory<"dram">>, memref<16x4xi16, #isa.memory<"values">>, memref<16x2xui8, #isa.memory<"dram">>) -> ()
  return
}

// -----

func.func @scale(%a: memref<8x16xi16, #isa.memory<"activation">>) {
  // expected-error @below {{needs a finite scale}}
  sta.mm_dd<scores> %a, %a to %a heads 1 scale 0x7F800000 fractions 0, 0, 0 shift 0 : memref<8x16xi16, #isa.memory<"activation">>, memref<8x16xi16, #isa.memory<"activation">> to memref<8x16xi16, #isa.memory<"activation">>
  return
}
