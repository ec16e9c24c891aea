// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What Q, K and V are multiplied by, and what the user hears of it.
// RUN: sparsam-opt %s --sparsam-compile="target=salo" 2>&1 | FileCheck %s --check-prefix=PLAIN
// RUN: sparsam-opt %s --sparsam-compile="target=salo settings=q_range=8.0,k_range=2.0,v_range=4.0,score_range=10.0" 2>&1 | FileCheck %s --check-prefix=BALANCED
// RUN: sparsam-opt %s --sparsam-compile="target=salo settings=q_range=8.0,k_range=2.0,v_range=4.0,score_range=10.0,balance=false" 2>&1 | FileCheck %s --check-prefix=NOT-BALANCED
// RUN: sparsam-opt %s --sparsam-compile="target=salo settings=score_range=24.0,base=two" 2>&1 | FileCheck %s --check-prefix=FIT
// RUN: sparsam-opt %s --sparsam-compile="target=salo settings=score_range=24.0,base=two,score_limit=20.0" 2>&1 | FileCheck %s --check-prefix=LIMIT
// RUN: sparsam-opt %s --sparsam-compile="target=salo settings=q_range=32.0,k_range=16.0,base=two" 2>&1 | FileCheck %s --check-prefix=WORDS

// PLAIN-NOT: warning
// PLAIN: q_factor 1.44269502 k_factor 1.000000e+00 v_factor 1.000000e+00

// 8 x 1.4427 / k_factor and 2 x k_factor meet at sqrt(8 x 2 x 1.4427) = 4.8045; 4 x 3.984375 = 15.9375.
// BALANCED-NOT: warning
// BALANCED: q_factor 0.600561{{[0-9]*}} k_factor 2.402244{{.*}} v_factor 3.984375

// NOT-BALANCED: q_factor 1.44269502 k_factor 1.000000e+00 v_factor 1.000000e+00

// FIT: warning: scores reach 24 (to base 2, parameter `score_range` x 1); the 5-bit exponents of SALO hold less than 16, so Q is scaled by 0.667 to reach 16 (parameter `score_limit`), which makes the attention flatter
// FIT: q_factor 0.666666{{.*}} k_factor 1.000000e+00

// LIMIT: warning: {{.*}} hold less than 16, so Q is scaled by 0.833 to reach 20 (parameter `score_limit`)
// LIMIT: q_factor 0.833333{{.*}}

// WORDS: warning: queries and keys reach 22.6 (parameters `q_range` and `k_range`), but SALO's 9-bit words end at 15.9: they saturate
// WORDS: q_factor 0.707106{{.*}} k_factor 1.414213{{.*}}
func.func @main(%q: tensor<1x1x64x64xf32>) -> tensor<1x1x64x64xf32> {
  %o = sattn.attention %q, %q, %q {scale = 0.125 : f32, policy = #sattn.dense, sattn.name = "attention_0"}
    : tensor<1x1x64x64xf32>, tensor<1x1x64x64xf32>, tensor<1x1x64x64xf32> -> tensor<1x1x64x64xf32>
  return %o : tensor<1x1x64x64xf32>
}
