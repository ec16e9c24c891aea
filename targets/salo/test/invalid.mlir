// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s --split-input-file --verify-diagnostics

func.func @factor() {
  // expected-error @below {{needs a finite q_factor}}
  salo.config queries 64 keys 64 segments 1 head_dim 64 heads 2 q_factor 0x7F800000 k_factor 1.0 v_factor 1.0
  return
}

// -----

func.func @value_factor() {
  // expected-error @below {{needs a v_factor other than 0: outputs are divided by it}}
  salo.config queries 64 keys 64 segments 1 head_dim 64 heads 2 q_factor 1.0 k_factor 1.0 v_factor 0.0
  return
}

// -----

module attributes {isa.arch = #isa.arch<"salo", {merge_dims = 32 : i64}>} {
func.func @dims() {
  // expected-error @below {{has 64 dimensions per head; the machine has 32 (parameter `merge_dims`)}}
  salo.config queries 64 keys 64 segments 1 head_dim 64 heads 2 q_factor 1.0 k_factor 1.0 v_factor 1.0
  return
}
}

// -----

func.func @tokens() {
  // expected-error @below {{attribute 'queries' failed to satisfy constraint}}
  salo.config queries 0 keys 64 segments 1 head_dim 64 heads 2 q_factor 1.0 k_factor 1.0 v_factor 1.0
  return
}

// -----

func.func @shape(%a: memref<32x64xf32, #isa.memory<"dram">>, %b: memref<16x64xi16, #isa.memory<"query">>) {
  // expected-error @below {{works on tiles of one shape, got}}
  salo.load_query %a to %b : memref<32x64xf32, #isa.memory<"dram">> to memref<16x64xi16, #isa.memory<"query">>
  return
}

// -----

func.func @width(%a: memref<32x64xf32, #isa.memory<"dram">>, %b: memref<32x32xi16, #isa.memory<"query">>) {
  // expected-error @below {{works on tiles of one width, got 64 and 32 columns}}
  salo.load_query %a to %b : memref<32x64xf32, #isa.memory<"dram">> to memref<32x32xi16, #isa.memory<"query">>
  return
}

// -----

func.func @rank(%a: memref<1x32x64xf32, #isa.memory<"output">>) {
  // expected-error @below {{works on tiles of two static dimensions, got}}
  salo.merge %a init true : memref<1x32x64xf32, #isa.memory<"output">>
  return
}

// -----

func.func @memory(%a: memref<32x64xf32, #isa.memory<"dram">>, %b: memref<32x64xi16, #isa.memory<"key">>) {
  // expected-error @below {{must be tile of 9-bit queries in the query buffer}}
  salo.load_query %a to %b : memref<32x64xf32, #isa.memory<"dram">> to memref<32x64xi16, #isa.memory<"key">>
  return
}

// -----

module attributes {isa.arch = #isa.arch<"salo", {pe_rows = 16 : i64, pe_cols = 8 : i64, globals = 1 : i64}>} {
func.func @rows(%q: memref<32x64xi16, #isa.memory<"query">>, %k: memref<39x64xi16, #isa.memory<"key">>, %v: memref<39x64xi16, #isa.memory<"value">>) {
  // expected-error @below {{has 32 query rows; the machine has 16 (parameter `pe_rows`)}}
  salo.tile_attn %q, %k, %v cols 8 row_from 0 row_to 0 row_cols 0 : memref<32x64xi16, #isa.memory<"query">>, memref<39x64xi16, #isa.memory<"key">>, memref<39x64xi16, #isa.memory<"value">>
  return
}
}

// -----

module attributes {isa.arch = #isa.arch<"salo", {pe_rows = 16 : i64, pe_cols = 8 : i64, globals = 1 : i64}>} {
func.func @cols(%q: memref<16x64xi16, #isa.memory<"query">>, %k: memref<23x64xi16, #isa.memory<"key">>, %v: memref<23x64xi16, #isa.memory<"value">>) {
  // expected-error @below {{has 9 window columns; the machine has 8 (parameter `pe_cols`)}}
  salo.tile_attn %q, %k, %v cols 9 row_from 0 row_to 0 row_cols 0 : memref<16x64xi16, #isa.memory<"query">>, memref<23x64xi16, #isa.memory<"key">>, memref<23x64xi16, #isa.memory<"value">>
  return
}
}

// -----

module attributes {isa.arch = #isa.arch<"salo", {pe_rows = 16 : i64, pe_cols = 8 : i64, globals = 1 : i64}>} {
func.func @globals(%q: memref<16x64xi16, #isa.memory<"query">>, %k: memref<23x64xi16, #isa.memory<"key">>, %v: memref<23x64xi16, #isa.memory<"value">>,
                    %gk: memref<2x64xi16, #isa.memory<"key">>, %gv: memref<2x64xi16, #isa.memory<"value">>) {
  // expected-error @below {{has 2 global keys; the machine has 1 (parameter `globals`)}}
  salo.tile_attn %q, %k, %v cols 8 global_key %gk, %gv row_from 0 row_to 0 row_cols 0
      : memref<16x64xi16, #isa.memory<"query">>, memref<23x64xi16, #isa.memory<"key">>, memref<23x64xi16, #isa.memory<"value">>, memref<2x64xi16, #isa.memory<"key">>, memref<2x64xi16, #isa.memory<"value">>
  return
}
}

// -----

func.func @values(%q: memref<16x64xi16, #isa.memory<"query">>, %k: memref<23x64xi16, #isa.memory<"key">>, %v: memref<22x64xi16, #isa.memory<"value">>) {
  // expected-error @below {{takes the values of its keys, got 23 keys and 22 values}}
  salo.tile_attn %q, %k, %v cols 8 row_from 0 row_to 0 row_cols 0 : memref<16x64xi16, #isa.memory<"query">>, memref<23x64xi16, #isa.memory<"key">>, memref<22x64xi16, #isa.memory<"value">>
  return
}

// -----

func.func @range(%q: memref<16x64xi16, #isa.memory<"query">>, %k: memref<23x64xi16, #isa.memory<"key">>, %v: memref<23x64xi16, #isa.memory<"value">>) {
  // expected-error @below {{shows its global queries keys from 3 to 2, which is none}}
  salo.tile_attn %q, %k, %v cols 8 row_from 3 row_to 2 row_cols 8 : memref<16x64xi16, #isa.memory<"query">>, memref<23x64xi16, #isa.memory<"key">>, memref<23x64xi16, #isa.memory<"value">>
  return
}

// -----

func.func @alone(%o: memref<16x64xf32, #isa.memory<"output">>) {
  // expected-error @below {{must follow salo.tile_attn: it takes what the pass leaves in the array}}
  salo.merge %o init true : memref<16x64xf32, #isa.memory<"output">>
  return
}

// -----

func.func @merged_rows(%q: memref<16x64xi16, #isa.memory<"query">>, %k: memref<23x64xi16, #isa.memory<"key">>, %v: memref<23x64xi16, #isa.memory<"value">>, %o: memref<8x64xf32, #isa.memory<"output">>) {
  salo.tile_attn %q, %k, %v cols 8 row_from 0 row_to 0 row_cols 0 : memref<16x64xi16, #isa.memory<"query">>, memref<23x64xi16, #isa.memory<"key">>, memref<23x64xi16, #isa.memory<"value">>
  // expected-error @below {{merges 8 rows after a pass of 16 queries}}
  salo.merge %o init true : memref<8x64xf32, #isa.memory<"output">>
  return
}

// -----

func.func @merged_globals(%q: memref<16x64xi16, #isa.memory<"query">>, %k: memref<23x64xi16, #isa.memory<"key">>, %v: memref<23x64xi16, #isa.memory<"value">>, %o: memref<16x64xf32, #isa.memory<"output">>) {
  salo.tile_attn %q, %k, %v cols 8 row_from 0 row_to 0 row_cols 0 : memref<16x64xi16, #isa.memory<"query">>, memref<23x64xi16, #isa.memory<"key">>, memref<23x64xi16, #isa.memory<"value">>
  // expected-error @below {{merges 16 global rows after a pass of 0 global queries}}
  salo.merge %o init true global %o : memref<16x64xf32, #isa.memory<"output">>, memref<16x64xf32, #isa.memory<"output">>
  return
}

// -----

func.func @mask(%a: memref<64x64xf32, #isa.memory<"dram">>, %m: memref<64x2xf32, #isa.memory<"dram">>, %b: memref<63x64xi16, #isa.memory<"key">>) {
  %first = isa.index affine_map<() -> (0)>()
  // expected-error @below {{takes a mask of 64 rows and one column, got}}
  salo.load_key %a from %first mask %m to %b : memref<64x64xf32, #isa.memory<"dram">> mask memref<64x2xf32, #isa.memory<"dram">> to memref<63x64xi16, #isa.memory<"key">>
  return
}
