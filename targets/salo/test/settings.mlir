// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What parameters and masks make of attention without a pattern.
// RUN: sparsam-opt %s --isa-set-target="target=salo settings=window=8,dilation=2,global_tokens=2" --sattn-sparsify | FileCheck %s --check-prefix=SET
// RUN: sparsam-opt %s --isa-set-target="target=salo settings=window=1000" --sattn-sparsify | FileCheck %s --check-prefix=CLIPPED
// RUN: sparsam-opt %s --isa-set-target="target=salo" --sattn-sparsify | FileCheck %s --check-prefix=NONE
// RUN: sparsam-opt %s --sparsam-compile="target=salo attention=dense settings=window=8" | FileCheck %s --check-prefix=DENSE
// RUN: sparsam-opt %s --sparsam-compile="target=salo settings=dilation=2,global_tokens=1" -o /dev/null 2>&1 | FileCheck %s --check-prefix=EVERY
// RUN: sparsam-opt %s --sparsam-compile="target=salo settings=window=8,base=two" | FileCheck %s --check-prefix=TWO

// SET: policy = #sattn.pattern<windows = [(-8, 8, 2)], globals = [0, 1]>
// CLIPPED: policy = #sattn.pattern<windows = [(-63, 127, 1)], globals = []>
// NONE: policy = #sattn.dense

// Every key: 127 distances, the last pass with 31 columns.
// DENSE: isa.loop %{{.*}} to 2 {
// DENSE: salo.tile_attn {{.*}} cols 32
// DENSE: salo.tile_attn {{.*}} cols 31

// TWO: salo.config queries 64 keys 64 segments 1 head_dim 64 heads 1 q_factor 1.000000e+00
// EVERY: warning: looks at every key, whatever `dilation`, `global_tokens` say: `window` is not set
func.func @main(%q: tensor<1x1x64x64xf32>) -> tensor<1x1x64x64xf32> {
  %o = sattn.attention %q, %q, %q {scale = 0.125 : f32, policy = #sattn.dense, sattn.name = "attention_0"}
    : tensor<1x1x64x64xf32>, tensor<1x1x64x64xf32>, tensor<1x1x64x64xf32> -> tensor<1x1x64x64xf32>
  return %o : tensor<1x1x64x64xf32>
}
