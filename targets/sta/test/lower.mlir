// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s --sparsam-compile="target=sta settings=tile_rows=4,tile_cols=4" | FileCheck %s
// RUN: sparsam-opt %s --sparsam-compile="target=sta settings=tile_rows=4,tile_cols=4 attention=dense" | FileCheck %s --check-prefix=DENSE
// RUN: not sparsam-opt %s --sparsam-compile="target=sta settings=numerics=fixed" 2>&1 | FileCheck %s --check-prefix=CALIBRATION
// RUN: not sparsam-opt %s --sparsam-compile="target=sta settings=activation_memory=1KB" 2>&1 | FileCheck %s --check-prefix=MEMORY
// RUN: sparsam-opt %s --sparsam-compile="target=sta settings=numerics=fixed,input_range=1,output_range=2,product_range=2,q_range=2,k_range=2,v_range=2,score_range=4" | FileCheck %s --check-prefix=FIXED

// CALIBRATION: has no value for `input_range`, which numerics=fixed needs; calibrate on sample inputs, give the parameter, or use numerics=float
// MEMORY: kernel 'layer_0' needs {{[0-9]+}} bytes of memory 'activation', which has 1024 (parameter 'activation_memory'); raise it (--set activation_memory={{[0-9]+}})

// 10 tokens of 16 columns in tiles of 4: two tiles and a rest. Engines of 4 x 4 make 16 outputs at a time.
// CHECK-LABEL: isa.kernel @layer_0
// CHECK: sta.config n 2 m 8 engines 4 rows 4 cols 4 entries 1 heads 2 queries 10 keys 10 causal false
// CHECK: isa.alloc at {{[0-9]+}} double_buffer : memref<2x16x8xi16, #isa.memory<"values">>
// CHECK: isa.alloc at {{[0-9]+}} double_buffer : memref<2x16x4xi8, #isa.memory<"bitmaps">>
// CHECK: sta.load_const
// CHECK: isa.loop %{{.*}} to 2 {
// CHECK:   sta.load_act
// CHECK: }
// CHECK: sta.load_act
// The queries.
// CHECK: sta.load_w {{.*}} map
// CHECK: isa.loop %{{.*}} to 2 {
// CHECK:   sta.mm_sd {{.*}} first true last true
// CHECK: }
// CHECK: sta.mm_sd {{.*}} first true last true
// Both heads at once; the scores of tile t + 1 are made before the context of tile t.
// CHECK: sta.reshuffle<transpose>
// CHECK: sta.mm_dd<scores> {{.*}} heads 2 scale 5.000000e-01
// CHECK: sta.softmax
// CHECK: sta.mm_dd<scores>
// CHECK: sta.softmax
// CHECK: sta.mm_dd<context>
// CHECK: sta.reshuffle<merge_heads>
// CHECK: sta.layer_norm
// The feed-forward block: the hidden values have two pages, so its second product comes in two pieces.
// CHECK: sta.mm_sd {{.*}} function<gelu> first true last true
// CHECK: sta.mm_sd {{.*}} function<none> first true last false
// CHECK: sta.mm_sd {{.*}} residual {{.*}} function<none> first false last true
// CHECK: sta.layer_norm
// CHECK: sta.store_act
// CHECK: isa.return

// DENSE-LABEL: isa.kernel @layer_0
// DENSE-NOT: map %
// DENSE: sta.load_w
// DENSE-NOT: map %
// DENSE: isa.return

// 1 takes 14 fraction bits, weights of 0.5 take 15: 29. Sums up to twice 2 need 3 integer bits with the sign: nothing is
// lost. Scores of q and k with 13 each, scaled by a half.
// FIXED: sta.mm_sd {{.*}} fractions 14, 15, 0, 13 shift 0 function<none>
// FIXED: sta.mm_dd<scores> {{.*}} fractions 13, 13, 12 shift 0
// FIXED: sta.softmax {{.*}} fractions 12, 15
// FIXED: sta.mm_dd<context> {{.*}} fractions 15, 13, 13 shift 0
func.func @main(%x: tensor<1x10x16xf32>) -> tensor<1x10x16xf32> {
  %w = arith.constant dense<0.5> : tensor<16x16xf32>
  %wu = arith.constant dense<0.5> : tensor<16x32xf32>
  %wd = arith.constant dense<0.5> : tensor<32x16xf32>
  %s = arith.constant dense<1.0> : tensor<16xf32>
  %split = onnx.Constant dense<[1, 10, 2, 8]> : tensor<4xi64>
  %merge = onnx.Constant dense<[1, 10, 16]> : tensor<3xi64>
  %q = sattn.linear %x, %w : tensor<1x10x16xf32>, tensor<16x16xf32> -> tensor<1x10x16xf32>
  %k = sattn.linear %x, %w bias %s : tensor<1x10x16xf32>, tensor<16x16xf32>, tensor<16xf32> -> tensor<1x10x16xf32>
  %v = sattn.linear %x, %w bias %s : tensor<1x10x16xf32>, tensor<16x16xf32>, tensor<16xf32> -> tensor<1x10x16xf32>
  %qr = onnx.Reshape %q, %split : (tensor<1x10x16xf32>, tensor<4xi64>) -> tensor<1x10x2x8xf32>
  %kr = onnx.Reshape %k, %split : (tensor<1x10x16xf32>, tensor<4xi64>) -> tensor<1x10x2x8xf32>
  %vr = onnx.Reshape %v, %split : (tensor<1x10x16xf32>, tensor<4xi64>) -> tensor<1x10x2x8xf32>
  %qt = onnx.Transpose %qr {perm = array<i64: 0, 2, 1, 3>} : (tensor<1x10x2x8xf32>) -> tensor<1x2x10x8xf32>
  %kt = onnx.Transpose %kr {perm = array<i64: 0, 2, 1, 3>} : (tensor<1x10x2x8xf32>) -> tensor<1x2x10x8xf32>
  %vt = onnx.Transpose %vr {perm = array<i64: 0, 2, 1, 3>} : (tensor<1x10x2x8xf32>) -> tensor<1x2x10x8xf32>
  %a = sattn.attention %qt, %kt, %vt {sattn.name = "attention_0", scale = 0.5 : f32, policy = #sattn.dense}
      : tensor<1x2x10x8xf32>, tensor<1x2x10x8xf32>, tensor<1x2x10x8xf32> -> tensor<1x2x10x8xf32>
  %at = onnx.Transpose %a {perm = array<i64: 0, 2, 1, 3>} : (tensor<1x2x10x8xf32>) -> tensor<1x10x2x8xf32>
  %am = onnx.Reshape %at, %merge : (tensor<1x10x2x8xf32>, tensor<3xi64>) -> tensor<1x10x16xf32>
  %o = sattn.linear %am, %w residual %x : tensor<1x10x16xf32>, tensor<16x16xf32> residual tensor<1x10x16xf32> -> tensor<1x10x16xf32>
  %n1 = onnx.LayerNormalization %o, %s, %s {axis = -1 : i64} : (tensor<1x10x16xf32>, tensor<16xf32>, tensor<16xf32>) -> tensor<1x10x16xf32>
  %up = sattn.linear %n1, %wu {activation = #sattn.activation<gelu>} : tensor<1x10x16xf32>, tensor<16x32xf32> -> tensor<1x10x32xf32>
  %down = sattn.linear %up, %wd residual %n1 : tensor<1x10x32xf32>, tensor<32x16xf32> residual tensor<1x10x16xf32> -> tensor<1x10x16xf32>
  %n2 = onnx.LayerNormalization %down, %s, %s {axis = -1 : i64} : (tensor<1x10x16xf32>, tensor<16xf32>, tensor<16xf32>) -> tensor<1x10x16xf32>
  return %n2 : tensor<1x10x16xf32>
}
