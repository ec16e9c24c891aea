// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s -verify-diagnostics --isa-set-target="target=sanger" --isa-allocate-buffers

isa.kernel @k(%x: memref<4xf32, #isa.memory<"dram">>) attributes {target = "sanger"} {
  // expected-error @+1 {{reserves in memory 'attic', which 'sanger' does not have}}
  %b = isa.alloc : memref<1x64x64xf32, #isa.memory<"attic">>
  isa.return
}
