// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s -split-input-file -verify-diagnostics -allow-unregistered-dialect

func.func @main(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  // expected-error @+1 {{launches @nothing, which is not an isa.kernel}}
  %y = isa.launch @nothing(%x) : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

isa.kernel @k(%x: tensor<2x4xf32>) -> tensor<2x4xf32> attributes {target = "some"} {
  isa.return %x : tensor<2x4xf32>
}
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{does not match the kernel's type}}
  %y = isa.launch @k(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

isa.kernel @k(%x: memref<2x4xf32, #isa.memory<"dram">>) attributes {target = "some"} {
  isa.return
}
func.func @main(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  // expected-error @+1 {{binds 2 tensors, the kernel takes 1}}
  %y = isa.launch @k(%x) : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

isa.kernel @k(%x: memref<2x4xf32, #isa.memory<"dram">>, %y: memref<2x5xf32, #isa.memory<"dram">>) attributes {target = "some"} {
  isa.return
}
func.func @main(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  // expected-error @+1 {{binds 'tensor<2x4xf32>' to operand 1 of type 'memref<2x5xf32, #isa.memory<"dram">>'}}
  %y = isa.launch @k(%x) : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

// expected-error @+1 {{in machine form takes memrefs in #isa.memory<"dram">}}
isa.kernel @k(%x: memref<2x4xf32, #isa.memory<"key">>) attributes {target = "some"} {
  isa.return
}

// -----

isa.kernel @k(%x: tensor<2x4xf32>) -> tensor<2x4xf32> attributes {target = "some"} {
  // expected-error @+1 {{returns (), but the kernel returns ('tensor<2x4xf32>')}}
  isa.return
}

// -----

isa.kernel @k(%x: memref<2x4xf32, #isa.memory<"dram">>) attributes {target = "some"} {
  // expected-error @+1 {{reserves in an on-chip memory}}
  %b = isa.alloc : memref<2x64x64xi16, #isa.memory<"dram">>
  isa.return
}

// -----

isa.kernel @k(%x: memref<2x4xf32, #isa.memory<"dram">>) attributes {target = "some"} {
  // expected-error @+1 {{needs a static shape of slots and at least two more dimensions}}
  %b = isa.alloc : memref<64x64xi16, #isa.memory<"key">>
  isa.return
}

// -----

isa.kernel @k(%x: memref<2x4xf32, #isa.memory<"dram">>) attributes {target = "some"} {
  // expected-error @+1 {{is a double buffer with 1 slots}}
  %b = isa.alloc double_buffer : memref<1x64x64xi16, #isa.memory<"key">>
  isa.return
}

// -----

isa.kernel @k(%x: memref<2x4xf32, #isa.memory<"dram">>) attributes {target = "some"} {
  isa.loop %h to 4 {
    // expected-error @+1 {{an address generator adds multiples of loop counters, each taken modulo a constant or not}}
    %t = isa.view %x[affine_map<(h) -> (h floordiv 2, 0)>(%h)] : memref<2x4xf32, #isa.memory<"dram">> to memref<1x4xf32, #isa.memory<"dram">>
  }
  isa.return
}

// -----

isa.kernel @k(%x: memref<2x4xf32, #isa.memory<"dram">>) attributes {target = "some"} {
  %n = isa.index affine_map<() -> (3)>()
  isa.loop %h to counter %n {
    // expected-error @+1 {{uses the counter of a loop without constant trip count outside of a modulus}}
    %t = isa.view %x[affine_map<(h) -> (h, 0)>(%h)] : memref<2x4xf32, #isa.memory<"dram">> to memref<1x4xf32, #isa.memory<"dram">>
  }
  isa.return
}

// -----

isa.kernel @k(%x: memref<2x4xf32, #isa.memory<"dram">>) attributes {target = "some"} {
  // expected-error @+1 {{has 1 start positions for a source of rank 2}}
  %t = isa.view %x[affine_map<() -> (0)>()] : memref<2x4xf32, #isa.memory<"dram">> to memref<1x4xf32, #isa.memory<"dram">>
  isa.return
}

// -----

isa.kernel @k(%x: memref<2x4xf32, #isa.memory<"dram">>) attributes {target = "some"} {
  // expected-error @+1 {{has tiles of 8 columns in a source of 4}}
  %t = isa.view %x[affine_map<() -> (0, 0)>()] : memref<2x4xf32, #isa.memory<"dram">> to memref<1x8xf32, #isa.memory<"dram">>
  isa.return
}

// -----

isa.kernel @k(%x: memref<2x4xf32, #isa.memory<"dram">>) attributes {target = "some"} {
  // expected-error @+1 {{needs a map with one result}}
  %t = isa.index affine_map<() -> (0, 0)>()
  isa.return
}

// -----

isa.kernel @k(%x: memref<2x4xf32, #isa.memory<"dram">>) attributes {target = "some"} {
  isa.loop %a to 2 { isa.loop %b to 2 { isa.loop %c to 2 { isa.loop %d to 2 {
  isa.loop %e to 2 { isa.loop %f to 2 { isa.loop %g to 2 { isa.loop %h to 2 {
    // expected-error @+1 {{is nested 9 deep; the command processor has 8 loop counters}}
    isa.loop %i to 2 {
    }
  } } } } } } } }
  isa.return
}

// -----

// expected-error @+1 {{in machine form returns nothing, results are memrefs in dram}}
isa.kernel @k(%x: memref<2x4xf32, #isa.memory<"dram">>) -> tensor<2x4xf32> attributes {target = "some"} {
  %y = "test.make"() : () -> tensor<2x4xf32>
  isa.return %y : tensor<2x4xf32>
}

// -----

isa.kernel @k(%x: memref<2x4xf32, #isa.memory<"dram">>) attributes {target = "some"} {
  // expected-error @+1 {{expects one memory and one element type}}
  %t = isa.view %x[affine_map<() -> (0, 0)>()] : memref<2x4xf32, #isa.memory<"dram">> to memref<1x4xi16, #isa.memory<"dram">>
  isa.return
}

// -----

isa.kernel @k(%x: memref<2x4xf32, #isa.memory<"dram">>) attributes {target = "some"} {
  // expected-error @+1 {{makes a tile of two static dimensions from a source of at least two}}
  %t = isa.view %x[affine_map<() -> (0, 0)>()] : memref<2x4xf32, #isa.memory<"dram">> to memref<4xf32, #isa.memory<"dram">>
  isa.return
}

// -----

isa.kernel @k(%x: memref<2x4xf32, #isa.memory<"dram">>) attributes {target = "some"} {
  %n = isa.index affine_map<() -> (3)>()
  // expected-error @+1 {{addresses may only depend on counters of isa.loop}}
  %m = isa.index affine_map<(a) -> (a)>(%n)
  isa.return
}

// -----

isa.kernel @k(%x: memref<2x4xf32, #isa.memory<"dram">>) attributes {target = "some"} {
  isa.loop %h to 4 {
    // expected-error @+1 {{has a map of 2 dimensions and 0 symbols for 1 loop counters}}
    %m = isa.index affine_map<(a, b) -> (a)>(%h)
  }
  isa.return
}

// -----

// expected-error @+1 {{needs a body}}
isa.kernel @k(tensor<2x4xf32>) -> tensor<2x4xf32> attributes {target = "some"}

// -----

// expected-error @+1 {{the isa dialect has no types}}
func.func private @f(!isa.tile)

// -----

isa.kernel @k(%x: memref<2x4xf32, #isa.memory<"dram">>) attributes {target = "some"} {
  // expected-error @+1 {{needs either a constant trip count or a counter}}
  "isa.loop"() ({
  ^bb0(%i: index):
    isa.end
  }) : () -> ()
  isa.return
}

// -----

isa.kernel @k(%x: memref<2x4xf32, #isa.memory<"dram">>) attributes {target = "some"} {
  %n = isa.index affine_map<() -> (3)>()
  // expected-error @+1 {{needs either a constant trip count or a counter}}
  "isa.loop"(%n) <{count = 4 : i64}> ({
  ^bb0(%i: index):
    isa.end
  }) : (index) -> ()
  isa.return
}

// -----

isa.kernel @k(%x: memref<2x4xf32, #isa.memory<"dram">>) attributes {target = "some"} {
  // expected-error @+1 {{needs one block argument of type index, the loop counter}}
  "isa.loop"() <{count = 4 : i64}> ({
  ^bb0:
    isa.end
  }) : () -> ()
  isa.return
}

// -----

isa.kernel @k(%x: memref<2x4xf32, #isa.memory<"dram">>) attributes {target = "some"} {
  // expected-error @+1 {{needs one block argument of type index, the loop counter}}
  "isa.loop"() <{count = 4 : i64}> ({
  ^bb0(%i: i64):
    isa.end
  }) : () -> ()
  isa.return
}

// -----

func.func @f(%x: memref<2x4xf32>) {
  // expected-error @+1 {{needs a source with an #isa.memory space, got 'memref<2x4xf32>'}}
  %t = isa.view %x[affine_map<() -> (0, 0)>()] : memref<2x4xf32> to memref<1x4xf32>
  return
}

// -----

func.func @f(%x: memref<2x4xf32, strided<[8, 1]>, #isa.memory<"dram">>) {
  // expected-error @+1 {{expects memrefs without layout map}}
  %t = isa.view %x[affine_map<() -> (0, 0)>()] : memref<2x4xf32, strided<[8, 1]>, #isa.memory<"dram">> to memref<1x4xf32, #isa.memory<"dram">>
  return
}

// -----

func.func @f(%x: memref<2x4xf32, #isa.memory<"dram">>) {
  // expected-error @+1 {{expects memrefs without layout map}}
  %t = isa.view %x[affine_map<() -> (0, 0)>()] : memref<2x4xf32, #isa.memory<"dram">> to memref<1x4xf32, strided<[8, 1]>, #isa.memory<"dram">>
  return
}

// -----

isa.kernel @k(%x: memref<2x4xf32, #isa.memory<"dram">>) attributes {target = "some"} {
  // expected-error @+1 {{needs a static shape of slots and at least two more dimensions}}
  %b = isa.alloc : memref<1x4x4xi16, strided<[32, 8, 1]>, #isa.memory<"key">>
  isa.return
}

// -----

isa.kernel @k(%x: memref<2x4xf32, #isa.memory<"dram">>) attributes {target = "some"} {
  // expected-error @+1 {{has a map of 0 dimensions and 1 symbols for 0 loop counters}}
  %n = isa.index affine_map<()[s] -> (s)>()
  isa.return
}
