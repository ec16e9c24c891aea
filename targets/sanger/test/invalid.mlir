// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the hardware could not do.
// RUN: sparsam-opt %s --split-input-file --verify-diagnostics

func.func @scale() {
  // expected-error @below {{needs a finite scale}}
  sanger.config queries 8 keys 8 head_dim 8 heads 1 predict false bits 4 normalize true threshold 0.1 q_range 1.0 k_range 1.0 scale 0x7F800000 causal false empty_row<dense> encoder<subrow>
  return
}

// -----

func.func @bits() {
  // expected-error @below {{predicts with 2, 4, 6 or 8 bits, got 5}}
  sanger.config queries 8 keys 8 head_dim 8 heads 1 predict true bits 5 normalize true threshold 0.1 q_range 1.0 k_range 1.0 scale 1.0 causal false empty_row<dense> encoder<subrow>
  return
}

// -----

func.func @threshold() {
  // expected-error @below {{needs a threshold between 0 and 1, got 1}}
  sanger.config queries 8 keys 8 head_dim 8 heads 1 predict true bits 4 normalize true threshold 1.0 q_range 1.0 k_range 1.0 scale 1.0 causal false empty_row<dense> encoder<subrow>
  return
}

// -----

func.func @ranges() {
  // expected-error @below {{needs calibrated ranges q_range and k_range above 0, got 1.000000e+00 and 0.000000e+00}}
  sanger.config queries 8 keys 8 head_dim 8 heads 1 predict true bits 4 normalize true threshold 0.1 q_range 1.0 k_range 0.0 scale 1.0 causal false empty_row<dense> encoder<subrow>
  return
}

// -----

func.func @rank(%a: memref<1x8x8xf32, #isa.memory<"output">>, %d: memref<8x8xf32, #isa.memory<"dram">>) {
  // expected-error @below {{works on tiles of two static dimensions, got 'memref<1x8x8xf32, #isa.memory<"output">>'}}
  sanger.store_output %a to %d : memref<1x8x8xf32, #isa.memory<"output">> to memref<8x8xf32, #isa.memory<"dram">>
  return
}

// -----

func.func @shape(%a: memref<8x8xi16, #isa.memory<"query">>, %b: memref<4x8xi8, #isa.memory<"low_query">>) {
  // expected-error @below {{works on tiles of one shape, got 'memref<8x8xi16, #isa.memory<"query">>' and 'memref<4x8xi8, #isa.memory<"low_query">>'}}
  sanger.quantize_query %a to %b : memref<8x8xi16, #isa.memory<"query">> to memref<4x8xi8, #isa.memory<"low_query">>
  return
}

// -----

!query = memref<8x8xi8, #isa.memory<"low_query">>
!score = memref<8x4xf32, #isa.memory<"score">>
module attributes {isa.arch = #isa.arch<"sanger", {lowbit_rows = 4 : i64}>} {
func.func @rows(%q: !query, %k: memref<4x8xi8, #isa.memory<"low_key">>, %s: !score) {
  // expected-error @below {{has 8 query rows; the machine has 4 (parameter `lowbit_rows`)}}
  sanger.score %q, %k to %s : !query, memref<4x8xi8, #isa.memory<"low_key">> to !score
  return
}
}

// -----

!query = memref<8x8xi8, #isa.memory<"low_query">>
!score = memref<8x4xf32, #isa.memory<"score">>
func.func @widths_of_codes(%q: !query, %k: memref<4x6xi8, #isa.memory<"low_key">>, %s: !score) {
  // expected-error @below {{multiplies codes of 8 and 6 dimensions}}
  sanger.score %q, %k to %s : !query, memref<4x6xi8, #isa.memory<"low_key">> to !score
  return
}

// -----

!query = memref<8x8xi8, #isa.memory<"low_query">>
!score = memref<8x4xf32, #isa.memory<"score">>
func.func @scores(%q: !query, %k: memref<6x8xi8, #isa.memory<"low_key">>, %s: !score) {
  // expected-error @below {{makes 8x6 scores, got 'memref<8x4xf32, #isa.memory<"score">>'}}
  sanger.score %q, %k to %s : !query, memref<6x8xi8, #isa.memory<"low_key">> to !score
  return
}

// -----

!query = memref<8x8xi8, #isa.memory<"low_query">>
!key = memref<4x8xi8, #isa.memory<"low_key">>
!score = memref<8x4xf32, #isa.memory<"score">>
!bias = memref<2x4xf32, #isa.memory<"bias">>
func.func @bias(%q: !query, %k: !key, %b: !bias, %s: !score) {
  // expected-error @below {{takes a bias of 1 or 8 rows and 4 columns, got 'memref<2x4xf32, #isa.memory<"bias">>'}}
  sanger.score %q, %k bias %b to %s : !query, !key, !bias to !score
  return
}

// -----

!blocks = memref<1x64xi16, #isa.memory<"blocks">>
func.func @widths(%l: !blocks, %q: memref<8x8xi16, #isa.memory<"query">>, %k: memref<4x6xi16, #isa.memory<"key">>) {
  // expected-error @below {{multiplies rows of 8 and 6 dimensions}}
  sanger.sddmm %l, %q, %k : !blocks, memref<8x8xi16, #isa.memory<"query">>, memref<4x6xi16, #isa.memory<"key">>
  return
}

// -----

func.func @scores_are_gone() {
  // expected-error @below {{must follow sanger.sddmm on the same block: the scores are in the array}}
  sanger.exp
  return
}
