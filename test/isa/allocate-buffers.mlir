// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s --isa-set-target="target=sanger settings=value_buffer=24KB" --isa-allocate-buffers | FileCheck %s
// RUN: not sparsam-opt %s --isa-set-target="target=sanger settings=value_buffer=8KB" --isa-allocate-buffers 2>&1 | FileCheck %s --check-prefix=FULL
// RUN: not sparsam-opt %s --isa-allocate-buffers 2>&1 | FileCheck %s --check-prefix=ARCH

// FULL: kernel 'k' needs 16384 bytes of memory 'value', which has 8192 (parameter 'value_buffer'); raise it (--set value_buffer=16384)
// ARCH: needs a machine: the module has no `isa.arch`; run isa-set-target first

// Two buffers of 16 KB and 8 KB in 24 KB: the double buffer keeps both slots only if all fits; memories are apart.
// CHECK-LABEL: isa.kernel @k
isa.kernel @k(%x: memref<64x64xf32, #isa.memory<"dram">>) attributes {target = "sanger"} {
  // CHECK: isa.alloc at 0 double_buffer : memref<2x64x64xi16, #isa.memory<"value">>
  // CHECK: isa.alloc at 8192 : memref<1x64x64xi16, #isa.memory<"value">>
  // CHECK: isa.alloc at 0 : memref<1x64x64xi16, #isa.memory<"key">>
  %a = isa.alloc double_buffer : memref<2x64x64xi16, #isa.memory<"value">>
  %b = isa.alloc : memref<1x64x64xi16, #isa.memory<"value">>
  %c = isa.alloc : memref<1x64x64xi16, #isa.memory<"key">>
  isa.loop %i to 4 {
    %t = isa.view %a[affine_map<(i) -> (i mod 2, 0, 0)>(%i)] : memref<2x64x64xi16, #isa.memory<"value">> to memref<64x64xi16, #isa.memory<"value">>
  }
  isa.return
}
