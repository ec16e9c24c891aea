// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s -onnx-infer-shapes | FileCheck %s

// Shape arithmetic of a dynamic Reshape folds once the input is static.
// CHECK-LABEL: @shape_arithmetic
// CHECK-SAME: -> tensor<2x16x4x8xf32>
func.func @shape_arithmetic(%x: tensor<2x16x32xf32>) -> tensor<*xf32> {
  // CHECK-NOT: onnx.Shape
  // CHECK-DAG: %[[S:.*]] = onnx.Constant dense<[2, 16, 4, 8]> : tensor<4xi64>
  // CHECK: onnx.Reshape %arg0, %[[S]] : (tensor<2x16x32xf32>, tensor<4xi64>) -> tensor<2x16x4x8xf32>
  %zero = onnx.Constant dense<0> : tensor<i64>
  %one = onnx.Constant dense<1> : tensor<i64>
  %axes = onnx.Constant dense<0> : tensor<1xi64>
  %rest = onnx.Constant dense<[4, 8]> : tensor<2xi64>
  %s = onnx.Shape %x : (tensor<2x16x32xf32>) -> tensor<*xi64>
  %b = onnx.Gather %s, %zero : (tensor<*xi64>, tensor<i64>) -> tensor<*xi64>
  %n = onnx.Gather %s, %one : (tensor<*xi64>, tensor<i64>) -> tensor<*xi64>
  %b1 = onnx.Unsqueeze %b, %axes : (tensor<*xi64>, tensor<1xi64>) -> tensor<*xi64>
  %n1 = onnx.Unsqueeze %n, %axes : (tensor<*xi64>, tensor<1xi64>) -> tensor<*xi64>
  %shape = onnx.Concat %b1, %n1, %rest {axis = 0 : i64} : (tensor<*xi64>, tensor<*xi64>, tensor<2xi64>) -> tensor<*xi64>
  %y = onnx.Reshape %x, %shape : (tensor<2x16x32xf32>, tensor<*xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// CHECK-LABEL: @constants
func.func @constants() -> (tensor<*xf32>, tensor<*xf32>, tensor<*xi64>, tensor<*xi64>, tensor<*xf32>) {
  // CHECK-DAG: onnx.Constant dense<{{\[\[}}1.000000e+00, 3.000000e+00], [2.000000e+00, 4.000000e+00]]> : tensor<2x2xf32>
  // CHECK-DAG: onnx.Constant dense<4.000000e+00> : tensor<f32>
  // CHECK-DAG: onnx.Constant dense<[5, 3, 1]> : tensor<3xi64>
  // CHECK-DAG: onnx.Constant dense<[2, 5, 8]> : tensor<3xi64>
  // CHECK-DAG: onnx.Constant dense<{{\[\[}}1.000000e+00, 0.000000e+00], [3.000000e+00, 4.000000e+00]]> : tensor<2x2xf32>
  %m = onnx.Constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %t = onnx.Transpose %m {perm = array<i64: 1, 0>} : (tensor<2x2xf32>) -> tensor<*xf32>
  %sixteen = onnx.Constant dense<16.0> : tensor<f32>
  %half = onnx.Constant dense<0.5> : tensor<f32>
  %p = onnx.Pow %sixteen, %half : (tensor<f32>, tensor<f32>) -> tensor<*xf32>
  %v = onnx.Constant dense<[1, 2, 3, 4, 5]> : tensor<5xi64>
  %start = onnx.Constant dense<-1> : tensor<1xi64>
  %end = onnx.Constant dense<-9223372036854775807> : tensor<1xi64>
  %axis = onnx.Constant dense<0> : tensor<1xi64>
  %step = onnx.Constant dense<-2> : tensor<1xi64>
  %s = onnx.Slice %v, %start, %end, %axis, %step : (tensor<5xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<*xi64>
  %two = onnx.Constant dense<2> : tensor<i64>
  %ten = onnx.Constant dense<10> : tensor<i64>
  %three = onnx.Constant dense<3> : tensor<i64>
  %r = onnx.Range %two, %ten, %three : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<*xi64>
  %none = onnx.None : none
  %l = onnx.Trilu %m, %none {upper = 0 : i64} : (tensor<2x2xf32>, none) -> tensor<*xf32>
  return %t, %p, %s, %r, %l : tensor<*xf32>, tensor<*xf32>, tensor<*xi64>, tensor<*xi64>, tensor<*xf32>
}

// CHECK-LABEL: @split
// CHECK: onnx.Split {{.*}} -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x2xf32>)
func.func @split(%x: tensor<2x8xf32>) -> tensor<*xf32> {
  %none = onnx.None : none
  %y:3 = onnx.Split %x, %none {axis = -1 : i64} : (tensor<2x8xf32>, none) -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>)
  return %y#2 : tensor<*xf32>
}
