// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A function on tensors from files.
// RUN: rm -rf %t && mkdir %t && cd %t
// RUN: %python -c "import numpy as np; np.save('q.npy', np.array([[[[1, 2], [3, 4]]]], np.float32)); np.save('m.npy', np.array([[[[True, False], [True, True]]]])); np.save('wide.npy', np.zeros((1, 1, 2, 2))); np.save('turned.npy', np.asfortranarray(np.load('q.npy'))); open('short.npy', 'wb').write(open('q.npy', 'rb').read()[:-4])"
// RUN: sparsam-opt %s "--sattn-interpret=inputs=q.npy,m.npy" -o /dev/null | FileCheck %s
// RUN: sparsam-opt %s "--sattn-interpret=inputs=q.npy function=twice" -o /dev/null | FileCheck %s --check-prefix=TWICE
// RUN: not sparsam-opt %s "--sattn-interpret=inputs=q.npy" 2>&1 | FileCheck %s --check-prefix=FEWER
// RUN: not sparsam-opt %s "--sattn-interpret=inputs=q.npy,m.npy,m.npy" 2>&1 | FileCheck %s --check-prefix=MORE
// RUN: not sparsam-opt %s "--sattn-interpret=inputs=m.npy,m.npy" 2>&1 | FileCheck %s --check-prefix=BOOLEAN
// RUN: not sparsam-opt %s "--sattn-interpret=inputs=wide.npy,m.npy" 2>&1 | FileCheck %s --check-prefix=WIDE
// RUN: not sparsam-opt %s "--sattn-interpret=inputs=turned.npy,m.npy" 2>&1 | FileCheck %s --check-prefix=TURNED
// RUN: not sparsam-opt %s "--sattn-interpret=inputs=short.npy,m.npy" 2>&1 | FileCheck %s --check-prefix=SHORT
// RUN: not sparsam-opt %s "--sattn-interpret=inputs=no.npy,m.npy" 2>&1 | FileCheck %s --check-prefix=MISSING
// RUN: not sparsam-opt %s "--sattn-interpret=inputs=%s,m.npy" 2>&1 | FileCheck %s --check-prefix=NO-NPY
// RUN: not sparsam-opt %s "--sattn-interpret=inputs=q.npy function=nowhere" 2>&1 | FileCheck %s --check-prefix=NOWHERE

// CHECK: softmax: tensor<1x1x2x2xf32>
// CHECK-NEXT: 1.0000 0.0000
// CHECK-NEXT: 0.2689 0.7311
// CHECK-NEXT: result 0: tensor<1x1x2x2xf32>
// CHECK-NEXT: 1.0000 0.0000
// CHECK-NEXT: 0.2689 0.7311
// TWICE: result 0: tensor<1x1x2x2xf32>
// TWICE-NEXT: 1.0000 2.0000
// TWICE-NEXT: 3.0000 4.0000
// TWICE-NEXT: result 1: tensor<1x1x2x2xf32>
// FEWER: error: @main cannot be interpreted: it has 2 arguments, but there are 1 inputs
// MORE: error: @main cannot be interpreted: it has 2 arguments, but there are 3 inputs
// BOOLEAN: error: m.npy holds '|b1' of shape (1, 1, 2, 2), but 'tensor<1x1x2x2xf32>' needs '<f4' of shape (1, 1, 2, 2)
// WIDE: error: wide.npy holds '<f8' of shape (1, 1, 2, 2), but 'tensor<1x1x2x2xf32>' needs '<f4' of shape (1, 1, 2, 2)
// TURNED: error: turned.npy holds '<f4' of shape (1, 1, 2, 2) in Fortran order, but
// SHORT: error: short.npy has 12 bytes of data, but its shape needs 16
// MISSING: error: cannot read no.npy: No such file or directory
// NO-NPY: interpret-inputs.mlir is no .npy file
// NOWHERE: error: sattn-interpret found no function @nowhere to run on inputs

func.func @main(%scores: tensor<1x1x2x2xf32>, %selection: tensor<1x1x2x2xi1>) -> tensor<1x1x2x2xf32> {
  // exp(3 - 4) / (1 + exp(3 - 4)) = 0.2689
  %p = sattn.softmax %scores over %selection : tensor<1x1x2x2xf32>, tensor<1x1x2x2xi1> -> tensor<1x1x2x2xf32>
  check.print %p "softmax" : tensor<1x1x2x2xf32>
  return %p : tensor<1x1x2x2xf32>
}

func.func @twice(%x: tensor<1x1x2x2xf32>) -> (tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>) {
  return %x, %x : tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>
}
