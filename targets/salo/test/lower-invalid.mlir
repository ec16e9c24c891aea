// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: split-file %s %t
// RUN: not sparsam-opt %t/core.mlir --sparsam-compile="target=salo settings=version=2" 2>&1 | FileCheck %s --check-prefix=VERSION
// VERSION: cannot run on SALO: version 2 has no programs (parameter `version`): `sparsam simulate --set version=2` picks its patterns (--scores) and computes its cycles (--seq-len, --window, --heads, --dim); set version=1 to compile
// RUN: not sparsam-opt %t/core.mlir --sparsam-compile="target=salo settings=merge_dims=32" 2>&1 | FileCheck %s --check-prefix=DIMS
// DIMS: cannot run on SALO: heads of 48 dimensions; its merge buffers hold 32 (parameter `merge_dims`)
// RUN: not sparsam-opt %t/core.mlir --sparsam-compile="target=salo settings=scale=shift" 2>&1 | FileCheck %s --check-prefix=SCALE
// SCALE: cannot run on SALO: a scale of 1.443376e-01 (48 dimensions), which no shift by 3 bits gives (parameter `scale_shift`); set scale=fold to fold the rest into Q
// RUN: not sparsam-opt %t/core.mlir --sparsam-compile="target=salo settings=globals=0" 2>&1 | FileCheck %s --check-prefix=GLOBALS
// GLOBALS: cannot run on SALO: 1 global tokens; it has no global PEs (parameter `globals`)
// RUN: not sparsam-opt %t/core.mlir --sparsam-compile="target=salo settings=key_buffer=4KB" 2>&1 | FileCheck %s --check-prefix=KEYS
// KEYS: kernel 'attention_0' needs {{[0-9]+}} bytes of memory 'key', which has 4096 (parameter 'key_buffer'); raise it
// RUN: not sparsam-opt %t/core.mlir --isa-set-target="target=salo" --sattn-sparsify --sattn-partition --lower-to-salo 2>&1 | FileCheck %s --check-prefix=WIDE
// WIDE: cannot run on SALO: a window of 40 keys at distance 1; a pass takes 32 consecutive ones (parameter `pe_cols`); run sattn-reorder-dilated and sattn-split-windows first
// RUN: not sparsam-opt %t/mask.mlir --sparsam-compile="target=salo" 2>&1 | FileCheck %s --check-prefix=PATTERN
// PATTERN: has a mask that is no pattern of windows and global tokens: it depends on the input
// RUN: not sparsam-opt %t/mask.mlir --isa-set-target="target=salo" --sattn-sparsify --sattn-partition --sattn-split-windows --lower-to-salo 2>&1 | FileCheck %s --check-prefix=MASK
// MASK: cannot run on SALO: a mask of 'tensor<1x1x64x64xf32>' that depends on the input; it masks keys for all queries alike (1 x 64), everything else must be a constant pattern
// RUN: not sparsam-opt %t/value.mlir --sparsam-compile="target=salo" 2>&1 | FileCheck %s --check-prefix=VALUE
// VALUE: cannot run on SALO: values of 32 dimensions under queries of 64; its array holds one width for both

//--- core.mlir
func.func @main(%q: tensor<1x1x64x48xf32>) -> tensor<1x1x64x48xf32> {
  %o = sattn.attention %q, %q, %q {scale = 0.14433757 : f32, policy = #sattn.pattern<windows = [(-20, 40, 1)], globals = [0]>, sattn.name = "attention_0"}
    : tensor<1x1x64x48xf32>, tensor<1x1x64x48xf32>, tensor<1x1x64x48xf32> -> tensor<1x1x64x48xf32>
  return %o : tensor<1x1x64x48xf32>
}

//--- mask.mlir
func.func @main(%q: tensor<1x1x64x64xf32>, %m: tensor<1x1x64x64xf32>) -> tensor<1x1x64x64xf32> {
  %o = sattn.attention %q, %q, %q mask %m {scale = 0.125 : f32, policy = #sattn.dense, sattn.name = "attention_0"}
    : tensor<1x1x64x64xf32>, tensor<1x1x64x64xf32>, tensor<1x1x64x64xf32>, tensor<1x1x64x64xf32> -> tensor<1x1x64x64xf32>
  return %o : tensor<1x1x64x64xf32>
}

//--- value.mlir
func.func @main(%q: tensor<1x1x64x64xf32>, %v: tensor<1x1x64x32xf32>) -> tensor<1x1x64x32xf32> {
  %o = sattn.attention %q, %q, %v {scale = 0.125 : f32, policy = #sattn.dense, sattn.name = "attention_0"}
    : tensor<1x1x64x64xf32>, tensor<1x1x64x64xf32>, tensor<1x1x64x32xf32> -> tensor<1x1x64x32xf32>
  return %o : tensor<1x1x64x32xf32>
}
