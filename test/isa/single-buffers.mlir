// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s --isa-set-target="target=sanger settings=value_buffer=8KB" --isa-allocate-buffers | FileCheck %s

// The second slot goes, and every view addresses the first.
// CHECK: isa.alloc at 0 : memref<1x64x64xi16, #isa.memory<"value">>
// CHECK: isa.view %{{.*}}[#[[M:.*]](%{{.*}})] : memref<1x64x64xi16
isa.kernel @k(%x: memref<64x64xf32, #isa.memory<"dram">>) attributes {target = "sanger"} {
  %a = isa.alloc double_buffer : memref<2x64x64xi16, #isa.memory<"value">>
  isa.loop %i to 4 {
    %t = isa.view %a[affine_map<(i) -> (i mod 2, 0, 0)>(%i)] : memref<2x64x64xi16, #isa.memory<"value">> to memref<64x64xi16, #isa.memory<"value">>
  }
  isa.return
}
