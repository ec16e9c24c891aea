// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// N:M compressed weights: syntax, folds on constants, and the reference semantics.
// RUN: sparsam-opt %s --verify-roundtrip --split-input-file | FileCheck %s
// RUN: sparsam-opt %s --mlir-print-op-generic --split-input-file | sparsam-opt --split-input-file | FileCheck %s
// RUN: sparsam-opt %s --canonicalize --split-input-file | FileCheck %s --check-prefix=FOLD
// RUN: sparsam-opt %s --sattn-interpret --split-input-file -o /dev/null | FileCheck %s --check-prefix=EVAL

// 2:8 keeps positions 3 and 5 of [3, -1, 0, 5, 2, -4, 1, 0]: 0x08 + 0x20 = 40; times [1..8]: 5 * 4 - 4 * 6 = -4.
// CHECK-LABEL: @two_of_eight
// CHECK: sattn.nm_compress %{{.*}} as <n = 2, m = 8, bits = 16, fraction = 1> {transpose_weight} : tensor<1x8xf32> -> tensor<1x2xi16>, tensor<1x1xui8>
// CHECK: sattn.nm_expand %{{.*}}, %{{.*}} as <n = 2, m = 8, bits = 16, fraction = 1> {transpose_weight} : tensor<1x2xi16>, tensor<1x1xui8> -> tensor<1x8xf32>
// FOLD-LABEL: @two_of_eight
// FOLD-DAG: dense<{{\[\[}}10, -8]]> : tensor<1x2xi16>
// FOLD-DAG: dense<40> : tensor<1x1xui8>
// FOLD-NOT: sattn.nm_compress
// FOLD: sattn.nm_expand
// EVAL: values: tensor<1x2xi16>
// EVAL-NEXT: 10 -8
// EVAL: bitmaps: tensor<1x1xui8>
// EVAL-NEXT: 40
// EVAL: y: tensor<1x1xf32>
// EVAL-NEXT: -4.0000
func.func @two_of_eight() {
  %w = arith.constant dense<[[3.0, -1.0, 0.0, 5.0, 2.0, -4.0, 1.0, 0.0]]> : tensor<1x8xf32>
  %x = arith.constant dense<[[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]]> : tensor<1x8xf32>
  %values, %bitmaps = sattn.nm_compress %w as <n = 2, m = 8, bits = 16, fraction = 1> {transpose_weight} : tensor<1x8xf32> -> tensor<1x2xi16>, tensor<1x1xui8>
  %pruned = sattn.nm_expand %values, %bitmaps as <n = 2, m = 8, bits = 16, fraction = 1> {transpose_weight} : tensor<1x2xi16>, tensor<1x1xui8> -> tensor<1x8xf32>
  %y = sattn.linear %x, %pruned {transpose_weight} : tensor<1x8xf32>, tensor<1x8xf32> -> tensor<1x1xf32>
  check.print %values "values" : tensor<1x2xi16>
  check.print %bitmaps "bitmaps" : tensor<1x1xui8>
  check.print %y "y" : tensor<1x1xf32>
  return
}

// -----

// 2:4 on the same row, this time one column of [inputs, outputs]: 3 + 20 + 10 - 24 = 9. Bytes keep -4 as it is.
// FOLD-LABEL: @two_of_four
// FOLD-DAG: dense<{{\[\[}}3, 5, 2, -4]]> : tensor<1x4xi8>
// FOLD-DAG: dense<{{\[\[}}9, 3]]> : tensor<1x2xui8>
// EVAL: y: tensor<1x1xf32>
// EVAL-NEXT: 9.0000
func.func @two_of_four() {
  %w = arith.constant dense<[[3.0], [-1.0], [0.0], [5.0], [2.0], [-4.0], [1.0], [0.0]]> : tensor<8x1xf32>
  %x = arith.constant dense<[[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]]> : tensor<1x8xf32>
  %values, %bitmaps = sattn.nm_compress %w as <n = 2, m = 4, bits = 8, fraction = 0> : tensor<8x1xf32> -> tensor<1x4xi8>, tensor<1x2xui8>
  %pruned = sattn.nm_expand %values, %bitmaps as <n = 2, m = 4, bits = 8, fraction = 0> : tensor<1x4xi8>, tensor<1x2xui8> -> tensor<8x1xf32>
  %y = sattn.linear %x, %pruned : tensor<1x8xf32>, tensor<8x1xf32> -> tensor<1x1xf32>
  check.print %y "y" : tensor<1x1xf32>
  return
}

// -----

// With n = m nothing is pruned and there are no bitmaps; words of 32 bits are floats. With m = 16, bitmaps have 16 bits.
// CHECK-LABEL: @all_and_one_of_sixteen
// CHECK: sattn.nm_compress %{{.*}} as <n = 2, m = 2, bits = 32, fraction = 0> {transpose_weight} : tensor<1x16xf32> -> tensor<1x16xf32>
// FOLD-LABEL: @all_and_one_of_sixteen
// FOLD-DAG: dense<32768> : tensor<1x1xui16>
// FOLD-DAG: dense<-2.500000e-01> : tensor<1x1xf32>
func.func @all_and_one_of_sixteen() {
  %w = arith.constant dense<[[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.125, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -0.25]]> : tensor<1x16xf32>
  %all = sattn.nm_compress %w as <n = 2, m = 2, bits = 32, fraction = 0> {transpose_weight} : tensor<1x16xf32> -> tensor<1x16xf32>
  %same = sattn.nm_expand %all as <n = 2, m = 2, bits = 32, fraction = 0> {transpose_weight} : tensor<1x16xf32> -> tensor<1x16xf32>
  check.expect_close %same, %w max_abs 0.0 : tensor<1x16xf32>
  %one, %bitmap = sattn.nm_compress %w as <n = 1, m = 16, bits = 32, fraction = 0> {transpose_weight} : tensor<1x16xf32> -> tensor<1x1xf32>, tensor<1x1xui16>
  check.print %one "one" : tensor<1x1xf32>
  check.print %bitmap "bitmap" : tensor<1x1xui16>
  return
}
