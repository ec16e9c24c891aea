// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s --sparsam-compile="target=sanger settings=tx=1,ty=1" --isa-assemble="output=%t.spx" | FileCheck %s
// RUN: sparsam disassemble %t.spx | FileCheck %s --check-prefix=PROGRAM
// RUN: not sparsam-opt %s --isa-assemble 2>&1 | FileCheck %s --check-prefix=OUTPUT

// The module stays as it is.
// CHECK: isa.kernel @attention_0
// CHECK: isa.launch @attention_0
// PROGRAM: attention_0
// PROGRAM: config
// PROGRAM: loop
// OUTPUT: isa-assemble needs to know the program file to write: output=FILE
func.func @main(%q: tensor<1x2x8x4xf32>, %k: tensor<1x2x8x4xf32>, %v: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %o = sattn.attention %q, %k, %v {scale = 0.5 : f32, policy = #sattn.dense, sattn.name = "attention_0"}
    : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32> -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}
