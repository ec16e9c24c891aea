// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: not sparsam-opt %s --sattn-split-windows=columns=4 2>&1 | FileCheck %s --check-prefix=DILATED
// RUN: not sparsam-opt %s --sattn-split-windows 2>&1 | FileCheck %s --check-prefix=COLUMNS

// DILATED: has a window of dilation 2; run sattn-reorder-dilated first
// COLUMNS: sattn-split-windows needs the columns of the array: give the option `columns`, or a target with a parameter `pe_cols`
isa.kernel @dilated(%q: tensor<1x1x8x4xf32>, %k: tensor<1x1x8x4xf32>, %v: tensor<1x1x8x4xf32>) -> tensor<1x1x8x4xf32> attributes {target = "machine"} {
  %o = sattn.attention %q, %k, %v {scale = 1.0 : f32, policy = #sattn.pattern<windows = [(-2, 3, 2)], globals = []>}
      : tensor<1x1x8x4xf32>, tensor<1x1x8x4xf32>, tensor<1x1x8x4xf32> -> tensor<1x1x8x4xf32>
  isa.return %o : tensor<1x1x8x4xf32>
}
