// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What sattn.packed_constant refuses. Columns: head, stripe, block, query, then the `pes` columns.
// RUN: sparsam-opt %s --split-input-file --verify-diagnostics

func.func @width() {
  // expected-error @below {{expects i32 rows of 4 + pes = 6 numbers, got 'tensor<1x5xi32>'}}
  sattn.packed_constant dense<[[0, 0, 0, 0, 0]]> : tensor<1x5xi32> : !sattn.packed<1x1x2x4, stripe = 4, pes = 2, rows = 4, encoder = subrow>
  return
}

// -----

func.func @head() {
  // expected-error @below {{sub-row 0: expects a head from 0 to 1, got 2}}
  sattn.packed_constant dense<[[2, 0, 0, 0, 0, 1]]> : tensor<1x6xi32> : !sattn.packed<1x2x2x4, stripe = 4, pes = 2, rows = 4, encoder = subrow>
  return
}

// -----

func.func @stripe() {
  // expected-error @below {{sub-row 0: expects a stripe from 0 to 1, got 2}}
  sattn.packed_constant dense<[[0, 2, 0, 0, 0, 1]]> : tensor<1x6xi32> : !sattn.packed<1x1x2x5, stripe = 4, pes = 2, rows = 4, encoder = subrow>
  return
}

// -----

func.func @query() {
  // expected-error @below {{sub-row 0: expects a query from 0 to 1, got -1}}
  sattn.packed_constant dense<[[0, 0, 0, -1, 0, 1]]> : tensor<1x6xi32> : !sattn.packed<1x1x2x4, stripe = 4, pes = 2, rows = 4, encoder = subrow>
  return
}

// -----

func.func @order() {
  // expected-error @below {{sub-row 1: expects heads, then stripes in ascending order}}
  sattn.packed_constant dense<[[0, 1, 0, 0, 0, -1], [0, 0, 0, 0, 0, -1]]> : tensor<2x6xi32> : !sattn.packed<1x1x2x8, stripe = 4, pes = 2, rows = 4, encoder = subrow>
  return
}

// -----

func.func @first_block() {
  // expected-error @below {{sub-row 0: expects block 0, got 1}}
  sattn.packed_constant dense<[[0, 0, 1, 0, 0, -1]]> : tensor<1x6xi32> : !sattn.packed<1x1x2x4, stripe = 4, pes = 2, rows = 4, encoder = subrow>
  return
}

// -----

func.func @block_gap() {
  // expected-error @below {{sub-row 1: expects block 0 or the next one, got 2}}
  sattn.packed_constant dense<[[0, 0, 0, 0, 0, -1], [0, 0, 2, 1, 0, -1]]> : tensor<2x6xi32> : !sattn.packed<1x1x2x4, stripe = 4, pes = 2, rows = 4, encoder = subrow>
  return
}

// -----

func.func @rows_per_block() {
  // expected-error @below {{sub-row 1: expects at most 1 sub-rows per block (`rows` of the type)}}
  sattn.packed_constant dense<[[0, 0, 0, 0, 0, -1], [0, 0, 0, 1, 0, -1]]> : tensor<2x6xi32> : !sattn.packed<1x1x2x4, stripe = 4, pes = 2, rows = 1, encoder = subrow>
  return
}

// -----

func.func @no_column() {
  // expected-error @below {{sub-row 0: expects at least one column}}
  sattn.packed_constant dense<[[0, 0, 0, 0, -1, -1]]> : tensor<1x6xi32> : !sattn.packed<1x1x2x4, stripe = 4, pes = 2, rows = 4, encoder = subrow>
  return
}

// -----

func.func @ascending() {
  // expected-error @below {{sub-row 0: expects ascending columns, then -1, got 1 at position 1}}
  sattn.packed_constant dense<[[0, 0, 0, 0, 1, 1]]> : tensor<1x6xi32> : !sattn.packed<1x1x2x4, stripe = 4, pes = 2, rows = 4, encoder = subrow>
  return
}

// -----

func.func @column_after_end() {
  // expected-error @below {{sub-row 0: expects ascending columns, then -1, got 2 at position 2}}
  sattn.packed_constant dense<[[0, 0, 0, 0, 1, -1, 2]]> : tensor<1x7xi32> : !sattn.packed<1x1x2x4, stripe = 4, pes = 3, rows = 4, encoder = subrow>
  return
}

// -----

func.func @column_beyond_last_stripe() {
  // expected-error @below {{sub-row 0: expects columns below 2 (keys of the stripe), got 2}}
  sattn.packed_constant dense<[[0, 1, 0, 0, 1, 2]]> : tensor<1x6xi32> : !sattn.packed<1x1x2x6, stripe = 4, pes = 2, rows = 4, encoder = subrow>
  return
}

// -----

func.func @pair_twice() {
  // expected-error @below {{sub-row 1: query 0 keeps column 3 twice}}
  sattn.packed_constant dense<[[0, 0, 0, 0, 0, 3], [0, 0, 0, 0, 3, -1]]> : tensor<2x6xi32> : !sattn.packed<1x1x2x4, stripe = 4, pes = 2, rows = 4, encoder = subrow>
  return
}

// -----

func.func @elements_elsewhere() {
  // expected-error @below {{expects an attribute that holds its elements}}
  %p = sattn.packed_constant dense_resource<nowhere> : tensor<1x6xi32> : !sattn.packed<1x1x2x4, stripe = 4, pes = 2, rows = 4, encoder = subrow>
  return
}
