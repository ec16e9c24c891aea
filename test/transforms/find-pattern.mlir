// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s --split-input-file --sattn-find-pattern --verify-diagnostics | FileCheck %s

// CHECK-LABEL: @window
// CHECK-NOT: arith.constant
// CHECK: sattn.attention %{{.*}}, %{{.*}}, %{{.*}} {policy = #sattn.pattern<windows = [(-1, 3, 1)], globals = []>, scale
func.func @window(%x: tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32> {
  %m = arith.constant dense<[[[[0.0, 0.0, -1.0e+4, -1.0e+4], [0.0, 0.0, 0.0, -1.0e+4],
                               [-1.0e+4, 0.0, 0.0, 0.0], [-1.0e+4, -1.0e+4, 0.0, 0.0]]]]> : tensor<1x1x4x4xf32>
  %o = sattn.attention %x, %x, %x mask %m {scale = 5.000000e-01 : f32, policy = #sattn.dense}
      : tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>, tensor<1x1x4x4xf32> -> tensor<1x2x4x4xf32>
  return %o : tensor<1x2x4x4xf32>
}

// -----

// The first token sees all and is seen by all; it makes no window of the corner that only it reaches.
// CHECK-LABEL: @global
// CHECK: policy = #sattn.pattern<windows = [(0, 2, 1)], globals = [0]>
func.func @global(%x: tensor<1x1x5x4xf32>) -> tensor<1x1x5x4xf32> {
  %c = onnx.Constant dense<[[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 0, 1, 1, 0], [1, 0, 0, 1, 1], [1, 0, 0, 0, 1]]> : tensor<5x5xi1>
  %zero = onnx.Constant dense<0.0> : tensor<f32>
  %hidden = onnx.Constant dense<-3.4e+38> : tensor<f32>
  %w = onnx.Where %c, %zero, %hidden : (tensor<5x5xi1>, tensor<f32>, tensor<f32>) -> tensor<5x5xf32>
  %s = onnx.Constant dense<[1, 1, 5, 5]> : tensor<4xi64>
  %m = onnx.Reshape %w, %s : (tensor<5x5xf32>, tensor<4xi64>) -> tensor<1x1x5x5xf32>
  %o = sattn.attention %x, %x, %x mask %m {scale = 5.000000e-01 : f32, policy = #sattn.dense}
      : tensor<1x1x5x4xf32>, tensor<1x1x5x4xf32>, tensor<1x1x5x4xf32>, tensor<1x1x5x5xf32> -> tensor<1x1x5x4xf32>
  return %o : tensor<1x1x5x4xf32>
}

// -----

// Distances -2, 0 and 2 from 8 tokens; the mask is a sum of two that hide the odd and the far ones.
// CHECK-LABEL: @dilated
// CHECK: policy = #sattn.pattern<windows = [(-2, 3, 2)], globals = []>
func.func @dilated(%x: tensor<1x1x6x4xf32>) -> tensor<1x1x6x4xf32> {
  %odd = arith.constant dense<[[[[0.0, -1.0e+9, 0.0, -1.0e+9, 0.0, -1.0e+9], [-1.0e+9, 0.0, -1.0e+9, 0.0, -1.0e+9, 0.0],
                                 [0.0, -1.0e+9, 0.0, -1.0e+9, 0.0, -1.0e+9], [-1.0e+9, 0.0, -1.0e+9, 0.0, -1.0e+9, 0.0],
                                 [0.0, -1.0e+9, 0.0, -1.0e+9, 0.0, -1.0e+9], [-1.0e+9, 0.0, -1.0e+9, 0.0, -1.0e+9, 0.0]]]]> : tensor<1x1x6x6xf32>
  %far = arith.constant dense<[[[[0.0, 0.0, 0.0, -1.0e+9, -1.0e+9, -1.0e+9], [0.0, 0.0, 0.0, 0.0, -1.0e+9, -1.0e+9],
                                 [0.0, 0.0, 0.0, 0.0, 0.0, -1.0e+9], [-1.0e+9, 0.0, 0.0, 0.0, 0.0, 0.0],
                                 [-1.0e+9, -1.0e+9, 0.0, 0.0, 0.0, 0.0], [-1.0e+9, -1.0e+9, -1.0e+9, 0.0, 0.0, 0.0]]]]> : tensor<1x1x6x6xf32>
  %m = onnx.Add %odd, %far : (tensor<1x1x6x6xf32>, tensor<1x1x6x6xf32>) -> tensor<1x1x6x6xf32>
  %o = sattn.attention %x, %x, %x mask %m {scale = 5.000000e-01 : f32, policy = #sattn.dense}
      : tensor<1x1x6x4xf32>, tensor<1x1x6x4xf32>, tensor<1x1x6x4xf32>, tensor<1x1x6x6xf32> -> tensor<1x1x6x4xf32>
  return %o : tensor<1x1x6x4xf32>
}

// -----

// Two offsets that are no neighbours are two windows.
// CHECK-LABEL: @apart
// CHECK: policy = #sattn.pattern<windows = [(-2, 1, 1), (0, 1, 1)], globals = []>
func.func @apart(%x: tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32> {
  %m = arith.constant dense<[[[[0.0, -1.0e+4, -1.0e+4, -1.0e+4], [-1.0e+4, 0.0, -1.0e+4, -1.0e+4],
                               [0.0, -1.0e+4, 0.0, -1.0e+4], [-1.0e+4, 0.0, -1.0e+4, 0.0]]]]> : tensor<1x1x4x4xf32>
  %o = sattn.attention %x, %x, %x mask %m {scale = 5.000000e-01 : f32, policy = #sattn.dense}
      : tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32> -> tensor<1x1x4x4xf32>
  return %o : tensor<1x1x4x4xf32>
}

// -----

// CHECK-LABEL: @causal
// CHECK-NOT: causal
// CHECK: policy = #sattn.pattern<windows = [(-3, 4, 1)], globals = []>
func.func @causal(%x: tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32> {
  %o = sattn.attention %x, %x, %x {causal, scale = 5.000000e-01 : f32, policy = #sattn.dense}
      : tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32> -> tensor<1x1x4x4xf32>
  return %o : tensor<1x1x4x4xf32>
}

// -----

// A mask that hides nothing is one window over every distance.
// CHECK-LABEL: @everything
// CHECK: policy = #sattn.pattern<windows = [(-3, 7, 1)], globals = []>
func.func @everything(%x: tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32> {
  %m = arith.constant dense<0.0> : tensor<1x1x1x4xf32>
  %o = sattn.attention %x, %x, %x mask %m {scale = 5.000000e-01 : f32, policy = #sattn.dense}
      : tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x1x4xf32> -> tensor<1x1x4x4xf32>
  return %o : tensor<1x1x4x4xf32>
}

// -----

// CHECK-LABEL: @input
// CHECK: sattn.attention %{{.*}}, %{{.*}}, %{{.*}} mask
func.func @input(%x: tensor<1x1x4x4xf32>, %m: tensor<1x1x1x4xf32>) -> tensor<1x1x4x4xf32> {
  // expected-remark @below {{has a mask that is no pattern of windows and global tokens: it depends on the input}}
  %o = sattn.attention %x, %x, %x mask %m {scale = 5.000000e-01 : f32, policy = #sattn.dense}
      : tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x1x4xf32> -> tensor<1x1x4x4xf32>
  return %o : tensor<1x1x4x4xf32>
}

// -----

func.func @padding(%x: tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32> {
  %m = arith.constant dense<[[[[0.0, 0.0, 0.0, -1.0e+4]]]]> : tensor<1x1x1x4xf32>
  // expected-remark @below {{key 3 is hidden from every query}}
  %o = sattn.attention %x, %x, %x mask %m {scale = 5.000000e-01 : f32, policy = #sattn.dense}
      : tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x1x4xf32> -> tensor<1x1x4x4xf32>
  return %o : tensor<1x1x4x4xf32>
}

// -----

func.func @bias(%x: tensor<1x1x2x4xf32>) -> tensor<1x1x2x4xf32> {
  %m = arith.constant dense<[[[[0.0, 1.5], [0.0, 0.0]]]]> : tensor<1x1x2x2xf32>
  // expected-remark @below {{it adds 1.500000; only 0, and -10000 or less, show and hide pairs}}
  %o = sattn.attention %x, %x, %x mask %m {scale = 5.000000e-01 : f32, policy = #sattn.dense}
      : tensor<1x1x2x4xf32>, tensor<1x1x2x4xf32>, tensor<1x1x2x4xf32>, tensor<1x1x2x2xf32> -> tensor<1x1x2x4xf32>
  return %o : tensor<1x1x2x4xf32>
}

// -----

// Heads 0 and 2 have one pattern, head 1 another; calibrations know both cores by the name of the one they were.
// CHECK-LABEL: @by_head
// CHECK-SAME: %[[X:.*]]: tensor<1x3x2x4xf32>
// CHECK: %[[FIRST:.*]] = arith.constant dense<[0, 2]>
// CHECK: %[[A:.*]] = onnx.Gather %[[X]], %[[FIRST]] {axis = 1 : i64}
// CHECK: %[[P:.*]] = sattn.attention %[[A]], %[[A]], %[[A]] {policy = #sattn.pattern<windows = [(-1, 2, 1)], globals = []>, sattn.core = "core", sattn.name = "core_0"
// CHECK: %[[SECOND:.*]] = arith.constant dense<1> : tensor<1xi64>
// CHECK: %[[B:.*]] = onnx.Gather %[[X]], %[[SECOND]] {axis = 1 : i64}
// CHECK: %[[Q:.*]] = sattn.attention %[[B]], %[[B]], %[[B]] {policy = #sattn.pattern<windows = [(-1, 3, 1)], globals = []>, sattn.core = "core", sattn.name = "core_1"
// CHECK: %[[J:.*]] = onnx.Concat %[[P]], %[[Q]] {axis = 1 : i64}
// CHECK: %[[PLACES:.*]] = arith.constant dense<[0, 2, 1]>
// CHECK: %[[O:.*]] = onnx.Gather %[[J]], %[[PLACES]] {axis = 1 : i64}
// CHECK: return %[[O]]
func.func @by_head(%x: tensor<1x3x2x4xf32>) -> tensor<1x3x2x4xf32> {
  %m = arith.constant dense<[[[[0.0, -1.0e+4], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]], [[0.0, -1.0e+4], [0.0, 0.0]]]]> : tensor<1x3x2x2xf32>
  %o = sattn.attention %x, %x, %x mask %m {scale = 5.000000e-01 : f32, policy = #sattn.dense, sattn.name = "core"}
      : tensor<1x3x2x4xf32>, tensor<1x3x2x4xf32>, tensor<1x3x2x4xf32>, tensor<1x3x2x2xf32> -> tensor<1x3x2x4xf32>
  return %o : tensor<1x3x2x4xf32>
}

// -----

func.func @by_head_hole(%x: tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32> {
  %m = arith.constant dense<[[[[0.0, -1.0e+4, -1.0e+4], [-1.0e+4, 0.0, -1.0e+4], [-1.0e+4, -1.0e+4, 0.0]],
                              [[0.0, -1.0e+4, -1.0e+4], [-1.0e+4, 0.0, -1.0e+4], [-1.0e+4, 0.0, 0.0]]]]> : tensor<1x2x3x3xf32>
  // expected-remark @below {{head 1: 1 pair does not fit: query 2 with key 1, which is visible}}
  %o = sattn.attention %x, %x, %x mask %m {scale = 5.000000e-01 : f32, policy = #sattn.dense}
      : tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x3xf32> -> tensor<1x2x3x4xf32>
  return %o : tensor<1x2x3x4xf32>
}

// -----

func.func @by_head_scores(%x: tensor<1x2x2x4xf32>, %t: tensor<1x2xf32>) -> (tensor<1x2x2x4xf32>, tensor<1x2xf32>) {
  %m = arith.constant dense<[[[[0.0, -1.0e+4], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]]]> : tensor<1x2x2x2xf32>
  // expected-remark @below {{it takes several cores or more tokens, and scores are accumulated}}
  %o, %u = sattn.attention %x, %x, %x mask %m token_scores %t {scale = 5.000000e-01 : f32, policy = #sattn.dense}
      : tensor<1x2x2x4xf32>, tensor<1x2x2x4xf32>, tensor<1x2x2x4xf32>, tensor<1x2x2x2xf32> token_scores tensor<1x2xf32> -> tensor<1x2x2x4xf32> token_scores tensor<1x2xf32>
  return %o, %u : tensor<1x2x2x4xf32>, tensor<1x2xf32>
}

// -----

func.func @by_entry(%x: tensor<2x1x2x4xf32>) -> tensor<2x1x2x4xf32> {
  %m = arith.constant dense<[[[[0.0, -1.0e+4], [0.0, 0.0]]], [[[0.0, 0.0], [0.0, 0.0]]]]> : tensor<2x1x2x2xf32>
  // expected-remark @below {{batch entries 0 and 1 have different masks}}
  %o = sattn.attention %x, %x, %x mask %m {scale = 5.000000e-01 : f32, policy = #sattn.dense}
      : tensor<2x1x2x4xf32>, tensor<2x1x2x4xf32>, tensor<2x1x2x4xf32>, tensor<2x1x2x2xf32> -> tensor<2x1x2x4xf32>
  return %o : tensor<2x1x2x4xf32>
}

// -----

func.func @nothing(%x: tensor<1x1x2x4xf32>) -> tensor<1x1x2x4xf32> {
  %m = arith.constant dense<-1.0e+4> : tensor<1x1x2x2xf32>
  // expected-remark @below {{it hides every pair}}
  %o = sattn.attention %x, %x, %x mask %m {scale = 5.000000e-01 : f32, policy = #sattn.dense}
      : tensor<1x1x2x4xf32>, tensor<1x1x2x4xf32>, tensor<1x1x2x4xf32>, tensor<1x1x2x2xf32> -> tensor<1x1x2x4xf32>
  return %o : tensor<1x1x2x4xf32>
}

// -----

func.func @cross(%x: tensor<1x1x2x4xf32>, %y: tensor<1x1x3x4xf32>) -> tensor<1x1x2x4xf32> {
  // expected-remark @below {{it has other numbers of queries than of keys}}
  %o = sattn.attention %x, %y, %y {causal, scale = 5.000000e-01 : f32, policy = #sattn.dense}
      : tensor<1x1x2x4xf32>, tensor<1x1x3x4xf32>, tensor<1x1x3x4xf32> -> tensor<1x1x2x4xf32>
  return %o : tensor<1x1x2x4xf32>
}

// -----

func.func @choice(%x: tensor<1x1x2x4xf32>) -> tensor<1x1x2x4xf32> {
  %c = onnx.Constant dense<[[[[1, 0], [1, 1]]]]> : tensor<1x1x2x2xi1>
  %a = onnx.Constant dense<1.0> : tensor<f32>
  %b = onnx.Constant dense<-1.0e+4> : tensor<f32>
  %m = onnx.Where %c, %a, %b : (tensor<1x1x2x2xi1>, tensor<f32>, tensor<f32>) -> tensor<1x1x2x2xf32>
  // expected-remark @below {{it chooses between other numbers than 0 and -10000 or less}}
  %o = sattn.attention %x, %x, %x mask %m {scale = 5.000000e-01 : f32, policy = #sattn.dense}
      : tensor<1x1x2x4xf32>, tensor<1x1x2x4xf32>, tensor<1x1x2x4xf32>, tensor<1x1x2x2xf32> -> tensor<1x1x2x4xf32>
  return %o : tensor<1x1x2x4xf32>
}

// -----

// A constant whose data are not here.
// CHECK-LABEL: @elements_elsewhere
func.func @elements_elsewhere(%x: tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32> {
  %m = arith.constant dense_resource<nowhere> : tensor<1x1x4x4xf32>
  // expected-remark @below {{has a mask that is no pattern of windows and global tokens: its elements cannot be read}}
  %o = sattn.attention %x, %x, %x mask %m {scale = 5.000000e-01 : f32, policy = #sattn.dense}
      : tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32> -> tensor<1x1x4x4xf32>
  return %o : tensor<1x1x4x4xf32>
}

// -----

// CHECK-LABEL: @condition_elsewhere
func.func @condition_elsewhere(%x: tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32> {
  %c = onnx.Constant dense_resource<nowhere> : tensor<1x1x4x4xi1>
  %zero = onnx.Constant dense<0.0> : tensor<f32>
  %low = onnx.Constant dense<-1.0e+09> : tensor<f32>
  %m = onnx.Where %c, %zero, %low : (tensor<1x1x4x4xi1>, tensor<f32>, tensor<f32>) -> tensor<1x1x4x4xf32>
  // expected-remark @below {{has a mask that is no pattern of windows and global tokens: its condition cannot be read}}
  %o = sattn.attention %x, %x, %x mask %m {scale = 5.000000e-01 : f32, policy = #sattn.dense}
      : tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32> -> tensor<1x1x4x4xf32>
  return %o : tensor<1x1x4x4xf32>
}

// -----

// One pair out of a window: the diagonal is a window's all the same.
func.func @hole(%x: tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32> {
  %m = arith.constant dense<[[[[0.0, -1.0e+4, -1.0e+4, -1.0e+4], [0.0, 0.0, -1.0e+4, -1.0e+4],
                               [-1.0e+4, 0.0, -1.0e+4, -1.0e+4], [-1.0e+4, -1.0e+4, 0.0, 0.0]]]]> : tensor<1x1x4x4xf32>
  // expected-remark @below {{1 pair does not fit: query 2 with key 2, which is hidden}}
  %o = sattn.attention %x, %x, %x mask %m {scale = 5.000000e-01 : f32, policy = #sattn.dense}
      : tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32> -> tensor<1x1x4x4xf32>
  return %o : tensor<1x1x4x4xf32>
}

// -----

// Two pairs beyond a window.
func.func @strays(%x: tensor<1x1x5x4xf32>) -> tensor<1x1x5x4xf32> {
  %m = arith.constant dense<[[[[0.0, -1.0e+4, -1.0e+4, 0.0, -1.0e+4], [-1.0e+4, 0.0, -1.0e+4, -1.0e+4, -1.0e+4],
                               [-1.0e+4, -1.0e+4, 0.0, -1.0e+4, -1.0e+4], [-1.0e+4, -1.0e+4, -1.0e+4, 0.0, -1.0e+4],
                               [-1.0e+4, -1.0e+4, 0.0, -1.0e+4, 0.0]]]]> : tensor<1x1x5x5xf32>
  // expected-remark @below {{2 pairs do not fit, the first is query 0 with key 3, which is visible}}
  %o = sattn.attention %x, %x, %x mask %m {scale = 5.000000e-01 : f32, policy = #sattn.dense}
      : tensor<1x1x5x4xf32>, tensor<1x1x5x4xf32>, tensor<1x1x5x4xf32>, tensor<1x1x5x5xf32> -> tensor<1x1x5x4xf32>
  return %o : tensor<1x1x5x4xf32>
}

// -----

func.func @blind(%x: tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32> {
  %m = arith.constant dense<[[[[0.0, -1.0e+4, -1.0e+4, -1.0e+4], [-1.0e+4, -1.0e+4, -1.0e+4, -1.0e+4],
                               [-1.0e+4, -1.0e+4, -1.0e+4, -1.0e+4], [-1.0e+4, -1.0e+4, -1.0e+4, 0.0]]]]> : tensor<1x1x4x4xf32>
  // expected-remark @below {{query 1 sees no key, as 1 more}}
  %o = sattn.attention %x, %x, %x mask %m {scale = 5.000000e-01 : f32, policy = #sattn.dense}
      : tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32> -> tensor<1x1x4x4xf32>
  return %o : tensor<1x1x4x4xf32>
}

// -----

func.func @seen_by_all(%x: tensor<1x1x5x4xf32>) -> tensor<1x1x5x4xf32> {
  %m = arith.constant dense<[[[[0.0, 0.0, -1.0e+4, -1.0e+4, -1.0e+4], [-1.0e+4, 0.0, -1.0e+4, -1.0e+4, -1.0e+4],
                               [-1.0e+4, 0.0, 0.0, -1.0e+4, -1.0e+4], [-1.0e+4, 0.0, -1.0e+4, 0.0, -1.0e+4],
                               [-1.0e+4, 0.0, -1.0e+4, -1.0e+4, 0.0]]]]> : tensor<1x1x5x5xf32>
  // expected-remark @below {{key 1 is visible to every query, but query 1 does not see every key; a global token does both}}
  %o = sattn.attention %x, %x, %x mask %m {scale = 5.000000e-01 : f32, policy = #sattn.dense}
      : tensor<1x1x5x4xf32>, tensor<1x1x5x4xf32>, tensor<1x1x5x4xf32>, tensor<1x1x5x5xf32> -> tensor<1x1x5x4xf32>
  return %o : tensor<1x1x5x4xf32>
}

// -----

func.func @sees_all(%x: tensor<1x1x5x4xf32>) -> tensor<1x1x5x4xf32> {
  %m = arith.constant dense<[[[[0.0, -1.0e+4, -1.0e+4, -1.0e+4, -1.0e+4], [0.0, 0.0, 0.0, 0.0, 0.0],
                               [-1.0e+4, -1.0e+4, 0.0, -1.0e+4, -1.0e+4], [-1.0e+4, -1.0e+4, -1.0e+4, 0.0, -1.0e+4],
                               [-1.0e+4, -1.0e+4, -1.0e+4, -1.0e+4, 0.0]]]]> : tensor<1x1x5x5xf32>
  // expected-remark @below {{query 1 sees every key, but key 1 is not visible to every query; a global token does both}}
  %o = sattn.attention %x, %x, %x mask %m {scale = 5.000000e-01 : f32, policy = #sattn.dense}
      : tensor<1x1x5x4xf32>, tensor<1x1x5x4xf32>, tensor<1x1x5x4xf32>, tensor<1x1x5x5xf32> -> tensor<1x1x5x4xf32>
  return %o : tensor<1x1x5x4xf32>
}

// -----

// Two rows of two tokens, which see their own row.
func.func @two_dimensions(%x: tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32> {
  %m = arith.constant dense<[[[[0.0, 0.0, -1.0e+4, -1.0e+4], [0.0, 0.0, -1.0e+4, -1.0e+4],
                               [-1.0e+4, -1.0e+4, 0.0, 0.0], [-1.0e+4, -1.0e+4, 0.0, 0.0]]]]> : tensor<1x1x4x4xf32>
  // expected-remark @below {{it is a window in two dimensions, over rows of 2 tokens: windows of one dimension reach across the ends of rows}}
  %o = sattn.attention %x, %x, %x mask %m {scale = 5.000000e-01 : f32, policy = #sattn.dense}
      : tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32> -> tensor<1x1x4x4xf32>
  return %o : tensor<1x1x4x4xf32>
}

// -----

// The matrices of a constant may become batch entries, rows may become heads.
func.func @other_entries(%x: tensor<2x1x2x4xf32>) -> tensor<2x1x2x4xf32> {
  %c = arith.constant dense<[[[0.0, -1.0e+4], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]]> : tensor<2x2x2xf32>
  %s = onnx.Constant dense<[2, 1, 2, 2]> : tensor<4xi64>
  %m = onnx.Reshape %c, %s : (tensor<2x2x2xf32>, tensor<4xi64>) -> tensor<2x1x2x2xf32>
  // expected-remark @below {{its matrices differ, and a Reshape makes other heads of them}}
  %o = sattn.attention %x, %x, %x mask %m {scale = 5.000000e-01 : f32, policy = #sattn.dense}
      : tensor<2x1x2x4xf32>, tensor<2x1x2x4xf32>, tensor<2x1x2x4xf32>, tensor<2x1x2x2xf32> -> tensor<2x1x2x4xf32>
  return %o : tensor<2x1x2x4xf32>
}

// -----

func.func @other_rows(%x: tensor<1x2x2x4xf32>) -> tensor<1x2x2x4xf32> {
  %c = arith.constant dense<[[0.0, -1.0e+4], [0.0, 0.0]]> : tensor<2x2xf32>
  %s = onnx.Constant dense<[1, 2, 1, 2]> : tensor<4xi64>
  %m = onnx.Reshape %c, %s : (tensor<2x2xf32>, tensor<4xi64>) -> tensor<1x2x1x2xf32>
  // expected-remark @below {{a Reshape makes other rows of it}}
  %o = sattn.attention %x, %x, %x mask %m {scale = 5.000000e-01 : f32, policy = #sattn.dense}
      : tensor<1x2x2x4xf32>, tensor<1x2x2x4xf32>, tensor<1x2x2x4xf32>, tensor<1x2x1x2xf32> -> tensor<1x2x2x4xf32>
  return %o : tensor<1x2x2x4xf32>
}
