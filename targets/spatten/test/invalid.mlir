// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the hardware could not do.
// RUN: sparsam-opt %s --split-input-file --verify-diagnostics

func.func @scale() {
  // expected-error @below {{needs a finite scale}}
  spatten.config entries 1 heads 2 queries 1 keys 8 head_dim 8 scale 0x7F800000 causal false words true msb 8 lsb 4 value_bits 8 threshold 0.1 force_lsb false allow_lsb true values 4 q_range 1.0 k_range 1.0 v_range 1.0
  return
}

// -----

func.func @threshold() {
  // expected-error @below {{needs a threshold between 0 and 1, got 1.5}}
  spatten.config entries 1 heads 2 queries 1 keys 8 head_dim 8 scale 1.0 causal false words true msb 8 lsb 4 value_bits 8 threshold 1.5 force_lsb false allow_lsb true values 4 q_range 1.0 k_range 1.0 v_range 1.0
  return
}

// -----

func.func @head() {
  // expected-error @below {{needs heads of a power of two of dimensions, at most 512, because the adder tree splits in halves (parameter `multipliers`), got 12}}
  spatten.config entries 1 heads 2 queries 1 keys 8 head_dim 12 scale 1.0 causal false words true msb 8 lsb 4 value_bits 8 threshold 0.1 force_lsb false allow_lsb true values 4 q_range 1.0 k_range 1.0 v_range 1.0
  return
}

// -----

func.func @bits() {
  // expected-error @below {{fetches 4, 6, 8, 10 or 12 bits of a key first and 4 or none later, got 8 and 2}}
  spatten.config entries 1 heads 2 queries 1 keys 8 head_dim 8 scale 1.0 causal false words true msb 8 lsb 2 value_bits 8 threshold 0.1 force_lsb false allow_lsb true values 4 q_range 1.0 k_range 1.0 v_range 1.0
  return
}

// -----

func.func @ranges() {
  // expected-error @below {{needs calibrated ranges q_range, k_range and v_range above 0, got 1.000000e+00, 0.000000e+00 and 1.000000e+00}}
  spatten.config entries 1 heads 2 queries 1 keys 8 head_dim 8 scale 1.0 causal false words true msb 8 lsb 4 value_bits 8 threshold 0.1 force_lsb false allow_lsb true values 4 q_range 1.0 k_range 0.0 v_range 1.0
  return
}

// -----

func.func @rank(%s: memref<1x8x4xf32, #isa.memory<"dram">>, %k: memref<8x4xi12, #isa.memory<"key">>) {
  // expected-error @below {{works on tiles of two static dimensions, got 'memref<1x8x4xf32, #isa.memory<"dram">>'}}
  spatten.load_k %s to %k : memref<1x8x4xf32, #isa.memory<"dram">> to memref<8x4xi12, #isa.memory<"key">>
  return
}

// -----

func.func @shape(%s: memref<4x4xf32, #isa.memory<"dram">>, %k: memref<8x4xi12, #isa.memory<"key">>) {
  // expected-error @below {{works on tiles of one shape, got 'memref<4x4xf32, #isa.memory<"dram">>' and 'memref<8x4xi12, #isa.memory<"key">>'}}
  spatten.load_k %s to %k : memref<4x4xf32, #isa.memory<"dram">> to memref<8x4xi12, #isa.memory<"key">>
  return
}

// -----

module attributes {isa.arch = #isa.arch<"spatten", {key_buffer = 64 : i64}>} {
func.func @two_heads(%s: memref<8x4xf32, #isa.memory<"dram">>, %k: memref<8x4xi12, #isa.memory<"key">>) {
  // expected-error @below {{needs 96 bytes for two heads of 8 rows; the SRAM has 64 (parameter `key_buffer`)}}
  spatten.load_k %s to %k : memref<8x4xf32, #isa.memory<"dram">> to memref<8x4xi12, #isa.memory<"key">>
  return
}
}

// -----

func.func @list(%s: memref<8x4xf32, #isa.memory<"dram">>, %k: memref<8x4xi12, #isa.memory<"key">>, %l: memref<1x4xi16, #isa.memory<"index">>) {
  // expected-error @below {{takes a list of 8 tokens, got 'memref<1x4xi16, #isa.memory<"index">>'}}
  spatten.load_k %s to %k tokens %l : memref<8x4xf32, #isa.memory<"dram">> to memref<8x4xi12, #isa.memory<"key">> tokens memref<1x4xi16, #isa.memory<"index">>
  return
}

// -----

func.func @length(%n: memref<1x2xi64, #isa.memory<"dram">>) {
  // expected-error @below {{takes one number, got 'memref<1x2xi64, #isa.memory<"dram">>'}}
  spatten.set_length %n : memref<1x2xi64, #isa.memory<"dram">>
  return
}

// -----

func.func @queries(%i: index, %q: memref<2x4xi12, #isa.memory<"query">>, %k: memref<8x4xi12, #isa.memory<"key">>, %v: memref<8x4xi12, #isa.memory<"value">>, %o: memref<1x4xi12, #isa.memory<"output">>) {
  // expected-error @below {{takes one query, got 'memref<2x4xi12, #isa.memory<"query">>'}}
  spatten.query %i, %q, %k, %v to %o : memref<2x4xi12, #isa.memory<"query">>, memref<8x4xi12, #isa.memory<"key">>, memref<8x4xi12, #isa.memory<"value">> to memref<1x4xi12, #isa.memory<"output">>
  return
}

// -----

func.func @widths(%i: index, %q: memref<1x4xi12, #isa.memory<"query">>, %k: memref<8x2xi12, #isa.memory<"key">>, %v: memref<8x4xi12, #isa.memory<"value">>, %o: memref<1x4xi12, #isa.memory<"output">>) {
  // expected-error @below {{works on rows of 4 dimensions, got 'memref<8x2xi12, #isa.memory<"key">>'}}
  spatten.query %i, %q, %k, %v to %o : memref<1x4xi12, #isa.memory<"query">>, memref<8x2xi12, #isa.memory<"key">>, memref<8x4xi12, #isa.memory<"value">> to memref<1x4xi12, #isa.memory<"output">>
  return
}

// -----

func.func @values(%i: index, %q: memref<1x4xi12, #isa.memory<"query">>, %k: memref<8x4xi12, #isa.memory<"key">>, %v: memref<6x4xi12, #isa.memory<"value">>, %o: memref<1x4xi12, #isa.memory<"output">>) {
  // expected-error @below {{needs as many values as keys, got 6 and 8}}
  spatten.query %i, %q, %k, %v to %o : memref<1x4xi12, #isa.memory<"query">>, memref<8x4xi12, #isa.memory<"key">>, memref<6x4xi12, #isa.memory<"value">> to memref<1x4xi12, #isa.memory<"output">>
  return
}

// -----

func.func @bias(%i: index, %q: memref<1x4xi12, #isa.memory<"query">>, %k: memref<8x4xi12, #isa.memory<"key">>, %v: memref<8x4xi12, #isa.memory<"value">>, %o: memref<1x4xi12, #isa.memory<"output">>, %b: memref<1x6xf32, #isa.memory<"bias">>) {
  // expected-error @below {{takes a bias of 1 or 8 columns, got 'memref<1x6xf32, #isa.memory<"bias">>'}}
  spatten.query %i, %q, %k, %v bias %b to %o : memref<1x4xi12, #isa.memory<"query">>, memref<8x4xi12, #isa.memory<"key">>, memref<8x4xi12, #isa.memory<"value">> bias memref<1x6xf32, #isa.memory<"bias">> to memref<1x4xi12, #isa.memory<"output">>
  return
}

// -----

func.func @scores(%i: index, %q: memref<1x4xi12, #isa.memory<"query">>, %k: memref<8x4xi12, #isa.memory<"key">>, %v: memref<8x4xi12, #isa.memory<"value">>, %o: memref<1x4xi12, #isa.memory<"output">>, %s: memref<1x6xf32, #isa.memory<"importance">>) {
  // expected-error @below {{accumulates scores of 8 tokens, got 'memref<1x6xf32, #isa.memory<"importance">>'}}
  spatten.query %i, %q, %k, %v token_scores %s to %o : memref<1x4xi12, #isa.memory<"query">>, memref<8x4xi12, #isa.memory<"key">>, memref<8x4xi12, #isa.memory<"value">> token_scores memref<1x6xf32, #isa.memory<"importance">> to memref<1x4xi12, #isa.memory<"output">>
  return
}

// -----

func.func @more_than_there_are(%s: memref<1x8xf32, #isa.memory<"importance">>, %r: memref<1x9xi64, #isa.memory<"dram">>) {
  // expected-error @below {{keeps 9 of 8 scores}}
  spatten.topk_head %s to %r k 9 : memref<1x8xf32, #isa.memory<"importance">> to memref<1x9xi64, #isa.memory<"dram">>
  return
}

// -----

func.func @protected(%s: memref<1x8xf32, #isa.memory<"importance">>, %r: memref<1x2xi64, #isa.memory<"dram">>) {
  // expected-error @below {{keeps 2 scores, but protects 3}}
  spatten.topk_token %s to %r k 2 protect_first 1 protect_last 2 : memref<1x8xf32, #isa.memory<"importance">> to memref<1x2xi64, #isa.memory<"dram">>
  return
}
