// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s --sattn-prune-weights="n=2 m=8 bits=16 everywhere" --split-input-file | FileCheck %s
// RUN: sparsam-opt %s --sattn-prune-weights="n=2 m=2 everywhere" --split-input-file | FileCheck %s --check-prefix=ALL
// RUN: sparsam-opt %s --sattn-prune-weights --split-input-file | FileCheck %s --check-prefix=MARKED

// The largest weight is 5: 12 fraction bits, 5 * 4096 = 20480. Kept are 5 and -4 of squares 56: sqrt(15 / 56) is lost.
// 16 bytes before, 2 words of 2 bytes and one bitmap byte after.
// CHECK: sattn.weights = {bytes_after = 5 : i64, bytes_before = 16 : i64, error = 0.5175{{[0-9]*}} : f64, m = 8 : i64, n = 2 : i64}
// CHECK-LABEL: @layer
// CHECK-DAG: %[[VALUES:.*]] = arith.constant dense<{{\[\[}}20480, -16384]]> : tensor<1x2xi16>
// CHECK-DAG: %[[BITMAPS:.*]] = arith.constant dense<40> : tensor<1x1xui8>
// CHECK: %[[W:.*]] = sattn.nm_expand %[[VALUES]], %[[BITMAPS]] as <n = 2, m = 8, bits = 16, fraction = 12> {transpose_weight}
// CHECK: sattn.linear %{{.*}}, %[[W]] {transpose_weight}
// ALL: sattn.weights = {bytes_after = 32 : i64, bytes_before = 32 : i64, error = 0.000000e+00 : f64
// ALL-LABEL: @layer
// ALL: sattn.nm_expand %{{.*}} as <n = 2, m = 2, bits = 32, fraction = 0> {transpose_weight} : tensor<1x8xf32> -> tensor<1x8xf32>
// MARKED-LABEL: @layer
// MARKED-NOT: sattn.nm_expand
func.func @layer(%x: tensor<4x8xf32>) -> tensor<4x1xf32> {
  %w = arith.constant dense<[[3.0, -1.0, 0.0, 5.0, 2.0, -4.0, 1.0, 0.0]]> : tensor<1x8xf32>
  %y = sattn.linear %x, %w {transpose_weight} : tensor<4x8xf32>, tensor<1x8xf32> -> tensor<4x1xf32>
  return %y : tensor<4x1xf32>
}

// -----

// A layer with `sattn.target` hands its marks to what makes its weight: both go into one kernel.
// MARKED-LABEL: @marked
// MARKED: sattn.nm_expand {{.*}} {sattn.kernel = "layer_0", sattn.target = "machine"}
func.func @marked(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %w = arith.constant dense<1.0> : tensor<8x8xf32>
  %y = sattn.linear %x, %w {sattn.target = "machine", sattn.kernel = "layer_0"} : tensor<4x8xf32>, tensor<8x8xf32> -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}
