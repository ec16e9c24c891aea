// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: not sparsam-opt %s --sparsam-compile="target=template settings=input_buffer=1KB" 2>&1 | FileCheck %s --check-prefix=MEMORY
// RUN: not sparsam-opt %s --sattn-sparsify --sattn-partition --lower-to-template 2>&1 | FileCheck %s --check-prefix=MACHINE

// MEMORY: kernel 'attention_0' needs 49152 bytes of memory 'input', which has 1024 (parameter 'input_buffer'); raise it (--set input_buffer=49152)
// MACHINE: isa-set-target
func.func @main(%q: tensor<1x1x64x64xf32>) -> tensor<1x1x64x64xf32> {
  %o = sattn.attention %q, %q, %q {scale = 0.125 : f32, policy = #sattn.dense, sattn.name = "attention_0"}
    : tensor<1x1x64x64xf32>, tensor<1x1x64x64xf32>, tensor<1x1x64x64xf32> -> tensor<1x1x64x64xf32>
  return %o : tensor<1x1x64x64xf32>
}
