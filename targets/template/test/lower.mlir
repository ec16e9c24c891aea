// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s -split-input-file --sparsam-compile="target=template" | FileCheck %s
// RUN: sparsam-opt %s -split-input-file --sparsam-compile="target=template settings=input_buffer=48KB" | FileCheck %s --check-prefix=SMALL

// 100 queries are two tiles; keys and values stream past each.
// CHECK-LABEL: isa.kernel @attention_0
// CHECK-COUNT-3: isa.alloc {{.*}} double_buffer : memref<2x64x64xf32, #isa.memory<"input">>
// CHECK: isa.alloc at 0 double_buffer : memref<2x64x66xf32, #isa.memory<"output">>
// CHECK: isa.loop %{{.*}} to 3 {
// CHECK:   isa.loop %{{.*}} to 2 {
// CHECK:     template.load
// CHECK:     isa.loop %{{.*}} to 2 {
// CHECK-COUNT-2: template.load
// CHECK:       template.attend {{.*}} queries 100 keys 100 scale 1.250000e-01 causal true
// CHECK:     template.store
// CHECK-LABEL: func.func @main
// CHECK: isa.launch @attention_0

// One slot each is enough, and all that fits.
// SMALL-LABEL: isa.kernel @attention_0
// SMALL-COUNT-3: isa.alloc at {{[0-9]+}} : memref<1x64x64xf32, #isa.memory<"input">>
func.func @main(%q: tensor<1x3x100x64xf32>) -> tensor<1x3x100x64xf32> {
  %o = sattn.attention %q, %q, %q {scale = 0.125 : f32, policy = #sattn.dense, sattn.name = "attention_0", causal}
    : tensor<1x3x100x64xf32>, tensor<1x3x100x64xf32>, tensor<1x3x100x64xf32> -> tensor<1x3x100x64xf32>
  return %o : tensor<1x3x100x64xf32>
}

// -----

// A padding mask per batch entry: whole rows of it are loaded, a tile of it is added.
// CHECK-LABEL: isa.kernel @attention_0
// CHECK: isa.alloc {{.*}} memref<2x1x128xf32, #isa.memory<"input">>
// CHECK: template.load {{.*}} memref<1x70xf32, #isa.memory<"dram">> to memref<1x70xf32, #isa.memory<"input">>
// CHECK: template.attend {{.*}} bias
func.func @main(%q: tensor<2x4x70x16xf32>, %m: tensor<2x1x1x70xf32>) -> tensor<2x4x70x16xf32> {
  %o = sattn.attention %q, %q, %q mask %m {scale = 0.25 : f32, policy = #sattn.dense, sattn.name = "attention_0"}
    : tensor<2x4x70x16xf32>, tensor<2x4x70x16xf32>, tensor<2x4x70x16xf32>, tensor<2x1x1x70xf32> -> tensor<2x4x70x16xf32>
  return %o : tensor<2x4x70x16xf32>
}
