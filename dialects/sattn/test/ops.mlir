// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Round trip through text, the generic form and bytecode.
// RUN: sparsam-opt %s | sparsam-opt | FileCheck %s
// RUN: sparsam-opt %s --mlir-print-op-generic | sparsam-opt | FileCheck %s
// RUN: sparsam-opt %s --emit-bytecode | sparsam-opt | FileCheck %s

// CHECK-LABEL: @attention
// CHECK: sattn.attention %{{.*}}, %{{.*}}, %{{.*}} mask %{{.*}} {causal, policy = #sattn.dense, sattn.name = "attention_0", scale = 1.250000e-01 : f32} :
func.func @attention(%q: tensor<1x2x8x4xf32>, %k: tensor<1x2x6x4xf32>, %v: tensor<1x2x6x3xf32>, %m: tensor<1x1x1x6xf32>) -> tensor<1x2x8x3xf32> {
  %o = sattn.attention %q, %k, %v mask %m {causal, policy = #sattn.dense, sattn.name = "attention_0", scale = 0.125 : f32}
      : tensor<1x2x8x4xf32>, tensor<1x2x6x4xf32>, tensor<1x2x6x3xf32>, tensor<1x1x1x6xf32> -> tensor<1x2x8x3xf32>
  return %o : tensor<1x2x8x3xf32>
}

// CHECK-LABEL: @cache
// CHECK: sattn.cache_append %{{.*}}, %{{.*}} at %{{.*}} : tensor<1x2x16x4xf32>, tensor<1x2x1x4xf32> at tensor<i64>
// CHECK: sattn.attention %{{.*}}, %{{.*}}, %{{.*}} valid %{{.*}} {policy = #sattn.dense, scale = 1.250000e-01 : f32} : {{.*}}, tensor<1x2x16x4xf32> valid tensor<i64> -> tensor<1x2x1x4xf32>
// CHECK: sattn.attention %{{.*}}, %{{.*}}, %{{.*}} mask %{{.*}} valid %{{.*}} {policy = #sattn.dense, scale = 1.250000e-01 : f32} : {{.*}}, tensor<1x1x1x16xf32> valid tensor<i64> -> tensor<1x2x1x4xf32>
func.func @cache(%q: tensor<1x2x1x4xf32>, %k: tensor<1x2x16x4xf32>, %n: tensor<i64>, %m: tensor<1x1x1x16xf32>) {
  %c = sattn.cache_append %k, %q at %n : tensor<1x2x16x4xf32>, tensor<1x2x1x4xf32> at tensor<i64>
  %o = sattn.attention %q, %c, %c valid %n {scale = 0.125 : f32, policy = #sattn.dense}
      : tensor<1x2x1x4xf32>, tensor<1x2x16x4xf32>, tensor<1x2x16x4xf32> valid tensor<i64> -> tensor<1x2x1x4xf32>
  %p = sattn.attention %q, %c, %c mask %m valid %n {scale = 0.125 : f32, policy = #sattn.dense}
      : tensor<1x2x1x4xf32>, tensor<1x2x16x4xf32>, tensor<1x2x16x4xf32>, tensor<1x1x1x16xf32> valid tensor<i64> -> tensor<1x2x1x4xf32>
  return
}

// A real that is no short decimal keeps all its digits.
// CHECK-LABEL: @policy
// CHECK: #sattn.low_bit_threshold<bits = 4, threshold = 2.000000e-03, normalize = true, q_range = 0.33333333333333331, k_range = 5.000000e-01, empty_row = argmax>
func.func @policy(%x: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %o = sattn.attention %x, %x, %x {scale = 0.5 : f32, policy = #sattn.low_bit_threshold<bits = 4, threshold = 2.0e-3,
      normalize = true, q_range = 0.33333333333333331, k_range = 0.5, empty_row = argmax>}
      : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32> -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// CHECK-LABEL: @linear
// CHECK: sattn.linear %{{.*}}, %{{.*}} bias %{{.*}} residual %{{.*}} {activation = #sattn.activation<gelu>} : tensor<1x8x16xf32>, tensor<16x32xf32>, tensor<32xf32> residual tensor<1x8x32xf32> ->
// CHECK: sattn.linear %{{.*}}, %{{.*}} residual %{{.*}} : tensor<1x8x16xf32>, tensor<16x32xf32> residual tensor<1x8x32xf32> ->
// CHECK: sattn.linear %{{.*}}, %{{.*}} {transpose_weight} : tensor<1x8x32xf32>, tensor<16x32xf32> ->
func.func @linear(%x: tensor<1x8x16xf32>, %w: tensor<16x32xf32>, %b: tensor<32xf32>, %r: tensor<1x8x32xf32>) -> tensor<1x8x16xf32> {
  %0 = sattn.linear %x, %w bias %b residual %r {activation = #sattn.activation<gelu>} : tensor<1x8x16xf32>, tensor<16x32xf32>, tensor<32xf32> residual tensor<1x8x32xf32> -> tensor<1x8x32xf32>
  %1 = sattn.linear %x, %w residual %0 : tensor<1x8x16xf32>, tensor<16x32xf32> residual tensor<1x8x32xf32> -> tensor<1x8x32xf32>
  %2 = sattn.linear %1, %w {transpose_weight} : tensor<1x8x32xf32>, tensor<16x32xf32> -> tensor<1x8x16xf32>
  return %2 : tensor<1x8x16xf32>
}

// CHECK-LABEL: @selection
// CHECK: sattn.quantize %{{.*}} bits 4 range 1.400000e+00 normalize :
// CHECK: sattn.quantize %{{.*}} bits 8 range 2.000000e+00 :
// CHECK: sattn.predict %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} mask %{{.*}} {causal, k_scale = 6.350000e+01 : f64, q_scale = 5.000000e+00 : f64, scale = 5.000000e-01 : f32} :
// CHECK: sattn.select %{{.*}} threshold 2.000000e-01 empty_row<zero> :
// CHECK: sattn.select_all {causal} : tensor<1x2x8x8xi1>
func.func @selection(%x: tensor<1x2x8x4xf32>, %b: tensor<1x2x8x8xf32>) -> (tensor<1x2x8x8xi1>, tensor<1x2x8x8xi1>) {
  %c, %n = sattn.quantize %x bits 4 range 1.4 normalize : tensor<1x2x8x4xf32> -> tensor<1x2x8x4xi8>, tensor<1x2x8x1xf32>
  %d, %m = sattn.quantize %x bits 8 range 2.0 : tensor<1x2x8x4xf32> -> tensor<1x2x8x4xi8>, tensor<1x2x8x1xf32>
  %p = sattn.predict %c, %n, %d, %m mask %b {causal, q_scale = 5.0 : f64, k_scale = 63.5 : f64, scale = 0.5 : f32}
      : tensor<1x2x8x4xi8>, tensor<1x2x8x1xf32>, tensor<1x2x8x4xi8>, tensor<1x2x8x1xf32>, tensor<1x2x8x8xf32> -> tensor<1x2x8x8xf32>
  %s = sattn.select %p threshold 0.2 empty_row<zero> : tensor<1x2x8x8xf32> -> tensor<1x2x8x8xi1>
  %a = sattn.select_all {causal} : tensor<1x2x8x8xi1>
  return %s, %a : tensor<1x2x8x8xi1>, tensor<1x2x8x8xi1>
}

!blocks = !sattn.packed<1x2x8x8, stripe = 4, pes = 2, rows = 4, encoder = column_cut>

// CHECK-LABEL: @over_blocks
// CHECK: sattn.pack_split %{{.*}} : tensor<1x2x8x8xi1> -> !sattn.packed<1x2x8x8, stripe = 4, pes = 2, rows = 4, encoder = column_cut>
// CHECK: sattn.sddmm %{{.*}}, %{{.*}} over %{{.*}} mask %{{.*}} {scale = 5.000000e-01 : f32} :
// CHECK: sattn.softmax %{{.*}} over %{{.*}} : tensor<1x2x8x8xf32>, !sattn.packed
// CHECK: sattn.spmm %{{.*}}, %{{.*}} over %{{.*}} : tensor<1x2x8x8xf32>, tensor<1x2x8x4xf32>, !sattn.packed
// CHECK: sattn.unpack
func.func @over_blocks(%x: tensor<1x2x8x4xf32>, %m: tensor<1x2x8x8xi1>, %b: tensor<1x1x1x8xf32>) -> (tensor<1x2x8x4xf32>, tensor<1x2x8x8xi1>) {
  %p = sattn.pack_split %m : tensor<1x2x8x8xi1> -> !blocks
  %s = sattn.sddmm %x, %x over %p mask %b {scale = 0.5 : f32} : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, !blocks, tensor<1x1x1x8xf32> -> tensor<1x2x8x8xf32>
  %e = sattn.softmax %s over %p : tensor<1x2x8x8xf32>, !blocks -> tensor<1x2x8x8xf32>
  %o = sattn.spmm %e, %x over %p : tensor<1x2x8x8xf32>, tensor<1x2x8x4xf32>, !blocks -> tensor<1x2x8x4xf32>
  %u = sattn.unpack %p : !blocks -> tensor<1x2x8x8xi1>
  return %o, %u : tensor<1x2x8x4xf32>, tensor<1x2x8x8xi1>
}

// CHECK-LABEL: @packed_constant
// CHECK: sattn.packed_constant dense<{{.*}}> : tensor<2x6xi32> : !sattn.packed<1x1x2x4, stripe = 4, pes = 2, rows = 4, encoder = subrow>
// CHECK: sattn.packed_constant dense<> : tensor<0x6xi32>
func.func @packed_constant() {
  %0 = sattn.packed_constant dense<[[0, 0, 0, 0, 0, -1], [0, 0, 0, 1, 1, 3]]> : tensor<2x6xi32> : !sattn.packed<1x1x2x4, stripe = 4, pes = 2, rows = 4, encoder = subrow>
  %1 = sattn.packed_constant dense<> : tensor<0x6xi32> : !sattn.packed<1x1x2x4, stripe = 4, pes = 2, rows = 4, encoder = subrow>
  return
}
