// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Encoding steps fold on constants. Numbers are the sheet's worked examples; see worked-example.mlir for the arithmetic.
// RUN: sparsam-opt %s --canonicalize --split-input-file | FileCheck %s

// 0.5 * 5 = 2.5 rounds half to even, to 2; -1.24 * 5 = -6.2 to -6; 2.0 * 5 = 10 saturates at 7, -2.0 * 5 at -7 and never -8.
// CHECK-LABEL: @quantize
// CHECK-DAG: dense<{{\[\[\[\[}}5, 2], [-6, 4], [7, -7]]]]> : tensor<1x1x3x2xi8>
// CHECK-DAG: dense<1.000000e+00> : tensor<1x1x3x1xf32>
// CHECK-NOT: sattn.quantize
func.func @quantize() -> (tensor<1x1x3x2xi8>, tensor<1x1x3x1xf32>) {
  %x = arith.constant dense<[[[[1.0, 0.5], [-1.24, 0.84], [2.0, -2.0]]]]> : tensor<1x1x3x2xf32>
  %c, %n = sattn.quantize %x bits 4 range 1.4 : tensor<1x1x3x2xf32> -> tensor<1x1x3x2xi8>, tensor<1x1x3x1xf32>
  return %c, %n : tensor<1x1x3x2xi8>, tensor<1x1x3x1xf32>
}

// -----

// Normalised: [3, 4] / 5 = [0.6, 0.8], times 7 / 0.8 = 8.75: [5.25, 7]. A token of norm 0 has codes 0.
// CHECK-LABEL: @quantize_normalized
// CHECK-DAG: dense<{{\[\[\[\[}}5, 7], [0, 0]]]]> : tensor<1x1x2x2xi8>
// CHECK-DAG: dense<{{\[\[\[\[}}5.000000e+00], [0.000000e+00]]]]> : tensor<1x1x2x1xf32>
func.func @quantize_normalized() -> (tensor<1x1x2x2xi8>, tensor<1x1x2x1xf32>) {
  %x = arith.constant dense<[[[[3.0, 4.0], [0.0, 0.0]]]]> : tensor<1x1x2x2xf32>
  %c, %n = sattn.quantize %x bits 4 range 0.8 normalize : tensor<1x1x2x2xf32> -> tensor<1x1x2x2xi8>, tensor<1x1x2x1xf32>
  return %c, %n : tensor<1x1x2x2xi8>, tensor<1x1x2x1xf32>
}

// -----

// The threshold is strict. Row 1 keeps nothing: every pair with probability > 0 stays.
// CHECK-LABEL: @select_dense
// CHECK: dense<{{\[\[\[\[}}true, false, false], [true, true, false]]]]>
func.func @select_dense() -> tensor<1x1x2x3xi1> {
  %p = arith.constant dense<[[[[0.75, 0.25, 0.0], [0.125, 0.25, 0.0]]]]> : tensor<1x1x2x3xf32>
  %m = sattn.select %p threshold 0.25 empty_row<dense> : tensor<1x1x2x3xf32> -> tensor<1x1x2x3xi1>
  return %m : tensor<1x1x2x3xi1>
}

// -----

// CHECK-LABEL: @select_zero
// CHECK: dense<{{\[\[\[\[}}true, false, false], [false, false, false]]]]>
func.func @select_zero() -> tensor<1x1x2x3xi1> {
  %p = arith.constant dense<[[[[0.75, 0.25, 0.0], [0.125, 0.25, 0.0]]]]> : tensor<1x1x2x3xf32>
  %m = sattn.select %p threshold 0.25 empty_row<zero> : tensor<1x1x2x3xf32> -> tensor<1x1x2x3xi1>
  return %m : tensor<1x1x2x3xi1>
}

// -----

// The first of equals; a row without any probability keeps nothing.
// CHECK-LABEL: @select_argmax
// CHECK: dense<{{\[\[\[\[}}false, true, false], [false, false, false]]]]>
func.func @select_argmax() -> tensor<1x1x2x3xi1> {
  %p = arith.constant dense<[[[[0.125, 0.25, 0.25], [0.0, 0.0, 0.0]]]]> : tensor<1x1x2x3xf32>
  %m = sattn.select %p threshold 0.25 empty_row<argmax> : tensor<1x1x2x3xf32> -> tensor<1x1x2x3xi1>
  return %m : tensor<1x1x2x3xi1>
}

// -----

// 5 kept keys of one query and pes = 2 make sub-rows 2 + 2 + 1; empty sub-rows are skipped; rows = 2 sub-rows per block;
// the second stripe has one key.
// CHECK-LABEL: @pack_split_subrow
// CHECK: sattn.packed_constant dense<{{\[\[}}0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 2, 3], [0, 0, 1, 0, 4, -1], [0, 0, 1, 2, 3, -1], [0, 1, 0, 2, 0, -1]]>
func.func @pack_split_subrow() -> !sattn.packed<1x1x3x6, stripe = 5, pes = 2, rows = 2, encoder = subrow> {
  %m = arith.constant dense<[[[[true, true, true, true, true, false], [false, false, false, false, false, false], [false, false, false, true, false, true]]]]> : tensor<1x1x3x6xi1>
  %p = sattn.pack_split %m : tensor<1x1x3x6xi1> -> !sattn.packed<1x1x3x6, stripe = 5, pes = 2, rows = 2, encoder = subrow>
  return %p : !sattn.packed<1x1x3x6, stripe = 5, pes = 2, rows = 2, encoder = subrow>
}

// -----

// Sheet (e): bits 1, 0, 1, 1 by column and pes = 2: columns 0 and 2 fill the row, column 3 opens the next block.
// CHECK-LABEL: @pack_split_column_cut
// CHECK: sattn.packed_constant dense<{{\[\[}}0, 0, 0, 0, 0, 2], [0, 0, 1, 0, 3, -1]]>
func.func @pack_split_column_cut() -> !sattn.packed<1x1x1x4, stripe = 4, pes = 2, rows = 1, encoder = column_cut> {
  %m = arith.constant dense<[[[[true, false, true, true]]]]> : tensor<1x1x1x4xi1>
  %p = sattn.pack_split %m : tensor<1x1x1x4xi1> -> !sattn.packed<1x1x1x4, stripe = 4, pes = 2, rows = 1, encoder = column_cut>
  return %p : !sattn.packed<1x1x1x4, stripe = 4, pes = 2, rows = 1, encoder = column_cut>
}

// -----

// One full query ends the block for its whole group of 2 queries; the third query is a group of its own.
// CHECK-LABEL: @pack_split_column_cut_groups
// CHECK: sattn.packed_constant dense<{{\[\[}}0, 0, 0, 0, 0, 1], [0, 0, 0, 1, 1, -1], [0, 0, 1, 0, 2, -1], [0, 0, 1, 1, 3, -1], [0, 0, 2, 2, 0, -1]]>
func.func @pack_split_column_cut_groups() -> !sattn.packed<1x1x3x4, stripe = 4, pes = 2, rows = 2, encoder = column_cut> {
  %m = arith.constant dense<[[[[true, true, true, false], [false, true, false, true], [true, false, false, false]]]]> : tensor<1x1x3x4xi1>
  %p = sattn.pack_split %m : tensor<1x1x3x4xi1> -> !sattn.packed<1x1x3x4, stripe = 4, pes = 2, rows = 2, encoder = column_cut>
  return %p : !sattn.packed<1x1x3x4, stripe = 4, pes = 2, rows = 2, encoder = column_cut>
}

// -----

// CHECK-LABEL: @pack_split_nothing
// CHECK: sattn.packed_constant dense<> : tensor<0x6xi32>
func.func @pack_split_nothing() -> !sattn.packed<1x1x3x4, stripe = 4, pes = 2, rows = 2, encoder = subrow> {
  %m = arith.constant dense<false> : tensor<1x1x3x4xi1>
  %p = sattn.pack_split %m : tensor<1x1x3x4xi1> -> !sattn.packed<1x1x3x4, stripe = 4, pes = 2, rows = 2, encoder = subrow>
  return %p : !sattn.packed<1x1x3x4, stripe = 4, pes = 2, rows = 2, encoder = subrow>
}

// -----

// CHECK-LABEL: @unpack
// CHECK: arith.constant dense<{{\[\[\[\[}}true, false, false, false], [false, true, false, true]]]]>
func.func @unpack() -> tensor<1x1x2x4xi1> {
  %p = sattn.packed_constant dense<[[0, 0, 0, 0, 0, -1], [0, 0, 0, 1, 1, 3]]> : tensor<2x6xi32> : !sattn.packed<1x1x2x4, stripe = 4, pes = 2, rows = 4, encoder = subrow>
  %m = sattn.unpack %p : !sattn.packed<1x1x2x4, stripe = 4, pes = 2, rows = 4, encoder = subrow> -> tensor<1x1x2x4xi1>
  return %m : tensor<1x1x2x4xi1>
}

// -----

// CHECK-LABEL: @there_and_back
// CHECK-SAME: %[[MASK:.*]]: tensor<1x1x2x4xi1>
// CHECK-NEXT: return %[[MASK]]
func.func @there_and_back(%m: tensor<1x1x2x4xi1>) -> tensor<1x1x2x4xi1> {
  %p = sattn.pack_split %m : tensor<1x1x2x4xi1> -> !sattn.packed<1x1x2x4, stripe = 4, pes = 2, rows = 4, encoder = subrow>
  %u = sattn.unpack %p : !sattn.packed<1x1x2x4, stripe = 4, pes = 2, rows = 4, encoder = subrow> -> tensor<1x1x2x4xi1>
  return %u : tensor<1x1x2x4xi1>
}

// -----

// Larger than the folders' limit of 2^22 elements: left to run time.
// CHECK-LABEL: @too_large
// CHECK: sattn.pack_split
func.func @too_large() -> !sattn.packed<1x1x2049x2048, stripe = 64, pes = 16, rows = 64, encoder = subrow> {
  %m = arith.constant dense<true> : tensor<1x1x2049x2048xi1>
  %p = sattn.pack_split %m : tensor<1x1x2049x2048xi1> -> !sattn.packed<1x1x2049x2048, stripe = 64, pes = 16, rows = 64, encoder = subrow>
  return %p : !sattn.packed<1x1x2049x2048, stripe = 64, pes = 16, rows = 64, encoder = subrow>
}

// -----

// Nothing is known about a mask that depends on the input.
// CHECK-LABEL: @dynamic
// CHECK: sattn.pack_split
func.func @dynamic(%m: tensor<1x1x2x4xi1>) -> !sattn.packed<1x1x2x4, stripe = 4, pes = 2, rows = 4, encoder = subrow> {
  %p = sattn.pack_split %m : tensor<1x1x2x4xi1> -> !sattn.packed<1x1x2x4, stripe = 4, pes = 2, rows = 4, encoder = subrow>
  return %p : !sattn.packed<1x1x2x4, stripe = 4, pes = 2, rows = 4, encoder = subrow>
}
