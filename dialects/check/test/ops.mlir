// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s | sparsam-opt | FileCheck %s
// RUN: sparsam-opt %s --mlir-print-op-generic | sparsam-opt | FileCheck %s
// RUN: sparsam-opt %s --emit-bytecode | sparsam-opt | FileCheck %s

// Expectations survive dead-code elimination.
// RUN: sparsam-opt %s --canonicalize --cse | FileCheck %s

// CHECK-LABEL: @checks
// CHECK: check.expect_close %{{.*}}, %{{.*}} max_abs 1.000000e-05 : tensor<4x2xf32>
// CHECK: check.expect_equal %{{.*}}, %{{.*}} : tensor<4xi1>
// CHECK: check.print %{{.*}} "mask" : tensor<4xi1>
func.func @checks(%a: tensor<4x2xf32>, %m: tensor<4xi1>) {
  check.expect_close %a, %a max_abs 1.0e-5 : tensor<4x2xf32>
  check.expect_equal %m, %m : tensor<4xi1>
  check.print %m "mask" : tensor<4xi1>
  return
}
