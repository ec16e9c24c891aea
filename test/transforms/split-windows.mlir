// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s --sattn-split-windows=columns=4 | FileCheck %s

// CHECK-LABEL: isa.kernel @wide
// CHECK: windows = [(-4, 4, 1), (0, 4, 1), (4, 2, 1), (7, 1, 1)], globals = [0]>
isa.kernel @wide(%q: tensor<1x1x12x4xf32>, %k: tensor<1x1x12x4xf32>, %v: tensor<1x1x12x4xf32>) -> tensor<1x1x12x4xf32> attributes {target = "machine"} {
  %o = sattn.attention %q, %k, %v {scale = 1.0 : f32, policy = #sattn.pattern<windows = [(-4, 10, 1), (7, 1, 1)], globals = [0]>}
      : tensor<1x1x12x4xf32>, tensor<1x1x12x4xf32>, tensor<1x1x12x4xf32> -> tensor<1x1x12x4xf32>
  isa.return %o : tensor<1x1x12x4xf32>
}

// CHECK-LABEL: isa.kernel @dense
// CHECK: windows = [(-3, 4, 1), (1, 3, 1)], globals = []>
isa.kernel @dense(%q: tensor<1x1x4x4xf32>, %k: tensor<1x1x4x4xf32>, %v: tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32> attributes {target = "machine"} {
  %o = sattn.attention %q, %k, %v {scale = 1.0 : f32, policy = #sattn.dense}
      : tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32> -> tensor<1x1x4x4xf32>
  isa.return %o : tensor<1x1x4x4xf32>
}

// 2 queries, 5 keys: distances -1 to 4; causal, query i sees keys up to i + 3.
// CHECK-LABEL: isa.kernel @cross
// CHECK: windows = [(-1, 4, 1), (3, 2, 1)], globals = []>
// CHECK: windows = [(-1, 4, 1), (3, 1, 1)], globals = []>
isa.kernel @cross(%q: tensor<1x1x2x4xf32>, %k: tensor<1x1x5x4xf32>) -> (tensor<1x1x2x4xf32>, tensor<1x1x2x4xf32>) attributes {target = "machine"} {
  %o = sattn.attention %q, %k, %k {scale = 1.0 : f32, policy = #sattn.dense}
      : tensor<1x1x2x4xf32>, tensor<1x1x5x4xf32>, tensor<1x1x5x4xf32> -> tensor<1x1x2x4xf32>
  %c = sattn.attention %q, %k, %k {causal, scale = 1.0 : f32, policy = #sattn.dense}
      : tensor<1x1x2x4xf32>, tensor<1x1x5x4xf32>, tensor<1x1x5x4xf32> -> tensor<1x1x2x4xf32>
  isa.return %o, %c : tensor<1x1x2x4xf32>, tensor<1x1x2x4xf32>
}

// CHECK-LABEL: isa.kernel @causal
// CHECK-NOT: causal
// CHECK: windows = [(-3, 4, 1)], globals = []>
isa.kernel @causal(%q: tensor<1x1x4x4xf32>, %k: tensor<1x1x4x4xf32>, %v: tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32> attributes {target = "machine"} {
  %o = sattn.attention %q, %k, %v {causal, scale = 1.0 : f32, policy = #sattn.dense}
      : tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32> -> tensor<1x1x4x4xf32>
  isa.return %o : tensor<1x1x4x4xf32>
}
