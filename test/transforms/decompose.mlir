// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s --sattn-decompose="everywhere=true" | FileCheck %s

// Attention outside of kernels stays unless asked for; inside it is decomposed.
// RUN: sparsam-opt %s --sattn-decompose | FileCheck %s --check-prefix=KERNELS
// RUN: sparsam-opt %s --sattn-partition --sattn-decompose | FileCheck %s --check-prefix=OUTLINED

// OUTLINED: isa.kernel @dense_core
// OUTLINED: sattn.select_all
// OUTLINED: sattn.spmm
// OUTLINED: isa.return

// CHECK-LABEL: @dense
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<1x2x8x4xf32>, %[[K:[a-z0-9]+]]: tensor<1x2x6x4xf32>, %[[V:[a-z0-9]+]]: tensor<1x2x6x3xf32>
// CHECK-NEXT: %[[M:.*]] = sattn.select_all : tensor<1x2x8x6xi1>
// CHECK-NEXT: %[[S:.*]] = sattn.sddmm %[[Q]], %[[K]] over %[[M]] {scale = 5.000000e-01 : f32} :
// CHECK-NEXT: %[[P:.*]] = sattn.softmax %[[S]] over %[[M]] :
// CHECK-NEXT: %[[O:.*]] = sattn.spmm %[[P]], %[[V]] over %[[M]] :
// CHECK-NEXT: return %[[O]]
// KERNELS-LABEL: @dense
// KERNELS: sattn.attention
func.func @dense(%q: tensor<1x2x8x4xf32>, %k: tensor<1x2x6x4xf32>, %v: tensor<1x2x6x3xf32>) -> tensor<1x2x8x3xf32> {
  %o = sattn.attention %q, %k, %v {scale = 0.5 : f32, policy = #sattn.dense, sattn.name = "dense_core", sattn.target = "machine"}
      : tensor<1x2x8x4xf32>, tensor<1x2x6x4xf32>, tensor<1x2x6x3xf32> -> tensor<1x2x8x3xf32>
  return %o : tensor<1x2x8x3xf32>
}

// Causality goes to the selection, the additive mask to the scores.
// CHECK-LABEL: @dense_causal_with_mask
// CHECK-SAME: %[[B:[a-z0-9]+]]: tensor<1x1x1x8xf32>
// CHECK: sattn.select_all {causal} : tensor<1x2x8x8xi1>
// CHECK: sattn.sddmm %{{.*}}, %{{.*}} over %{{.*}} mask %[[B]] {scale
func.func @dense_causal_with_mask(%b: tensor<1x1x1x8xf32>, %x: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %o = sattn.attention %x, %x, %x mask %b {causal, scale = 0.5 : f32, policy = #sattn.dense}
      : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x1x1x8xf32> -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// Scales are (2^3 - 1) / range. Causality goes to the prediction, the additive mask to prediction and scores.
// CHECK-LABEL: @low_bit
// CHECK-SAME: %[[B:[a-z0-9]+]]: tensor<1x1x1x8xf32>, %[[Q:[a-z0-9]+]]: tensor<1x2x8x4xf32>, %[[K:[a-z0-9]+]]: tensor<1x2x8x4xf32>
// CHECK: %[[QC:.*]], %[[QN:.*]] = sattn.quantize %[[Q]] bits 4 range 1.400000e+00 normalize :
// CHECK: %[[KC:.*]], %[[KN:.*]] = sattn.quantize %[[K]] bits 4 range 5.000000e-01 normalize :
// CHECK: %[[P:.*]] = sattn.predict %[[QC]], %[[QN]], %[[KC]], %[[KN]] mask %[[B]] {causal, k_scale = 1.400000e+01 : f64, q_scale = 5.000000e+00 : f64, scale = 5.000000e-01 : f32} :
// CHECK: %[[M:.*]] = sattn.select %[[P]] threshold 2.000000e-02 empty_row<zero> :
// CHECK: sattn.sddmm %[[Q]], %[[K]] over %[[M]] mask %[[B]] {scale = 5.000000e-01 : f32} :
func.func @low_bit(%b: tensor<1x1x1x8xf32>, %q: tensor<1x2x8x4xf32>, %k: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %o = sattn.attention %q, %k, %k mask %b {causal, scale = 0.5 : f32, policy = #sattn.low_bit_threshold<bits = 4,
      threshold = 0.02, normalize = true, q_range = 1.4, k_range = 0.5, empty_row = zero>}
      : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x1x1x8xf32> -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// CHECK-LABEL: @one_token
// CHECK: sattn.select_all {causal} : tensor<1x1x1x1xi1>
// CHECK: sattn.spmm
func.func @one_token(%x: tensor<1x1x1x4xf32>) -> tensor<1x1x1x4xf32> {
  %o = sattn.attention %x, %x, %x {causal, scale = 0.5 : f32, policy = #sattn.dense}
      : tensor<1x1x1x4xf32>, tensor<1x1x1x4xf32>, tensor<1x1x1x4xf32> -> tensor<1x1x1x4xf32>
  return %o : tensor<1x1x1x4xf32>
}
