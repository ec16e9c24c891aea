// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s -split-input-file -verify-diagnostics

!input = memref<64x16xf32, #isa.memory<"input">>
module attributes {isa.arch = #isa.arch<"template", {rows = 32 : i64, cols = 64 : i64}>} {
func.func @rejects_more_rows_than_the_array_has(%q: !input, %i: index, %o: memref<64x18xf32, #isa.memory<"output">>) {
  // expected-error @below {{has 64 query rows; the machine has 32 (parameter `rows`)}}
  template.attend %q, %q, %q at %i, %i to %o queries 64 keys 64 scale 1.0 causal false : !input, !input, !input to memref<64x18xf32, #isa.memory<"output">>
  return
}
}

// -----

!input = memref<64x16xf32, #isa.memory<"input">>
func.func @rejects_tiles_without_room_for_maximum_and_sum(%q: !input, %i: index, %o: memref<64x16xf32, #isa.memory<"output">>) {
  // expected-error @below {{accumulates 64x18 values, got 'memref<64x16xf32, #isa.memory<"output">>'}}
  template.attend %q, %q, %q at %i, %i to %o queries 64 keys 64 scale 1.0 causal false : !input, !input, !input to memref<64x16xf32, #isa.memory<"output">>
  return
}

// -----

!input = memref<64x16xf32, #isa.memory<"input">>
!wide = memref<64x32xf32, #isa.memory<"input">>
func.func @rejects_rows_of_different_width(%q: !input, %k: !wide, %i: index, %o: memref<64x18xf32, #isa.memory<"output">>) {
  // expected-error @below {{multiplies rows of 16 and 32 dimensions}}
  template.attend %q, %k, %k at %i, %i to %o queries 64 keys 64 scale 1.0 causal false : !input, !wide, !wide to memref<64x18xf32, #isa.memory<"output">>
  return
}

// -----

!input = memref<64x16xf32, #isa.memory<"input">>
func.func @rejects_values_of_another_shape(%q: !input, %v: memref<32x16xf32, #isa.memory<"input">>, %i: index, %o: memref<64x18xf32, #isa.memory<"output">>) {
  // expected-error @below {{works on tiles of one shape, got 'memref<64x16xf32, #isa.memory<"input">>' and 'memref<32x16xf32, #isa.memory<"input">>'}}
  template.attend %q, %q, %v at %i, %i to %o queries 64 keys 64 scale 1.0 causal false : !input, !input, memref<32x16xf32, #isa.memory<"input">> to memref<64x18xf32, #isa.memory<"output">>
  return
}

// -----

!input = memref<64x16xf32, #isa.memory<"input">>
func.func @rejects_a_bias_of_another_shape(%q: !input, %i: index, %o: memref<64x18xf32, #isa.memory<"output">>) {
  // expected-error @below {{takes a bias of 1 or 64 rows and 64 columns, got 'memref<64x16xf32, #isa.memory<"input">>'}}
  template.attend %q, %q, %q bias %q at %i, %i to %o queries 64 keys 64 scale 1.0 causal false : !input, !input, !input, !input to memref<64x18xf32, #isa.memory<"output">>
  return
}

// -----

func.func @rejects_tiles_of_three_dimensions(%s: memref<2x64x16xf32, #isa.memory<"dram">>, %d: memref<64x16xf32, #isa.memory<"input">>) {
  // expected-error @below {{works on tiles of two static dimensions, got 'memref<2x64x16xf32, #isa.memory<"dram">>'}}
  template.load %s to %d : memref<2x64x16xf32, #isa.memory<"dram">> to memref<64x16xf32, #isa.memory<"input">>
  return
}

// -----

!input = memref<64x16xf32, #isa.memory<"input">>
func.func @rejects_a_scale_that_is_no_number(%q: !input, %i: index, %o: memref<64x18xf32, #isa.memory<"output">>) {
  // expected-error @below {{needs a finite scale}}
  template.attend %q, %q, %q at %i, %i to %o queries 64 keys 64 scale 0x7F800000 causal false : !input, !input, !input to memref<64x18xf32, #isa.memory<"output">>
  return
}
