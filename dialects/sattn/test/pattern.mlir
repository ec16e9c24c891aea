// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s --verify-roundtrip | FileCheck %s --check-prefix=TEXT
// RUN: sparsam-opt %s --mlir-print-op-generic | sparsam-opt | FileCheck %s --check-prefix=TEXT
// RUN: sparsam-opt %s --sattn-interpret -o /dev/null
// RUN: sparsam-opt %s --canonicalize | FileCheck %s --check-prefix=FOLD

// FOLD-NOT: sattn.pattern_mask
// FOLD-NOT: sattn.reorder

// TEXT-LABEL: @window
// TEXT: sattn.pattern_mask <windows = [(-1, 3, 1)], globals = []> : tensor<1x1x4x4xi1>
func.func @window() {
  %m = sattn.pattern_mask <windows = [(-1, 3, 1)], globals = []> : tensor<1x1x4x4xi1>
  %e = arith.constant dense<[[[[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 1], [0, 0, 1, 1]]]]> : tensor<1x1x4x4xi1>
  check.expect_equal %m, %e : tensor<1x1x4x4xi1>
  return
}

// TEXT-LABEL: @cross
func.func @cross() {
  %m = sattn.pattern_mask <windows = [(1, 2, 1)], globals = []> : tensor<1x1x2x5xi1>
  %e = arith.constant dense<[[[[0, 1, 1, 0, 0], [0, 0, 1, 1, 0]]]]> : tensor<1x1x2x5xi1>
  check.expect_equal %m, %e : tensor<1x1x2x5xi1>
  return
}

// Query i sees i - 2 and i + 2, not itself; token 1 sees and is seen; two heads see the same.
// TEXT-LABEL: @dilated_and_global
// TEXT: sattn.pattern_mask <windows = [(-2, 2, 4)], globals = [1]>
func.func @dilated_and_global() {
  %m = sattn.pattern_mask <windows = [(-2, 2, 4)], globals = [1]> : tensor<1x2x5x5xi1>
  %e = arith.constant dense<[[[[0, 1, 1, 0, 0], [1, 1, 1, 1, 1], [1, 1, 0, 0, 1], [0, 1, 0, 0, 0], [0, 1, 1, 0, 0]],
                              [[0, 1, 1, 0, 0], [1, 1, 1, 1, 1], [1, 1, 0, 0, 1], [0, 1, 0, 0, 0], [0, 1, 1, 0, 0]]]]> : tensor<1x2x5x5xi1>
  check.expect_equal %m, %e : tensor<1x2x5x5xi1>
  return
}

// Windows end where their segment does, global tokens see both segments.
// TEXT-LABEL: @segments
// TEXT: sattn.pattern_mask <windows = [(0, 2, 1)], globals = [3], segments = 2>
func.func @segments() {
  %m = sattn.pattern_mask <windows = [(0, 2, 1)], globals = [3], segments = 2> : tensor<1x1x4x4xi1>
  %e = arith.constant dense<[[[[1, 1, 0, 1], [0, 1, 0, 1], [0, 0, 1, 1], [1, 1, 1, 1]]]]> : tensor<1x1x4x4xi1>
  check.expect_equal %m, %e : tensor<1x1x4x4xi1>
  return
}

// Residues modulo 2: 0, 2, 4, 6, then 1, 3, 5, 7.
// TEXT-LABEL: @reorder
// TEXT: sattn.reorder %{{.*}} by 2 : tensor<1x1x8x1xf32>
// TEXT: sattn.reorder %{{.*}} by 2 inverse : tensor<1x1x8x1xf32>
func.func @reorder() {
  %x = arith.constant dense<[[[[0.0], [1.0], [2.0], [3.0], [4.0], [5.0], [6.0], [7.0]]]]> : tensor<1x1x8x1xf32>
  %y = sattn.reorder %x by 2 : tensor<1x1x8x1xf32>
  %e = arith.constant dense<[[[[0.0], [2.0], [4.0], [6.0], [1.0], [3.0], [5.0], [7.0]]]]> : tensor<1x1x8x1xf32>
  check.expect_equal %y, %e : tensor<1x1x8x1xf32>
  %z = sattn.reorder %y by 2 inverse : tensor<1x1x8x1xf32>
  check.expect_equal %z, %x : tensor<1x1x8x1xf32>
  return
}

// FOLD-LABEL: @undone
// FOLD-SAME: %[[X:.*]]: tensor<1x1x8x4xf32>
// FOLD-NEXT: return %[[X]], %[[X]]
func.func @undone(%x: tensor<1x1x8x4xf32>) -> (tensor<1x1x8x4xf32>, tensor<1x1x8x4xf32>) {
  %y = sattn.reorder %x by 4 : tensor<1x1x8x4xf32>
  %z = sattn.reorder %y by 4 inverse : tensor<1x1x8x4xf32>
  %a = sattn.reorder %x by 1 : tensor<1x1x8x4xf32>
  return %z, %a : tensor<1x1x8x4xf32>, tensor<1x1x8x4xf32>
}

// Query 0 sees keys 0 and 1 alike, query 1 all three, query 2 keys 1 and 2.
// TEXT-LABEL: @attention
func.func @attention() {
  %q = arith.constant dense<0.0> : tensor<1x1x3x1xf32>
  %v = arith.constant dense<[[[[3.0], [6.0], [12.0]]]]> : tensor<1x1x3x1xf32>
  %o = sattn.attention %q, %q, %v {scale = 1.0 : f32, policy = #sattn.pattern<windows = [(-1, 3, 1)], globals = []>}
      : tensor<1x1x3x1xf32>, tensor<1x1x3x1xf32>, tensor<1x1x3x1xf32> -> tensor<1x1x3x1xf32>
  %e = arith.constant dense<[[[[4.5], [7.0], [9.0]]]]> : tensor<1x1x3x1xf32>
  check.expect_close %o, %e max_abs 1.0e-6 : tensor<1x1x3x1xf32>
  return
}
