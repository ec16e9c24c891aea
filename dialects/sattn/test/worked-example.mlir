// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The worked examples (a) and (b) of Sanger's spec sheet: run, and folded at compile time.
// RUN: sparsam-opt %s --sattn-interpret -o /dev/null | FileCheck %s --check-prefix=PRINT
// RUN: sparsam-opt %s --canonicalize | FileCheck %s --check-prefix=FOLD
// RUN: sparsam-opt %s --canonicalize --sattn-interpret -o /dev/null | FileCheck %s --check-prefix=PRINT

!blocks2 = !sattn.packed<1x1x4x4, stripe = 4, pes = 2, rows = 64, encoder = subrow>
!blocks1 = !sattn.packed<1x1x4x4, stripe = 4, pes = 1, rows = 64, encoder = subrow>

// (a) n = 4, d = 2, 4 bits: scale 7 / 1.4 = 5. 0.5 * 5 = 2.5 rounds to even, 2.
// Qi Ki^T = [[37, -3, -5, -34], [-27, 18, -9, 22], [7, -48, 37, 2], [4, 24, -20, -8]]; divided by 25 sqrt 2, the first row is
// [1.0465, -0.0849, -0.1414, -0.9617]. T = 0.2 keeps 1000 / 0101 / 1010 / 1100, 7 of 16.
// FOLD-LABEL: @prediction
// FOLD-NOT: sattn.{{quantize|predict|select}}
func.func @prediction() {
  %q = arith.constant dense<[[[[1.0, 0.5], [-0.72, 0.2], [0.36, -1.4], [0.0, 0.84]]]]> : tensor<1x1x4x2xf32>
  %k = arith.constant dense<[[[[1.4, 0.2], [-0.6, 1.2], [0.2, -1.0], [-1.24, -0.4]]]]> : tensor<1x1x4x2xf32>
  %qi, %nq = sattn.quantize %q bits 4 range 1.4 : tensor<1x1x4x2xf32> -> tensor<1x1x4x2xi8>, tensor<1x1x4x1xf32>
  %ki, %nk = sattn.quantize %k bits 4 range 1.4 : tensor<1x1x4x2xf32> -> tensor<1x1x4x2xi8>, tensor<1x1x4x1xf32>
  %expected_qi = arith.constant dense<[[[[5, 2], [-4, 1], [2, -7], [0, 4]]]]> : tensor<1x1x4x2xi8>
  %expected_ki = arith.constant dense<[[[[7, 1], [-3, 6], [1, -5], [-6, -2]]]]> : tensor<1x1x4x2xi8>
  check.expect_equal %qi, %expected_qi : tensor<1x1x4x2xi8>
  check.expect_equal %ki, %expected_ki : tensor<1x1x4x2xi8>

  %p = sattn.predict %qi, %nq, %ki, %nk {q_scale = 5.0 : f64, k_scale = 5.0 : f64, scale = 0.707106769 : f32}
      : tensor<1x1x4x2xi8>, tensor<1x1x4x1xf32>, tensor<1x1x4x2xi8>, tensor<1x1x4x1xf32> -> tensor<1x1x4x4xf32>
  %expected_p = arith.constant dense<[[[[0.5676, 0.1831, 0.1730, 0.0762], [0.0977, 0.3489, 0.1626, 0.3907],
      [0.2265, 0.0478, 0.5291, 0.1966], [0.2513, 0.4424, 0.1274, 0.1789]]]]> : tensor<1x1x4x4xf32>
  check.expect_close %p, %expected_p max_abs 5.1e-5 : tensor<1x1x4x4xf32>

  %m = sattn.select %p threshold 0.2 empty_row<dense> : tensor<1x1x4x4xf32> -> tensor<1x1x4x4xi1>
  %expected_m = arith.constant dense<[[[[1, 0, 0, 0], [0, 1, 0, 1], [1, 0, 1, 0], [1, 1, 0, 0]]]]> : tensor<1x1x4x4xi1>
  check.expect_equal %m, %expected_m : tensor<1x1x4x4xi1>
  // PRINT: predicted: tensor<1x1x4x4xf32>
  // PRINT-NEXT: {{^}}  0.5676 0.1831 0.1730 0.0762{{$}}
  check.print %p "predicted" : tensor<1x1x4x4xf32>
  // PRINT: mask: tensor<1x1x4x4xi1>
  // PRINT-NEXT: {{^}} 1000{{$}}
  // PRINT-NEXT: {{^}} 0101{{$}}
  // PRINT-NEXT: {{^}} 1010{{$}}
  // PRINT-NEXT: {{^}} 1100{{$}}
  check.print %m "mask" : tensor<1x1x4x4xi1>
  return
}

// (b) With pes = 2: four sub-rows of 1, 2, 2 and 2 keys, load balance 7 / (2 * 4) = 0.875.
// FOLD-LABEL: @two_pes
// FOLD-NOT: sattn.pack_split
func.func @two_pes() {
  %m = arith.constant dense<[[[[1, 0, 0, 0], [0, 1, 0, 1], [1, 0, 1, 0], [1, 1, 0, 0]]]]> : tensor<1x1x4x4xi1>
  %b = sattn.pack_split %m : tensor<1x1x4x4xi1> -> !blocks2
  %expected = sattn.packed_constant dense<[[0, 0, 0, 0, 0, -1], [0, 0, 0, 1, 1, 3], [0, 0, 0, 2, 0, 2], [0, 0, 0, 3, 0, 1]]> : tensor<4x6xi32> : !blocks2
  check.expect_equal %b, %expected : !blocks2
  %back = sattn.unpack %b : !blocks2 -> tensor<1x1x4x4xi1>
  check.expect_equal %back, %m : tensor<1x1x4x4xi1>
  // PRINT: blocks: !sattn.packed
  // PRINT-NEXT: {{^}}  head 0 stripe 0 block 0 query 0 columns 0{{$}}
  // PRINT-NEXT: {{^}}  head 0 stripe 0 block 0 query 1 columns 1 3{{$}}
  check.print %b "blocks" : !blocks2
  return
}

// (b) With pes = 1: seven sub-rows, load balance 1.
// FOLD-LABEL: @one_pe
// FOLD-NOT: sattn.pack_split
func.func @one_pe() {
  %m = arith.constant dense<[[[[1, 0, 0, 0], [0, 1, 0, 1], [1, 0, 1, 0], [1, 1, 0, 0]]]]> : tensor<1x1x4x4xi1>
  %b = sattn.pack_split %m : tensor<1x1x4x4xi1> -> !blocks1
  %expected = sattn.packed_constant dense<[[0, 0, 0, 0, 0], [0, 0, 0, 1, 1], [0, 0, 0, 1, 3], [0, 0, 0, 2, 0], [0, 0, 0, 2, 2],
      [0, 0, 0, 3, 0], [0, 0, 0, 3, 1]]> : tensor<7x5xi32> : !blocks1
  check.expect_equal %b, %expected : !blocks1
  return
}
