// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Decoders whose second core attends to the survivors of its cache.
// RUN: sparsam-opt %s -split-input-file --sparsam-compile="target=spatten settings=tx=4,ty=4,tz=4,head_prune=0.4,prune_slope=0" | FileCheck %s --check-prefix=HEADS
// RUN: sparsam-opt %s -split-input-file --sparsam-compile="target=spatten settings=tx=4,ty=4,tz=4,token_prune=0.3,prune_slope=0" | FileCheck %s

// A decoder: the survivors of its cache are ranked first, then they are fetched.
// CHECK: isa.kernel @attention_0
// CHECK: spatten.load_scores
// CHECK: spatten.topk_token %{{.*}} to %{{.*}} k 70 protect_first 0 protect_last 0
// CHECK: spatten.sync
// CHECK: spatten.set_length
// CHECK: spatten.set_tokens
// What this step adds is wanted apart.
// CHECK: spatten.reset_scores
// CHECK: spatten.query_stream {{.*}} tokens
func.func @decoder(%q: tensor<1x3x1x64xf32>, %k: tensor<1x3x100x64xf32>, %n: tensor<i64>) -> tensor<1x3x1x64xf32> {
  %o = sattn.attention %q, %k, %k valid %n {scale = 0.125 : f32, policy = #sattn.dense, sattn.name = "attention_1"}
    : tensor<1x3x1x64xf32>, tensor<1x3x100x64xf32>, tensor<1x3x100x64xf32> valid tensor<i64> -> tensor<1x3x1x64xf32>
  %p = sattn.attention %o, %k, %k valid %n {scale = 0.125 : f32, policy = #sattn.dense, sattn.name = "attention_0"}
    : tensor<1x3x1x64xf32>, tensor<1x3x100x64xf32>, tensor<1x3x100x64xf32> valid tensor<i64> -> tensor<1x3x1x64xf32>
  return %p : tensor<1x3x1x64xf32>
}

// -----

// With a mask the host ranks, because it gathers the mask.
// CHECK: isa.kernel @attention_0
// CHECK-NOT: spatten.topk_token
// CHECK: spatten.set_tokens
// CHECK: func.func @masked_decoder
// CHECK: %[[I:.*]] = sattn.top_k
// CHECK: sattn.gather %{{.*}}, %[[I]] {dim = 3 : i64}
func.func @masked_decoder(%q: tensor<1x3x1x64xf32>, %k: tensor<1x3x100x64xf32>, %m: tensor<1x1x1x100xf32>, %n: tensor<i64>) -> tensor<1x3x1x64xf32> {
  %o = sattn.attention %q, %k, %k mask %m valid %n {scale = 0.125 : f32, policy = #sattn.dense, sattn.name = "attention_1"}
    : tensor<1x3x1x64xf32>, tensor<1x3x100x64xf32>, tensor<1x3x100x64xf32>, tensor<1x1x1x100xf32> valid tensor<i64> -> tensor<1x3x1x64xf32>
  %p = sattn.attention %o, %k, %k mask %m valid %n {scale = 0.125 : f32, policy = #sattn.dense, sattn.name = "attention_0"}
    : tensor<1x3x1x64xf32>, tensor<1x3x100x64xf32>, tensor<1x3x100x64xf32>, tensor<1x1x1x100xf32> valid tensor<i64> -> tensor<1x3x1x64xf32>
  return %p : tensor<1x3x1x64xf32>
}

// -----

// Heads are ranked behind a layer, and picked from the caches by the machine.
// HEADS: isa.kernel @attention_0(%{{.*}} memref<4x1x64xf32
// HEADS: spatten.load_scores
// HEADS: spatten.query_stream {{.*}} head_scores
// HEADS: spatten.topk_head %{{.*}} to %[[LIST:.*]] k 2
// HEADS: isa.kernel @attention_1
// HEADS: spatten.config entries 1 heads 2 queries 1 keys 100
// HEADS: spatten.set_heads %{{.*}} to %{{.*}} of 4 : memref<1x2xi64, {{.*}}> to memref<1x2xi16, #isa.memory<"index">>
// HEADS: isa.loop %{{.*}} to 2
// HEADS: spatten.bind_head %{{.*}} heads %{{.*}} : memref<1x2xi16,
// HEADS: spatten.query_stream
// HEADS-LABEL: func.func @heads
// HEADS: %[[L:.*]]:3 = isa.launch @attention_0
// HEADS: %[[M:.*]]:2 = isa.launch @attention_1(%{{.*}}, %[[L]]#2,
func.func @heads(%q: tensor<1x4x1x64xf32>, %k: tensor<1x4x100x64xf32>, %n: tensor<i64>) -> tensor<1x4x1x64xf32> {
  %o = sattn.attention %q, %k, %k valid %n {scale = 0.125 : f32, policy = #sattn.dense, sattn.name = "attention_0"}
    : tensor<1x4x1x64xf32>, tensor<1x4x100x64xf32>, tensor<1x4x100x64xf32> valid tensor<i64> -> tensor<1x4x1x64xf32>
  %p = sattn.attention %o, %k, %k valid %n {scale = 0.125 : f32, policy = #sattn.dense, sattn.name = "attention_1"}
    : tensor<1x4x1x64xf32>, tensor<1x4x100x64xf32>, tensor<1x4x100x64xf32> valid tensor<i64> -> tensor<1x4x1x64xf32>
  return %p : tensor<1x4x1x64xf32>
}
