// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s -verify-diagnostics | sparsam-opt | FileCheck %s

// CHECK: module attributes {isa.arch = #isa.arch<"some", {pes = 16 : i64}>}
module attributes {isa.arch = #isa.arch<"some", {pes = 16 : i64}>} {
  // CHECK: isa.kernel @tensors(%{{.*}}: tensor<2x4xf32>) -> tensor<2x4xf32> attributes {target = "some"}
  isa.kernel @tensors(%x: tensor<2x4xf32>) -> tensor<2x4xf32> attributes {target = "some"} {
    isa.return %x : tensor<2x4xf32>
  }
  // CHECK: isa.kernel @machine
  isa.kernel @machine(%x: memref<2x4xf32, #isa.memory<"dram">>, %y: memref<2x4xf32, #isa.memory<"dram">>) attributes {target = "some"} {
    // CHECK: isa.alloc double_buffer : memref<2x64x64xi16, #isa.memory<"value">>
    %b = isa.alloc double_buffer : memref<2x64x64xi16, #isa.memory<"value">>
    // CHECK: isa.alloc at 128 : memref<1x64x64xi16, #isa.memory<"value">>
    %c = isa.alloc at 128 : memref<1x64x64xi16, #isa.memory<"value">>
    // CHECK: isa.loop %[[H:.*]] to 12 {
    isa.loop %h to 12 {
      // CHECK: isa.view %{{.*}}[#{{.*}}(%[[H]])] : memref<2x64x64xi16, #isa.memory<"value">> to memref<16x64xi16, #isa.memory<"value">>
      %t = isa.view %b[affine_map<(h) -> (h mod 2, 8, 0)>(%h)] : memref<2x64x64xi16, #isa.memory<"value">> to memref<16x64xi16, #isa.memory<"value">>
      // CHECK: %[[N:.*]] = isa.index #{{.*}}(%[[H]])
      %n = isa.index affine_map<(h) -> (h + 1)>(%h)
      // CHECK: isa.loop %{{.*}} to counter %[[N]] {
      isa.loop %i to counter %n {
      }
    }
    isa.return
  }
  // CHECK: isa.launch @machine(%{{.*}}) : (tensor<2x4xf32>) -> tensor<2x4xf32>
  func.func @main(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
    %y = isa.launch @machine(%x) : (tensor<2x4xf32>) -> tensor<2x4xf32>
    return %y : tensor<2x4xf32>
  }
}
