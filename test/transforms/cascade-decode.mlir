// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// With caches nothing shrinks: each layer attends to those tokens of its cache that the importance so far names, and the
// importance is kept from step to step.
// RUN: sparsam-opt %s --sattn-cascade="tokens=6,3" | FileCheck %s
// RUN: not sparsam-opt %s --sattn-cascade="tokens=6,0" 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not sparsam-opt %s --sattn-cascade="tokens=6,1 protect=0" 2>&1 | FileCheck %s --check-prefix=PROTECTED
// RUN: not sparsam-opt %s --sattn-cascade="tokens=6,3 protect=-2" 2>&1 | FileCheck %s --check-prefix=PLACE
// RUN: not sparsam-opt %s --sattn-cascade="heads=1" 2>&1 | FileCheck %s --check-prefix=FIRST
// RUN: not sparsam-opt %s --sattn-cascade="heads=2,0" 2>&1 | FileCheck %s --check-prefix=NOHEAD
// RUN: sparsam-opt %s --sattn-cascade="heads=2,1" | FileCheck %s --check-prefix=HEADS
// RUN: sparsam-opt %s --sattn-cascade="tokens=6,3 protect=0" | FileCheck %s --check-prefix=KEEP
// PROTECTED: cannot be part of a cascade (options of sattn-cascade): keeps 1 of 8 tokens, but 2 are protected, the newest among them
// PLACE: protects position -2 of 8; of a cache the first tokens and the newest can be protected
// FIRST: keeps 1 of 2 heads in the first core, where nothing is ranked yet
// NOHEAD: keeps 0 of 2 heads; at least one must survive
// NONE: cannot be part of a cascade (options of sattn-cascade): keeps 0 of 8 tokens; at least the newest must survive

// CHECK-LABEL: func.func @main
// CHECK-SAME: %[[IMP:[a-z0-9]*]]: tensor<1x8xf32> {onnx.name = "sparsam.importance", sattn.state = "sparsam.new_importance", sattn.tokens = 1 : i64})
// CHECK-SAME: tensor<1x8xf32> {onnx.name = "sparsam.new_importance"}
// CHECK: %[[E:.*]] = onnx.Where %{{.*}}, %[[IMP]], %{{.*}}
// CHECK: %[[R:.*]] = onnx.Where %{{.*}}, %{{.*}}, %[[E]]
// CHECK: %[[I:.*]] = sattn.top_k %[[R]] {k = 6 : i64} : tensor<1x8xf32> -> tensor<1x6xi64>
// CHECK: %[[K:.*]] = sattn.gather %{{.*}}, %[[I]] {dim = 2 : i64} : tensor<1x2x8x4xf32>, tensor<1x6xi64> -> tensor<1x2x6x4xf32>
// CHECK: %[[V:.*]] = sattn.gather %{{.*}}, %[[I]] {dim = 2 : i64}
// CHECK: %[[M:.*]] = onnx.Min %{{.*}}, %{{.*}} : (tensor<i64>, tensor<i64>) -> tensor<i64>
// CHECK: %{{.*}}, %[[D:.*]] = sattn.attention %{{.*}}, %[[K]], %[[V]] token_scores %{{.*}} valid %[[M]]
// CHECK: %[[S:.*]] = sattn.scatter %[[D]], %[[I]] {dim = 1 : i64} : tensor<1x6xf32>, tensor<1x6xi64> -> tensor<1x8xf32>
// CHECK: %[[IMP1:.*]] = onnx.Add %[[IMP]], %[[S]]
// CHECK: onnx.Where %{{.*}}, %[[IMP1]]
// CHECK: sattn.top_k %{{.*}} {k = 3 : i64}
// CHECK: %[[IMP2:.*]] = onnx.Add %[[IMP1]],
// CHECK: return %{{.*}}, %[[IMP2]]

// A protected token has more importance than any other can have.
// KEEP: %[[FLOOR:.*]] = onnx.Constant dense<{{\[\[}}3.000000e+38, 0.000000e+00,
// KEEP: %[[MAX:.*]] = onnx.Max %{{.*}}, %[[FLOOR]]
// KEEP: onnx.Where %{{.*}}, %[[MAX]], %{{.*}}

// Heads: importance of their own, which pruned ones keep as it was.
// HEADS-LABEL: func.func @main
// HEADS-SAME: %[[H:[a-z0-9]*]]: tensor<1x2xf32> {onnx.name = "sparsam.head_importance", sattn.state = "sparsam.new_head_importance"})
// HEADS: %[[O:.*]], %[[S:.*]] = sattn.attention %{{.*}} head_scores %[[H]] valid
// HEADS: %[[I:.*]] = sattn.top_k %[[S]] {k = 1 : i64} : tensor<1x2xf32> -> tensor<1x1xi64>
// HEADS: %[[LIVING:.*]] = sattn.gather %[[S]], %[[I]] {dim = 1 : i64}
// HEADS: %[[Q:.*]] = sattn.gather %[[O]], %[[I]] {dim = 1 : i64} : tensor<1x2x1x4xf32>, tensor<1x1xi64> -> tensor<1x1x1x4xf32>
// HEADS: %[[K:.*]] = sattn.gather %{{.*}}, %[[I]] {dim = 1 : i64} : tensor<1x2x8x4xf32>, tensor<1x1xi64> -> tensor<1x1x8x4xf32>
// HEADS: %[[P:.*]], %[[T:.*]] = sattn.attention %[[Q]], %[[K]], %{{.*}} head_scores %[[LIVING]] valid
// HEADS: sattn.scatter %[[P]], %[[I]] {dim = 1 : i64} : tensor<1x1x1x4xf32>, tensor<1x1xi64> -> tensor<1x2x1x4xf32>
// HEADS: %[[NEW:.*]] = sattn.scatter %[[T]], %[[I]]
// HEADS: onnx.Where %{{.*}}, %[[S]], %[[NEW]]
func.func @main(%q: tensor<1x2x1x4xf32>, %k: tensor<1x2x8x4xf32>, %n: tensor<i64>) -> tensor<1x2x1x4xf32> {
  %o0 = sattn.attention %q, %k, %k valid %n {scale = 1.0 : f32, policy = #sattn.dense}
    : tensor<1x2x1x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32> valid tensor<i64> -> tensor<1x2x1x4xf32>
  %o1 = sattn.attention %o0, %k, %k valid %n {scale = 1.0 : f32, policy = #sattn.dense}
    : tensor<1x2x1x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32> valid tensor<i64> -> tensor<1x2x1x4xf32>
  return %o1 : tensor<1x2x1x4xf32>
}
