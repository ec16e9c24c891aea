// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: not sparsam-opt %s --sparsam-compile="target=sanger" 2>&1 | FileCheck %s --check-prefix=CALIBRATION
// RUN: not sparsam-opt %s --sparsam-compile="target=sanger settings=tx=1,ty=1,score_buffer=1KB" 2>&1 | FileCheck %s --check-prefix=MEMORY
// RUN: not sparsam-opt %s --sparsam-compile="target=sanger settings=tx=1,ty=1,score_buffer=1KB,query_buffer=1KB" 2>&1 | FileCheck %s --check-prefix=MEMORIES
// RUN: not sparsam-opt %s --sparsam-compile="target=sanger settings=tx=1,ty=1,bits=5" 2>&1 | FileCheck %s --check-prefix=BITS
// RUN: not sparsam-opt %s --sparsam-compile="target=nothing" 2>&1 | FileCheck %s --check-prefix=TARGET
// RUN: not sparsam-opt %s --sparsam-compile="target=sanger settings=pess=1" 2>&1 | FileCheck %s --check-prefix=SETTING
// RUN: not sparsam-opt %s --sattn-sparsify --lower-to-sanger --isa-allocate-buffers -sattn-partition 2>&1 | FileCheck %s --check-prefix=MACHINE
// RUN: sparsam-opt %s --isa-set-target="target=sanger" | sed 's/empty_row = "dense"/empty_row = "never"/' | not sparsam-opt --sattn-sparsify 2>&1 | FileCheck %s --check-prefix=ROW

// CALIBRATION: has a selection policy without a value for `q_range`; calibrate on sample inputs, or give it in the target's settings
// MEMORY: kernel 'attention_0' needs 16384 bytes of memory 'score', which has 1024 (parameter 'score_buffer'); raise it (--set score_buffer=16384)
// MEMORY: buffer of {{.*}}memref<1x64x64xf32, #isa.memory<"score">>{{.*}}: 16384 bytes
// MEMORIES: kernel 'attention_0' needs 8192 bytes of memory 'query', which has 1024 (parameter 'query_buffer'), 16384 bytes of memory 'score', which has 1024 (parameter 'score_buffer'); raise them (--set query_buffer=8192 --set score_buffer=16384)
// MEMORIES: buffer of {{.*}}#isa.memory<"query">>{{.*}}: 8192 bytes
// MEMORIES: buffer of {{.*}}#isa.memory<"score">>{{.*}}: 16384 bytes
// BITS: the low-bit array multiplies 2, 4, 6 or 8 bits, not 5
// TARGET: there is no target 'nothing'; there are: {{.*}}sanger
// SETTING: pess
// SETTING-SAME: pes
// MACHINE: isa-set-target
// ROW: there is no empty_row 'never'
func.func @main(%q: tensor<1x1x64x64xf32>) -> tensor<1x1x64x64xf32> {
  %o = sattn.attention %q, %q, %q {scale = 0.125 : f32, policy = #sattn.dense, sattn.name = "attention_0"}
    : tensor<1x1x64x64xf32>, tensor<1x1x64x64xf32>, tensor<1x1x64x64xf32> -> tensor<1x1x64x64xf32>
  return %o : tensor<1x1x64x64xf32>
}
