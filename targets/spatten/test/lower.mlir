// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s -split-input-file --sparsam-compile="target=spatten settings=tx=4,ty=4,tz=4" | FileCheck %s
// RUN: sparsam-opt %s -split-input-file --sparsam-compile="target=spatten attention=dense" | FileCheck %s --check-prefix=DENSE
// RUN: sparsam-opt %s -split-input-file --sparsam-compile="target=spatten settings=tx=4,ty=4,tz=4,token_prune=0.3,prune_slope=0" | FileCheck %s --check-prefix=PRUNE

// Many queries per head: keys and values are loaded once, in two slots; loops do not grow with heads and queries.
// CHECK-LABEL: isa.kernel @attention_0
// CHECK: isa.alloc at 0 : memref<32x1x64xi12, #isa.memory<"query">>
// CHECK: isa.alloc at 0 double_buffer : memref<2x100x64xi12, #isa.memory<"key">>
// CHECK: spatten.config entries 1 heads 3 queries 100 keys 100 head_dim 64 scale 1.250000e-01 causal false words true msb 8 lsb 4 value_bits 8 threshold 1.000000e-01 force_lsb false allow_lsb false values 50 q_range 4.000000e+00 k_range 4.000000e+00 v_range 4.000000e+00
// CHECK: isa.loop %{{.*}} to 3 {
// CHECK:   spatten.bind_head
// CHECK:   spatten.load_k
// CHECK:   spatten.load_v
// CHECK:   isa.loop %{{.*}} to 100 {
// CHECK:     spatten.load_q
// CHECK:     spatten.query
// CHECK:     spatten.store_out
// CHECK: spatten.sync

// DENSE-LABEL: isa.kernel @attention_0
// DENSE: words false {{.*}} values 100

// The ranking of the first core is part of its kernel, and starts from zeros; the second core works on floor(100 * 0.7) tokens.
// PRUNE-LABEL: isa.kernel @attention_1
// PRUNE: spatten.config entries 1 heads 3 queries 70 keys 70
// PRUNE-LABEL: isa.kernel @attention_0
// PRUNE: spatten.reset_scores
// PRUNE-NOT: spatten.load_scores
// PRUNE: spatten.query {{.*}} token_scores
// PRUNE: spatten.topk_token %{{.*}} to %{{.*}} k 70 protect_first 1 protect_last 0
// PRUNE-LABEL: func.func @main
// PRUNE: %[[L:.*]]:3 = isa.launch @attention_0
// PRUNE: sattn.gather %[[L]]#0
// PRUNE: isa.launch @attention_1
// PRUNE: sattn.scatter
func.func @main(%q: tensor<1x3x100x64xf32>) -> tensor<1x3x100x64xf32> {
  %o = sattn.attention %q, %q, %q {scale = 0.125 : f32, policy = #sattn.dense, sattn.name = "attention_0"}
    : tensor<1x3x100x64xf32>, tensor<1x3x100x64xf32>, tensor<1x3x100x64xf32> -> tensor<1x3x100x64xf32>
  %p = sattn.attention %o, %o, %o {scale = 0.125 : f32, policy = #sattn.dense, sattn.name = "attention_1"}
    : tensor<1x3x100x64xf32>, tensor<1x3x100x64xf32>, tensor<1x3x100x64xf32> -> tensor<1x3x100x64xf32>
  return %p : tensor<1x3x100x64xf32>
}

// -----

// One query: keys and values stream, low bits are fetched where they are needed.
// CHECK-LABEL: isa.kernel @attention_0
// CHECK-NOT: spatten.load_k
// CHECK: isa.alloc at 0 : memref<1x1x100xf32, #isa.memory<"bias">>
// CHECK: allow_lsb true
// The heads share the row of the mask, so that it comes once.
// CHECK: spatten.load_bias
// CHECK: isa.loop %{{.*}} to 3 {
// CHECK-NOT: spatten.load_bias
// CHECK: spatten.query_stream {{.*}} bias
func.func @one_query(%q: tensor<1x3x1x64xf32>, %k: tensor<1x3x100x64xf32>, %m: tensor<1x1x1x100xf32>) -> tensor<1x3x1x64xf32> {
  %o = sattn.attention %q, %k, %k mask %m {scale = 0.125 : f32, policy = #sattn.dense, sattn.name = "attention_0"}
    : tensor<1x3x1x64xf32>, tensor<1x3x100x64xf32>, tensor<1x3x100x64xf32>, tensor<1x1x1x100xf32> -> tensor<1x3x1x64xf32>
  return %o : tensor<1x3x1x64xf32>
}

// -----

// A token list picks the rows that are fetched: gathers of keys and values need no host.
// CHECK-LABEL: isa.kernel @listed
// CHECK: spatten.set_tokens %{{.*}} to %{{.*}} : memref<1x20xi64, {{.*}}> to memref<1x20xi16,
// CHECK: spatten.query_stream {{.*}} tokens
func.func @token_list(%q: tensor<1x3x1x64xf32>, %k: tensor<1x3x100x64xf32>, %i: tensor<1x20xi64>) -> tensor<1x3x1x64xf32> {
  %kept = sattn.gather %k, %i {dim = 2 : i64, sattn.target = "spatten", sattn.kernel = "listed"} : tensor<1x3x100x64xf32>, tensor<1x20xi64> -> tensor<1x3x20x64xf32>
  %o = sattn.attention %q, %kept, %kept {scale = 0.125 : f32, policy = #sattn.dense, sattn.name = "attention_0", sattn.kernel = "listed"}
    : tensor<1x3x1x64xf32>, tensor<1x3x20x64xf32>, tensor<1x3x20x64xf32> -> tensor<1x3x1x64xf32>
  return %o : tensor<1x3x1x64xf32>
}

// -----

// A row of the mask per query: as many wait as the buffer holds, 8 KB / 100 / 4 B.
// CHECK-LABEL: isa.kernel @attention_0
// CHECK: isa.alloc at 0 : memref<20x1x100xf32, #isa.memory<"bias">>
// CHECK: isa.loop %{{.*}} to 3 {
// CHECK: isa.loop %[[QUERY:.*]] to 100 {
// CHECK: %[[ROW:.*]] = isa.view %{{.*}}(%[[QUERY]])] : memref<20x1x100xf32
// CHECK: spatten.load_bias %{{.*}} to %[[ROW]]
func.func @row_per_query(%q: tensor<1x3x100x64xf32>, %m: tensor<1x1x100x100xf32>) -> tensor<1x3x100x64xf32> {
  %o = sattn.attention %q, %q, %q mask %m {scale = 0.125 : f32, policy = #sattn.dense, sattn.name = "attention_0"}
    : tensor<1x3x100x64xf32>, tensor<1x3x100x64xf32>, tensor<1x3x100x64xf32>, tensor<1x1x100x100xf32> -> tensor<1x3x100x64xf32>
  return %o : tensor<1x3x100x64xf32>
}

// -----

// A row per head, and one per entry: of both the next ones wait while the first is at work.
// CHECK-LABEL: isa.kernel @per_head
// CHECK: isa.alloc at 0 : memref<3x1x100xf32, #isa.memory<"bias">>
// CHECK: isa.loop %{{.*}} to 3 {
// CHECK: spatten.load_bias
// CHECK: isa.loop %{{.*}} to 100 {
// CHECK-LABEL: isa.kernel @per_entry
// CHECK: isa.alloc at {{.*}} : memref<2x1x100xf32, #isa.memory<"bias">>
// CHECK: isa.loop %{{.*}} to 2 {
// CHECK: spatten.load_bias
// CHECK: isa.loop %{{.*}} to 3 {
// CHECK-NOT: spatten.load_bias
func.func @rows_of_keys(%q: tensor<2x3x100x64xf32>, %h: tensor<1x3x1x100xf32>, %e: tensor<2x1x1x100xf32>) -> tensor<2x3x100x64xf32> {
  %o = sattn.attention %q, %q, %q mask %h {scale = 0.125 : f32, policy = #sattn.dense, sattn.kernel = "per_head"}
    : tensor<2x3x100x64xf32>, tensor<2x3x100x64xf32>, tensor<2x3x100x64xf32>, tensor<1x3x1x100xf32> -> tensor<2x3x100x64xf32>
  %p = sattn.attention %o, %o, %o mask %e {scale = 0.125 : f32, policy = #sattn.dense, sattn.kernel = "per_entry"}
    : tensor<2x3x100x64xf32>, tensor<2x3x100x64xf32>, tensor<2x3x100x64xf32>, tensor<2x1x1x100xf32> -> tensor<2x3x100x64xf32>
  return %p : tensor<2x3x100x64xf32>
}
