// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s -split-input-file -verify-diagnostics -allow-unregistered-dialect --isa-set-target="target=sanger" --isa-assemble="output=%t.spx"

isa.kernel @k(%x: memref<4xf32, #isa.memory<"dram">>, %y: memref<4xf32, #isa.memory<"dram">>) attributes {target = "sanger"} {
  isa.return
}
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = isa.launch @k(%x) : (tensor<4xf32>) -> tensor<4xf32>
  // expected-error @+1 {{launches @k again; every launch needs a kernel of its own}}
  %z = isa.launch @k(%y) : (tensor<4xf32>) -> tensor<4xf32>
  return %z : tensor<4xf32>
}

// -----

isa.kernel @k(%x: memref<4xf32, #isa.memory<"dram">>, %y: memref<4xf32, #isa.memory<"dram">>) attributes {target = "sanger"} {
  // expected-error @+1 {{reserves in a memory that 'sanger' does not have}}
  %b = isa.alloc at 0 : memref<1x64x64xf32, #isa.memory<"attic">>
  isa.return
}
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = isa.launch @k(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

isa.kernel @k(%x: memref<4xf32, #isa.memory<"dram">>, %y: memref<4xf32, #isa.memory<"dram">>) attributes {target = "sanger"} {
  // expected-error @+1 {{has no offset; run isa-allocate-buffers}}
  %b = isa.alloc : memref<1x64x64xf32, #isa.memory<"output">>
  isa.return
}
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = isa.launch @k(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

isa.kernel @k(%x: memref<4xf32, #isa.memory<"dram">>, %y: memref<4xf32, #isa.memory<"dram">>) attributes {target = "sanger"} {
  // expected-error @+1 {{has no binary form; the kernel is not in machine form}}
  "test.multiply"() : () -> ()
  isa.return
}
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = isa.launch @k(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

isa.kernel @k(%x: memref<4xf32, #isa.memory<"dram">>, %y: memref<4xf32, #isa.memory<"dram">>) attributes {target = "sanger"} {
  %n0 = isa.index affine_map<() -> (0)>()
  %n1 = isa.index affine_map<() -> (1)>()
  %n2 = isa.index affine_map<() -> (2)>()
  %n3 = isa.index affine_map<() -> (3)>()
  %n4 = isa.index affine_map<() -> (4)>()
  %n5 = isa.index affine_map<() -> (5)>()
  %n6 = isa.index affine_map<() -> (6)>()
  %n7 = isa.index affine_map<() -> (7)>()
  %n8 = isa.index affine_map<() -> (8)>()
  %n9 = isa.index affine_map<() -> (9)>()
  %n10 = isa.index affine_map<() -> (10)>()
  %n11 = isa.index affine_map<() -> (11)>()
  %n12 = isa.index affine_map<() -> (12)>()
  %n13 = isa.index affine_map<() -> (13)>()
  %n14 = isa.index affine_map<() -> (14)>()
  %n15 = isa.index affine_map<() -> (15)>()
  // expected-error @+1 {{kernel 'k' needs more than the 16 counter registers of the command processor}}
  %n16 = isa.index affine_map<() -> (16)>()
  isa.loop %i0 to counter %n0 {
  }
  isa.loop %i1 to counter %n1 {
  }
  isa.loop %i2 to counter %n2 {
  }
  isa.loop %i3 to counter %n3 {
  }
  isa.loop %i4 to counter %n4 {
  }
  isa.loop %i5 to counter %n5 {
  }
  isa.loop %i6 to counter %n6 {
  }
  isa.loop %i7 to counter %n7 {
  }
  isa.loop %i8 to counter %n8 {
  }
  isa.loop %i9 to counter %n9 {
  }
  isa.loop %i10 to counter %n10 {
  }
  isa.loop %i11 to counter %n11 {
  }
  isa.loop %i12 to counter %n12 {
  }
  isa.loop %i13 to counter %n13 {
  }
  isa.loop %i14 to counter %n14 {
  }
  isa.loop %i15 to counter %n15 {
  }
  isa.loop %i16 to counter %n16 {
  }
  isa.return
}
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = isa.launch @k(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

isa.kernel @k(%x: memref<4xf32, #isa.memory<"dram">>, %y: memref<4xf32, #isa.memory<"dram">>) attributes {target = "sanger"} {
  %b = isa.alloc at 0 : memref<1x64x64xf32, #isa.memory<"output">>
  %t = isa.view %b[affine_map<() -> (0, 0, 0)>()] : memref<1x64x64xf32, #isa.memory<"output">> to memref<64x64xf32, #isa.memory<"output">>
  // expected-error @+1 {{needs an isa.alloc or an argument of the kernel as source}}
  %u = isa.view %t[affine_map<() -> (0, 0)>()] : memref<64x64xf32, #isa.memory<"output">> to memref<64x64xf32, #isa.memory<"output">>
  sanger.clear_output %u : memref<64x64xf32, #isa.memory<"output">>
  isa.return
}
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = isa.launch @k(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

isa.kernel @k(%x: memref<4xf32, #isa.memory<"dram">>, %y: memref<4xf32, #isa.memory<"dram">>) attributes {target = "sanger"} {
  // expected-error @+1 {{expects an operand made by isa.view or isa.index in kernel 'k'}}
  %b = isa.alloc at 0 : memref<1x64x64xf32, #isa.memory<"output">>
  sanger.clear_output %b : memref<1x64x64xf32, #isa.memory<"output">>
  isa.return
}
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = isa.launch @k(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

isa.kernel @k(%x: memref<4xf32, #isa.memory<"dram">>, %y: memref<4xf32, #isa.memory<"dram">>) attributes {target = "sanger"} {
  %b = isa.alloc at 0 : memref<1x64x64xf32, #isa.memory<"output">>
  isa.loop %i to 4 {
    // expected-error @+1 {{uses a loop counter with and without a modulus, or with two; an address generator has one modulus for each counter}}
    %t = isa.view %b[affine_map<(i) -> (i mod 2, i, 0)>(%i)] : memref<1x64x64xf32, #isa.memory<"output">> to memref<64x64xf32, #isa.memory<"output">>
    sanger.clear_output %t : memref<64x64xf32, #isa.memory<"output">>
  }
  isa.return
}
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = isa.launch @k(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

isa.kernel @k(%x: memref<4xf32, #isa.memory<"dram">>, %y: memref<4xf32, #isa.memory<"dram">>) attributes {target = "sanger"} {
  %b = isa.alloc at 0 : memref<1x1x3000000000xf32, #isa.memory<"output">>
  // expected-error @+1 {{has rows or columns beyond 2147483647, the widest an address descriptor holds}}
  %t = isa.view %b[affine_map<() -> (0, 0, 0)>()] : memref<1x1x3000000000xf32, #isa.memory<"output">> to memref<1x3000000000xf32, #isa.memory<"output">>
  sanger.clear_output %t : memref<1x3000000000xf32, #isa.memory<"output">>
  isa.return
}
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = isa.launch @k(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}
