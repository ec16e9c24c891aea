// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s -split-input-file --isa-set-target="target=spatten settings=token_prune=0.3,prune_slope=0" --spatten-prune | FileCheck %s
// RUN: sparsam-opt %s -split-input-file --isa-set-target="target=spatten settings=schedule=gpt2_medium" --spatten-prune | FileCheck %s --check-prefix=MEDIUM

// A mask made at run time that differs by query may be causal: both ends stay.
// CHECK-LABEL: func @masked
// CHECK: sattn.top_k {{.*}} {k = 7 : i64, protect = array<i64: 0, -1>}
func.func @masked(%q: tensor<1x1x10x8xf32>, %mask: tensor<1x1x10x10xf32>) -> tensor<1x1x10x8xf32> {
  %o = sattn.attention %q, %q, %q mask %mask {scale = 1.0 : f32, policy = #sattn.dense}
    : tensor<1x1x10x8xf32>, tensor<1x1x10x8xf32>, tensor<1x1x10x8xf32>, tensor<1x1x10x10xf32> -> tensor<1x1x10x8xf32>
  %p = sattn.attention %o, %o, %o {scale = 1.0 : f32, policy = #sattn.dense}
    : tensor<1x1x10x8xf32>, tensor<1x1x10x8xf32>, tensor<1x1x10x8xf32> -> tensor<1x1x10x8xf32>
  return %p : tensor<1x1x10x8xf32>
}

// -----

// Padding hides the same keys from all queries.
// CHECK-LABEL: func @padded
// CHECK: sattn.top_k {{.*}} {k = 7 : i64, protect = array<i64: 0>}
func.func @padded(%q: tensor<1x1x10x8xf32>, %mask: tensor<1x1x1x10xf32>) -> tensor<1x1x10x8xf32> {
  %o = sattn.attention %q, %q, %q mask %mask {scale = 1.0 : f32, policy = #sattn.dense}
    : tensor<1x1x10x8xf32>, tensor<1x1x10x8xf32>, tensor<1x1x10x8xf32>, tensor<1x1x1x10xf32> -> tensor<1x1x10x8xf32>
  %p = sattn.attention %o, %o, %o {scale = 1.0 : f32, policy = #sattn.dense}
    : tensor<1x1x10x8xf32>, tensor<1x1x10x8xf32>, tensor<1x1x10x8xf32> -> tensor<1x1x10x8xf32>
  return %p : tensor<1x1x10x8xf32>
}

// -----

// A prompt returns its keys, in any layout: nothing is missing from its caches, and importance goes out.
// CHECK-LABEL: func @prompt
// CHECK-SAME: tensor<1x10xf32> {onnx.name = "sparsam.new_importance"})
// CHECK-NOT: sattn.top_k
// CHECK: %[[ZEROS:.*]] = arith.constant dense<0.0
// CHECK: %[[O:.*]], %[[S:.*]] = sattn.attention %arg0, %{{.*}}, %arg0 token_scores %[[ZEROS]]
// CHECK: %[[P:.*]], %[[T:.*]] = sattn.attention %[[O]], %[[O]], %[[O]] token_scores %[[S]]
// CHECK: return %[[P]], %arg1, %[[O]], %[[T]]
// MEDIUM-LABEL: func @prompt
// MEDIUM-SAME: tensor<1x10xf32> {onnx.name = "sparsam.new_importance"}, tensor<1x2xf32> {onnx.name = "sparsam.new_head_importance"})
func.func @prompt(%q: tensor<1x2x10x8xf32>, %k: tensor<1x10x2x8xf32>)
    -> (tensor<1x2x10x8xf32>, tensor<1x10x2x8xf32>, tensor<1x2x10x8xf32>) {
  %keys = onnx.Transpose %k {perm = array<i64: 0, 2, 1, 3>} : (tensor<1x10x2x8xf32>) -> tensor<1x2x10x8xf32>
  %o = sattn.attention %q, %keys, %q {scale = 1.0 : f32, policy = #sattn.dense}
    : tensor<1x2x10x8xf32>, tensor<1x2x10x8xf32>, tensor<1x2x10x8xf32> -> tensor<1x2x10x8xf32>
  %p = sattn.attention %o, %o, %o {scale = 1.0 : f32, policy = #sattn.dense}
    : tensor<1x2x10x8xf32>, tensor<1x2x10x8xf32>, tensor<1x2x10x8xf32> -> tensor<1x2x10x8xf32>
  return %p, %k, %o : tensor<1x2x10x8xf32>, tensor<1x10x2x8xf32>, tensor<1x2x10x8xf32>
}
