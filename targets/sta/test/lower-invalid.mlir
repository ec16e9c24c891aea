// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Machines that cannot be, and weights that do not fit one.
// RUN: split-file %s %t
// RUN: not sparsam-opt %t/core.mlir --sparsam-compile="target=sta settings=n=9" 2>&1 | FileCheck %s --check-prefix=KEPT
// KEPT: n = 9 must lie from 1 to m = 8 (parameters `n` and `m`)
// RUN: not sparsam-opt %t/core.mlir --sparsam-compile="target=sta settings=m=5" 2>&1 | FileCheck %s --check-prefix=GROUP
// GROUP: m = 5 must be 2, 4, 8 or 16 (parameter `m`)
// RUN: not sparsam-opt %t/core.mlir --sparsam-compile="target=sta settings=weight_bits=12" 2>&1 | FileCheck %s --check-prefix=BITS
// BITS: words of 12 bits; the weight memory has 8 or 16 (parameter `weight_bits`)
// RUN: not sparsam-opt %t/core.mlir --sparsam-compile="target=sta settings=engines=8" 2>&1 | FileCheck %s --check-prefix=ENGINES
// ENGINES: 8 engines that take 2 elements per cycle each; the input memory delivers m = 8 (parameters `engines`, `n` and `m`)
// RUN: not sparsam-opt %t/core.mlir --sparsam-compile="target=sta settings=activation_memory=4KB" 2>&1 | FileCheck %s --check-prefix=MEMORY
// MEMORY: kernel 'attention_0' needs {{[0-9]+}} bytes of memory 'activation', which has 4096 (parameter 'activation_memory'); raise it

//--- core.mlir
func.func @main(%q: tensor<1x1x64x64xf32>) -> tensor<1x1x64x64xf32> {
  %o = sattn.attention %q, %q, %q {scale = 0.125 : f32, policy = #sattn.dense, sattn.name = "attention_0"}
    : tensor<1x1x64x64xf32>, tensor<1x1x64x64xf32>, tensor<1x1x64x64xf32> -> tensor<1x1x64x64xf32>
  return %o : tensor<1x1x64x64xf32>
}
