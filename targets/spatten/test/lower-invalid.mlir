// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: not sparsam-opt %s --sparsam-compile="target=spatten" 2>&1 | FileCheck %s --check-prefix=CALIBRATION
// RUN: not sparsam-opt %s --sparsam-compile="target=spatten settings=tx=1,ty=1,tz=1,key_buffer=16KB" 2>&1 | FileCheck %s --check-prefix=CONTEXT
// RUN: not sparsam-opt %s --sparsam-compile="target=spatten settings=tx=1,ty=1,tz=1,msb_bits=7" 2>&1 | FileCheck %s --check-prefix=BITS
// RUN: not sparsam-opt %s --sparsam-compile="target=spatten settings=tx=1,ty=1,tz=1,token_prune=1.5" 2>&1 | FileCheck %s --check-prefix=RATIO
// RUN: not sparsam-opt %s --sparsam-compile="target=spatten settings=tx=1,ty=1,tz=1,token_prune=0.99,prune_slope=0,protect=both" 2>&1 | FileCheck %s --check-prefix=PROTECT
// RUN: not sparsam-opt %s --sparsam-compile="target=spatten settings=tx=1,ty=1,tz=1,token_prune=0.3,importance_buffer=64" 2>&1 | FileCheck %s --check-prefix=SCORES
// RUN: not sparsam-opt %s --sparsam-compile="target=spatten settings=tx=1,ty=1,tz=1,schedule=gpt2_small,max_context=1" 2>&1 | FileCheck %s --check-prefix=SCHEDULE
// RUN: not sparsam-opt %s --sparsam-compile="target=spatten settings=tx=1,ty=1,tz=1,multipliers=32" 2>&1 | FileCheck %s --check-prefix=TREE
// RUN: not sparsam-opt %s --sattn-sparsify --sattn-partition --lower-to-spatten 2>&1 | FileCheck %s --check-prefix=MACHINE
// RUN: not sparsam-opt %s --spatten-prune 2>&1 | FileCheck %s --check-prefix=PRUNE

// CALIBRATION: has a selection policy without a value for `q_range`; calibrate on sample inputs, or give it in the target's settings
// CONTEXT: cannot run on SpAtten: needs room for 100 tokens of 64 dimensions; its SRAM holds two heads of 85 (parameter 'key_buffer' = 16384 B); prune tokens in earlier layers, or raise the parameter
// BITS: cannot run on SpAtten: 7 + 4 bits; its DRAM layout has 4, 6, 8, 10 or 12 bits first, and 4 or none later
// SCORES: cannot run on SpAtten: needs 400 bytes for scores; the score memory has 64 (parameter 'importance_buffer')
// RATIO: token_prune
// RATIO-SAME: 0.99
// PROTECT: cannot be part of a cascade (parameters `token_prune` = 0.99, `head_prune` = 0, `prune_slope` = 0, `token_front` = 0.15, `head_front` = 0.3, `protect` = both): keeps 1 of 100 tokens, but 2 are protected
// SCHEDULE: cannot be part of a cascade (parameters `schedule` = gpt2_small, `max_context` = 1, `protect` = auto): keeps 0 of 100 tokens; at least one must survive
// TREE: cannot run on SpAtten: heads of 64 dimensions; the adder tree splits in halves and has 32 inputs (parameter 'multipliers'): a power of two up to 32 fits
// MACHINE: isa-set-target
// PRUNE: spatten-prune needs a target: the module has no `isa.arch`; run isa-set-target
func.func @main(%q: tensor<1x1x100x64xf32>) -> tensor<1x1x100x64xf32> {
  %o = sattn.attention %q, %q, %q {scale = 0.125 : f32, policy = #sattn.dense, sattn.name = "attention_0"}
    : tensor<1x1x100x64xf32>, tensor<1x1x100x64xf32>, tensor<1x1x100x64xf32> -> tensor<1x1x100x64xf32>
  %p = sattn.attention %o, %o, %o {scale = 0.125 : f32, policy = #sattn.dense, sattn.name = "attention_1"}
    : tensor<1x1x100x64xf32>, tensor<1x1x100x64xf32>, tensor<1x1x100x64xf32> -> tensor<1x1x100x64xf32>
  return %p : tensor<1x1x100x64xf32>
}
