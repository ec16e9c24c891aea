// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s --sattn-pack-split="stripe=4 pes=2" --split-input-file | FileCheck %s

// Options come first, then the machine's parameters. One pack_split serves all users; n = 6 is not a multiple of the stripe.
module attributes {isa.arch = #isa.arch<"machine", {stripe = 64 : i64, pes = 16 : i64, rows = 32 : i64, encoder = "column_cut"}>} {
  // CHECK-LABEL: @three_users
  // CHECK-SAME: %[[M:[a-z0-9]+]]: tensor<1x2x6x6xi1>
  // CHECK: %[[B:.*]] = sattn.pack_split %[[M]] : tensor<1x2x6x6xi1> -> !sattn.packed<1x2x6x6, stripe = 4, pes = 2, rows = 32, encoder = column_cut>
  // CHECK: sattn.sddmm %{{.*}}, %{{.*}} over %[[B]]
  // CHECK: sattn.softmax %{{.*}} over %[[B]]
  // CHECK: sattn.spmm %{{.*}}, %{{.*}} over %[[B]]
  // CHECK-NOT: sattn.pack_split
  func.func @three_users(%m: tensor<1x2x6x6xi1>, %x: tensor<1x2x6x4xf32>) -> tensor<1x2x6x4xf32> {
    %s = sattn.sddmm %x, %x over %m {scale = 0.5 : f32} : tensor<1x2x6x4xf32>, tensor<1x2x6x4xf32>, tensor<1x2x6x6xi1> -> tensor<1x2x6x6xf32>
    %p = sattn.softmax %s over %m : tensor<1x2x6x6xf32>, tensor<1x2x6x6xi1> -> tensor<1x2x6x6xf32>
    %o = sattn.spmm %p, %x over %m : tensor<1x2x6x6xf32>, tensor<1x2x6x4xf32>, tensor<1x2x6x6xi1> -> tensor<1x2x6x4xf32>
    return %o : tensor<1x2x6x4xf32>
  }

  // A constant mask is packed at compile time: all ones, 2 stripes with 2 + 1 sub-rows per query, and a query of its own
  // block group. Other users of the mask keep it.
  // CHECK-LABEL: @constant
  // CHECK: arith.constant dense<true>
  // CHECK: sattn.packed_constant dense<{{\[\[}}0, 0, 0, 0, 0, 1], [0, 0, 1, 0, 2, 3], [0, 1, 0, 0, 0, -1]]> : tensor<3x6xi32>
  // CHECK-NOT: sattn.pack_split
  // CHECK: return %{{.*}}, %cst
  func.func @constant(%s: tensor<1x1x1x5xf32>) -> (tensor<1x1x1x5xf32>, tensor<1x1x1x5xi1>) {
    %m = arith.constant dense<true> : tensor<1x1x1x5xi1>
    %p = sattn.softmax %s over %m : tensor<1x1x1x5xf32>, tensor<1x1x1x5xi1> -> tensor<1x1x1x5xf32>
    return %p, %m : tensor<1x1x1x5xf32>, tensor<1x1x1x5xi1>
  }

  // What is packed already stays as it is.
  // CHECK-LABEL: @packed
  // CHECK: sattn.pack_split {{.*}} stripe = 8, pes = 8, rows = 8
  // CHECK-NOT: sattn.pack_split
  func.func @packed(%m: tensor<1x1x8x8xi1>, %s: tensor<1x1x8x8xf32>) -> tensor<1x1x8x8xf32> {
    %b = sattn.pack_split %m : tensor<1x1x8x8xi1> -> !sattn.packed<1x1x8x8, stripe = 8, pes = 8, rows = 8, encoder = subrow>
    %p = sattn.softmax %s over %b : tensor<1x1x8x8xf32>, !sattn.packed<1x1x8x8, stripe = 8, pes = 8, rows = 8, encoder = subrow> -> tensor<1x1x8x8xf32>
    return %p : tensor<1x1x8x8xf32>
  }
}

// -----

// Nothing to pack needs no parameters.
// CHECK-LABEL: @nothing
func.func @nothing(%x: tensor<1x1x8x8xf32>) -> tensor<1x1x8x8xf32> {
  return %x : tensor<1x1x8x8xf32>
}
