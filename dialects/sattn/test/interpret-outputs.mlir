// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Results in files, as numpy.load reads them, and what models hold: constants of onnx, token numbers.
// RUN: rm -rf %t && mkdir %t && cd %t
// RUN: %python -c "import numpy as np; np.save('s.npy', np.array([[[[1, 2], [3, 4]]]], np.float32)); np.save('t.npy', np.array([7, -1], np.int32))"
// RUN: sparsam-opt %s "--sattn-interpret=inputs=s.npy,t.npy outputs=p.npy,m.npy,i.npy,w.npy,n.npy" -o /dev/null | count 0
// RUN: %python -c "import numpy as np; [print(f, (a := np.load(f + '.npy')).dtype, a.shape, a.ravel()) for f in 'pmiwn']" | FileCheck %s
// RUN: sparsam-opt %s "--sattn-interpret=function=made outputs=made.npy" -o /dev/null
// RUN: %python -c "import numpy as np; print(np.load('made.npy'))" | FileCheck %s --check-prefix=MADE
// RUN: not sparsam-opt %s "--sattn-interpret=inputs=s.npy,t.npy outputs=p.npy" 2>&1 | FileCheck %s --check-prefix=FEWER
// RUN: not sparsam-opt %s "--sattn-interpret=function=made outputs=nowhere/x.npy" 2>&1 | FileCheck %s --check-prefix=NOWHERE
// RUN: not sparsam-opt %s "--sattn-interpret=function=packed outputs=x.npy" 2>&1 | FileCheck %s --check-prefix=PACKED
// RUN: not sparsam-opt %s "--sattn-interpret=function=model outputs=x.npy" 2>&1 | FileCheck %s --check-prefix=MODEL

// 1 / (1 + e) = 0.26894143, in full.
// CHECK: p float32 (1, 1, 2, 2) [1. 0. 0.26894143 0.7310586
// CHECK: m bool (1, 1, 2, 2) [ True False True True]
// CHECK: i int32 (2,) [ 7 -1]
// CHECK: w int64 (3,) [ 1 16 -1]
// CHECK: n int8 () [-3]
// MADE: [0.5 1.5]
// FEWER: error: @main cannot be interpreted: it has 5 results, but there are 1 outputs
// NOWHERE: error: cannot write nowhere/x.npy: No such file or directory
// PACKED: error: cannot write x.npy: there are no files of '!sattn.packed<
// MODEL: error: 'onnx.Relu' op has no reference semantics: the interpreter runs ops of sattn and check, and constants

func.func @main(%scores: tensor<1x1x2x2xf32>, %tokens: tensor<2xi32>)
    -> (tensor<1x1x2x2xf32>, tensor<1x1x2x2xi1>, tensor<2xi32>, tensor<3xi64>, tensor<i8>) {
  %m = onnx.Constant dense<[[[[true, false], [true, true]]]]> : tensor<1x1x2x2xi1>
  %p = sattn.softmax %scores over %m : tensor<1x1x2x2xf32>, tensor<1x1x2x2xi1> -> tensor<1x1x2x2xf32>
  %w = onnx.Constant dense<[1, 16, -1]> : tensor<3xi64>
  %n = arith.constant dense<-3> : tensor<i8>
  return %p, %m, %tokens, %w, %n : tensor<1x1x2x2xf32>, tensor<1x1x2x2xi1>, tensor<2xi32>, tensor<3xi64>, tensor<i8>
}

func.func @made() -> tensor<2xf32> {
  %c = onnx.Constant dense<[0.5, 1.5]> : tensor<2xf32>
  return %c : tensor<2xf32>
}

func.func @packed() -> !sattn.packed<1x1x2x4, stripe = 4, pes = 2, rows = 4, encoder = subrow> {
  %a = sattn.packed_constant dense<[[0, 0, 0, 0, 0, -1]]> : tensor<1x6xi32> : !sattn.packed<1x1x2x4, stripe = 4, pes = 2, rows = 4, encoder = subrow>
  return %a : !sattn.packed<1x1x2x4, stripe = 4, pes = 2, rows = 4, encoder = subrow>
}

func.func @model() -> tensor<2xf32> {
  %c = onnx.Constant dense<[0.5, 1.5]> : tensor<2xf32>
  %r = onnx.Relu %c : (tensor<2xf32>) -> tensor<2xf32>
  return %r : tensor<2xf32>
}
