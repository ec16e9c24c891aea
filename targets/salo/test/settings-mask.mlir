// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Masks of the model are followed, whatever is set of patterns.
// RUN: sparsam-opt %s --isa-set-target="target=salo settings=window=8,global_tokens=1" --sattn-find-pattern --salo-check-settings -o /dev/null 2>&1 | FileCheck %s --check-prefix=SET
// RUN: sparsam-opt %s --isa-set-target="target=salo settings=pe_cols=16" --sattn-find-pattern --salo-check-settings 2>&1 | FileCheck %s --implicit-check-not=warning:

// CHECK: @main
// SET: warning: follows the mask of the model, whatever `window`, `global_tokens` say (1 more alike)
func.func @main(%q: tensor<1x1x64x64xf32>) -> tensor<1x1x64x64xf32> {
  %o = sattn.attention %q, %q, %q {causal, scale = 0.125 : f32, policy = #sattn.dense}
    : tensor<1x1x64x64xf32>, tensor<1x1x64x64xf32>, tensor<1x1x64x64xf32> -> tensor<1x1x64x64xf32>
  %p = sattn.attention %o, %o, %o {causal, scale = 0.125 : f32, policy = #sattn.dense}
    : tensor<1x1x64x64xf32>, tensor<1x1x64x64xf32>, tensor<1x1x64x64xf32> -> tensor<1x1x64x64xf32>
  return %p : tensor<1x1x64x64xf32>
}
