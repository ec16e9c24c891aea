// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Attention computes the same before and after every step of its way to packed blocks. The expected values come from an
// independent NumPy version of the sheet.
// RUN: sparsam-opt %s --sattn-interpret -o /dev/null
// RUN: sparsam-opt %s --sattn-decompose="everywhere=true" --sattn-interpret -o /dev/null
// RUN: sparsam-opt %s --sattn-decompose="everywhere=true" --sattn-pack-split="stripe=4 pes=2 rows=3 encoder=subrow" --sattn-interpret -o /dev/null
// RUN: sparsam-opt %s --sattn-decompose="everywhere=true" --sattn-pack-split="stripe=4 pes=2 rows=4 encoder=column_cut" --sattn-interpret -o /dev/null

// The same inside of kernels.
// RUN: sparsam-opt %s --sattn-partition --sattn-interpret -o /dev/null
// RUN: sparsam-opt %s --sattn-partition --sattn-decompose --sattn-pack-split="stripe=4 pes=2 rows=3 encoder=subrow" --sattn-interpret -o /dev/null

// Q and K are constants here, so prediction, selection and packing fold, and blocks come out as constants.
// RUN: sparsam-opt %s --sattn-decompose="everywhere=true" --sattn-pack-split="stripe=4 pes=2 rows=3 encoder=subrow" --canonicalize --sattn-interpret | FileCheck %s
// CHECK-LABEL: @low_bit()
// CHECK-NOT: sattn.{{quantize|predict|select|pack_split}}
// CHECK: sattn.packed_constant
// CHECK: sattn.sddmm

// Two heads of six tokens, which no tile divides.
func.func @dense() {
  %q = arith.constant dense<[[[[0.0, 0.45, -0.41], [-1.34, -0.68, -1.49], [0.09, 2.01, -0.74], [-0.93, 0.73, 0.54], [0.16, -1.4, -0.04], [1.04, -2.02, -0.69]], [[-2.85, -1.93, -2.76], [-0.35, -1.9, 0.41], [0.24, -0.28, -3.78], [-0.81, -0.07, 0.17], [-2.3, -0.72, -1.47], [-1.21, 1.59, -1.21]]]]> : tensor<1x2x6x3xf32>
  %k = arith.constant dense<[[[[-0.05, 1.33, -0.88], [-0.17, 0.17, 0.1], [-1.84, 0.11, 2.04], [-2.32, 1.29, 0.18], [-0.96, 3.0, 1.14], [-1.8, 0.11, 0.87]], [[-0.28, 1.02, -0.1], [1.0, 2.16, -1.01], [0.3, -0.69, 0.19], [-1.78, -0.87, -0.29], [1.35, 1.72, -1.99], [-1.19, 0.97, -2.99]]]]> : tensor<1x2x6x3xf32>
  %v = arith.constant dense<[[[[-0.69, -0.15], [1.89, 1.03], [-0.49, -0.55], [-0.38, 2.29], [-0.64, -0.46], [0.53, -0.18]], [[-0.3, -1.67], [-0.02, -0.67], [1.75, 0.98], [-0.04, 1.0], [-0.51, 1.58], [-0.01, 0.88]]]]> : tensor<1x2x6x2xf32>
  %o = sattn.attention %q, %k, %v {sattn.target = "machine", scale = 0.577350269 : f32, policy = #sattn.dense}
      : tensor<1x2x6x3xf32>, tensor<1x2x6x3xf32>, tensor<1x2x6x2xf32> -> tensor<1x2x6x2xf32>
  %expected = arith.constant dense<[[[[-0.09853188, 0.3582655], [0.02906543, 0.8715953], [-0.5002422, -0.0168624], [-0.2722067, 0.3072551], [0.4123934, 0.2942345], [0.8288357, 0.492593]], [[-0.01276183, 0.9023647], [0.5419733, 0.8357666], [-0.06938952, 0.9416445], [0.1456452, 0.4308614], [-0.006328199, 0.8752122], [-0.0742985, 0.6631704]]]]> : tensor<1x2x6x2xf32>
  check.expect_close %o, %expected max_abs 2.0e-6 : tensor<1x2x6x2xf32>
  return
}

// Query i sees keys up to i.
func.func @dense_causal() {
  %q = arith.constant dense<[[[[0.0, 0.45, -0.41], [-1.34, -0.68, -1.49], [0.09, 2.01, -0.74], [-0.93, 0.73, 0.54], [0.16, -1.4, -0.04], [1.04, -2.02, -0.69]], [[-2.85, -1.93, -2.76], [-0.35, -1.9, 0.41], [0.24, -0.28, -3.78], [-0.81, -0.07, 0.17], [-2.3, -0.72, -1.47], [-1.21, 1.59, -1.21]]]]> : tensor<1x2x6x3xf32>
  %k = arith.constant dense<[[[[-0.05, 1.33, -0.88], [-0.17, 0.17, 0.1], [-1.84, 0.11, 2.04], [-2.32, 1.29, 0.18], [-0.96, 3.0, 1.14], [-1.8, 0.11, 0.87]], [[-0.28, 1.02, -0.1], [1.0, 2.16, -1.01], [0.3, -0.69, 0.19], [-1.78, -0.87, -0.29], [1.35, 1.72, -1.99], [-1.19, 0.97, -2.99]]]]> : tensor<1x2x6x3xf32>
  %v = arith.constant dense<[[[[-0.69, -0.15], [1.89, 1.03], [-0.49, -0.55], [-0.38, 2.29], [-0.64, -0.46], [0.53, -0.18]], [[-0.3, -1.67], [-0.02, -0.67], [1.75, 0.98], [-0.04, 1.0], [-0.51, 1.58], [-0.01, 0.88]]]]> : tensor<1x2x6x2xf32>
  %o = sattn.attention %q, %k, %v {causal, sattn.target = "machine", scale = 0.577350269 : f32, policy = #sattn.dense}
      : tensor<1x2x6x3xf32>, tensor<1x2x6x3xf32>, tensor<1x2x6x2xf32> -> tensor<1x2x6x2xf32>
  %expected = arith.constant dense<[[[[-0.69, -0.15], [0.4112223, 0.3536598], [-0.3238661, -0.007850436], [-0.2571485, 0.8871479], [0.3735874, 0.4507152], [0.8288357, 0.492593]], [[-0.3, -1.67], [-0.2576418, -1.518721], [0.09818043, -0.6419908], [0.2413966, 0.217351], [0.0005186973, 0.8662843], [-0.0742985, 0.6631704]]]]> : tensor<1x2x6x2xf32>
  check.expect_close %o, %expected max_abs 2.0e-6 : tensor<1x2x6x2xf32>
  return
}

// The last two keys are padding, by an additive mask that is broadcast.
func.func @dense_padding() {
  %q = arith.constant dense<[[[[0.0, 0.45, -0.41], [-1.34, -0.68, -1.49], [0.09, 2.01, -0.74], [-0.93, 0.73, 0.54], [0.16, -1.4, -0.04], [1.04, -2.02, -0.69]], [[-2.85, -1.93, -2.76], [-0.35, -1.9, 0.41], [0.24, -0.28, -3.78], [-0.81, -0.07, 0.17], [-2.3, -0.72, -1.47], [-1.21, 1.59, -1.21]]]]> : tensor<1x2x6x3xf32>
  %k = arith.constant dense<[[[[-0.05, 1.33, -0.88], [-0.17, 0.17, 0.1], [-1.84, 0.11, 2.04], [-2.32, 1.29, 0.18], [-0.96, 3.0, 1.14], [-1.8, 0.11, 0.87]], [[-0.28, 1.02, -0.1], [1.0, 2.16, -1.01], [0.3, -0.69, 0.19], [-1.78, -0.87, -0.29], [1.35, 1.72, -1.99], [-1.19, 0.97, -2.99]]]]> : tensor<1x2x6x3xf32>
  %v = arith.constant dense<[[[[-0.69, -0.15], [1.89, 1.03], [-0.49, -0.55], [-0.38, 2.29], [-0.64, -0.46], [0.53, -0.18]], [[-0.3, -1.67], [-0.02, -0.67], [1.75, 0.98], [-0.04, 1.0], [-0.51, 1.58], [-0.01, 0.88]]]]> : tensor<1x2x6x2xf32>
  %m = arith.constant dense<[[[[0.0, 0.0, 0.0, 0.0, -10000.0, -10000.0]]]]> : tensor<1x1x1x6xf32>
  %o = sattn.attention %q, %k, %v mask %m {sattn.target = "machine", scale = 0.577350269 : f32, policy = #sattn.dense}
      : tensor<1x2x6x3xf32>, tensor<1x2x6x3xf32>, tensor<1x2x6x2xf32>, tensor<1x1x1x6xf32> -> tensor<1x2x6x2xf32>
  %expected = arith.constant dense<[[[[-0.01935459, 0.7410975], [-0.09433277, 1.239736], [-0.3409436, 0.6912214], [-0.2571485, 0.8871479], [0.40956, 0.4830368], [0.8954642, 0.6211192]], [[-0.02013707, 0.9780165], [0.5746558, 0.8251858], [0.07655107, -0.3849703], [0.2413966, 0.217351], [0.01095641, 0.8516922], [-0.04338971, -0.6323644]]]]> : tensor<1x2x6x2xf32>
  check.expect_close %o, %expected max_abs 2.0e-6 : tensor<1x2x6x2xf32>
  return
}

// Keeps 27 of 72 pairs.
func.func @low_bit() {
  %q = arith.constant dense<[[[[0.0, 0.45, -0.41], [-1.34, -0.68, -1.49], [0.09, 2.01, -0.74], [-0.93, 0.73, 0.54], [0.16, -1.4, -0.04], [1.04, -2.02, -0.69]], [[-2.85, -1.93, -2.76], [-0.35, -1.9, 0.41], [0.24, -0.28, -3.78], [-0.81, -0.07, 0.17], [-2.3, -0.72, -1.47], [-1.21, 1.59, -1.21]]]]> : tensor<1x2x6x3xf32>
  %k = arith.constant dense<[[[[-0.05, 1.33, -0.88], [-0.17, 0.17, 0.1], [-1.84, 0.11, 2.04], [-2.32, 1.29, 0.18], [-0.96, 3.0, 1.14], [-1.8, 0.11, 0.87]], [[-0.28, 1.02, -0.1], [1.0, 2.16, -1.01], [0.3, -0.69, 0.19], [-1.78, -0.87, -0.29], [1.35, 1.72, -1.99], [-1.19, 0.97, -2.99]]]]> : tensor<1x2x6x3xf32>
  %v = arith.constant dense<[[[[-0.69, -0.15], [1.89, 1.03], [-0.49, -0.55], [-0.38, 2.29], [-0.64, -0.46], [0.53, -0.18]], [[-0.3, -1.67], [-0.02, -0.67], [1.75, 0.98], [-0.04, 1.0], [-0.51, 1.58], [-0.01, 0.88]]]]> : tensor<1x2x6x2xf32>
  %o = sattn.attention %q, %k, %v {sattn.target = "machine", scale = 0.577350269 : f32, policy = #sattn.low_bit_threshold<bits = 4, threshold = 0.15, normalize = true, q_range = 0.9, k_range = 0.9, empty_row = dense>}
      : tensor<1x2x6x3xf32>, tensor<1x2x6x3xf32>, tensor<1x2x6x2xf32> -> tensor<1x2x6x2xf32>
  %expected = arith.constant dense<[[[[-0.5849115, 0.4303051], [-0.04338247, 1.376324], [-0.6531767, -0.3783046], [-0.5184743, 0.3822337], [0.7056588, 0.1445852], [1.033319, 0.5360356]], [[-0.01, 0.88], [0.6340562, 0.9924686], [-0.01, 0.88], [0.2092753, 0.4494549], [-0.01966937, 0.9186775], [-0.01, 0.88]]]]> : tensor<1x2x6x2xf32>
  check.expect_close %o, %expected max_abs 2.0e-6 : tensor<1x2x6x2xf32>
  return
}

// Not normalised; ranges that saturate. Keeps 26 of 48 pairs that are not padding.
func.func @low_bit_padding() {
  %q = arith.constant dense<[[[[0.0, 0.45, -0.41], [-1.34, -0.68, -1.49], [0.09, 2.01, -0.74], [-0.93, 0.73, 0.54], [0.16, -1.4, -0.04], [1.04, -2.02, -0.69]], [[-2.85, -1.93, -2.76], [-0.35, -1.9, 0.41], [0.24, -0.28, -3.78], [-0.81, -0.07, 0.17], [-2.3, -0.72, -1.47], [-1.21, 1.59, -1.21]]]]> : tensor<1x2x6x3xf32>
  %k = arith.constant dense<[[[[-0.05, 1.33, -0.88], [-0.17, 0.17, 0.1], [-1.84, 0.11, 2.04], [-2.32, 1.29, 0.18], [-0.96, 3.0, 1.14], [-1.8, 0.11, 0.87]], [[-0.28, 1.02, -0.1], [1.0, 2.16, -1.01], [0.3, -0.69, 0.19], [-1.78, -0.87, -0.29], [1.35, 1.72, -1.99], [-1.19, 0.97, -2.99]]]]> : tensor<1x2x6x3xf32>
  %v = arith.constant dense<[[[[-0.69, -0.15], [1.89, 1.03], [-0.49, -0.55], [-0.38, 2.29], [-0.64, -0.46], [0.53, -0.18]], [[-0.3, -1.67], [-0.02, -0.67], [1.75, 0.98], [-0.04, 1.0], [-0.51, 1.58], [-0.01, 0.88]]]]> : tensor<1x2x6x2xf32>
  %m = arith.constant dense<[[[[0.0, 0.0, 0.0, 0.0, -10000.0, -10000.0]]]]> : tensor<1x1x1x6xf32>
  %o = sattn.attention %q, %k, %v mask %m {sattn.target = "machine", scale = 0.577350269 : f32, policy = #sattn.low_bit_threshold<bits = 4, threshold = 0.15, normalize = false, q_range = 2.5, k_range = 2.5, empty_row = dense>}
      : tensor<1x2x6x3xf32>, tensor<1x2x6x3xf32>, tensor<1x2x6x2xf32>, tensor<1x1x1x6xf32> -> tensor<1x2x6x2xf32>
  %expected = arith.constant dense<[[[[0.0535159, 0.9409994], [-0.04395604, 1.467607], [-0.5813734, 0.7049961], [-0.4301952, 0.9940523], [0.789422, 0.2993642], [1.139144, 0.6865853]], [[-0.04, 1.0], [0.6340562, 0.9924686], [-0.02374889, -0.3569675], [0.2729437, 0.3244425], [-0.04, 1.0], [-0.09724658, -0.6807849]]]]> : tensor<1x2x6x2xf32>
  check.expect_close %o, %expected max_abs 2.0e-6 : tensor<1x2x6x2xf32>
  return
}

// Hidden pairs have probability 0. Keeps 23 of 42 visible pairs.
func.func @low_bit_causal() {
  %q = arith.constant dense<[[[[0.0, 0.45, -0.41], [-1.34, -0.68, -1.49], [0.09, 2.01, -0.74], [-0.93, 0.73, 0.54], [0.16, -1.4, -0.04], [1.04, -2.02, -0.69]], [[-2.85, -1.93, -2.76], [-0.35, -1.9, 0.41], [0.24, -0.28, -3.78], [-0.81, -0.07, 0.17], [-2.3, -0.72, -1.47], [-1.21, 1.59, -1.21]]]]> : tensor<1x2x6x3xf32>
  %k = arith.constant dense<[[[[-0.05, 1.33, -0.88], [-0.17, 0.17, 0.1], [-1.84, 0.11, 2.04], [-2.32, 1.29, 0.18], [-0.96, 3.0, 1.14], [-1.8, 0.11, 0.87]], [[-0.28, 1.02, -0.1], [1.0, 2.16, -1.01], [0.3, -0.69, 0.19], [-1.78, -0.87, -0.29], [1.35, 1.72, -1.99], [-1.19, 0.97, -2.99]]]]> : tensor<1x2x6x3xf32>
  %v = arith.constant dense<[[[[-0.69, -0.15], [1.89, 1.03], [-0.49, -0.55], [-0.38, 2.29], [-0.64, -0.46], [0.53, -0.18]], [[-0.3, -1.67], [-0.02, -0.67], [1.75, 0.98], [-0.04, 1.0], [-0.51, 1.58], [-0.01, 0.88]]]]> : tensor<1x2x6x2xf32>
  %o = sattn.attention %q, %k, %v {causal, sattn.target = "machine", scale = 0.577350269 : f32, policy = #sattn.low_bit_threshold<bits = 4, threshold = 0.15, normalize = true, q_range = 0.9, k_range = 0.9, empty_row = dense>}
      : tensor<1x2x6x3xf32>, tensor<1x2x6x3xf32>, tensor<1x2x6x2xf32> -> tensor<1x2x6x2xf32>
  %expected = arith.constant dense<[[[[-0.69, -0.15], [0.4112223, 0.3536598], [-0.3148471, 0.02158157], [-0.4301952, 0.9940523], [0.5249215, 0.219024], [1.033319, 0.5360356]], [[-0.3, -1.67], [-0.2576418, -1.518721], [-0.0539979, -0.7914211], [0.2729437, 0.3244425], [-0.04, 1.0], [-0.01, 0.88]]]]> : tensor<1x2x6x2xf32>
  check.expect_close %o, %expected max_abs 2.0e-6 : tensor<1x2x6x2xf32>
  return
}

// 2 of 12 queries keep no key; empty_row is dense.
func.func @empty_rows_dense() {
  %q = arith.constant dense<[[[[0.0, 0.45, -0.41], [-1.34, -0.68, -1.49], [0.09, 2.01, -0.74], [-0.93, 0.73, 0.54], [0.16, -1.4, -0.04], [1.04, -2.02, -0.69]], [[-2.85, -1.93, -2.76], [-0.35, -1.9, 0.41], [0.24, -0.28, -3.78], [-0.81, -0.07, 0.17], [-2.3, -0.72, -1.47], [-1.21, 1.59, -1.21]]]]> : tensor<1x2x6x3xf32>
  %k = arith.constant dense<[[[[-0.05, 1.33, -0.88], [-0.17, 0.17, 0.1], [-1.84, 0.11, 2.04], [-2.32, 1.29, 0.18], [-0.96, 3.0, 1.14], [-1.8, 0.11, 0.87]], [[-0.28, 1.02, -0.1], [1.0, 2.16, -1.01], [0.3, -0.69, 0.19], [-1.78, -0.87, -0.29], [1.35, 1.72, -1.99], [-1.19, 0.97, -2.99]]]]> : tensor<1x2x6x3xf32>
  %v = arith.constant dense<[[[[-0.69, -0.15], [1.89, 1.03], [-0.49, -0.55], [-0.38, 2.29], [-0.64, -0.46], [0.53, -0.18]], [[-0.3, -1.67], [-0.02, -0.67], [1.75, 0.98], [-0.04, 1.0], [-0.51, 1.58], [-0.01, 0.88]]]]> : tensor<1x2x6x2xf32>
  %m = arith.constant dense<[[[[0.0, 0.0, 0.0, 0.0, -10000.0, -10000.0]]]]> : tensor<1x1x1x6xf32>
  %o = sattn.attention %q, %k, %v mask %m {sattn.target = "machine", scale = 0.577350269 : f32, policy = #sattn.low_bit_threshold<bits = 4, threshold = 0.45, normalize = true, q_range = 0.9, k_range = 0.9, empty_row = dense>}
      : tensor<1x2x6x3xf32>, tensor<1x2x6x3xf32>, tensor<1x2x6x2xf32>, tensor<1x1x1x6xf32> -> tensor<1x2x6x2xf32>
  %expected = arith.constant dense<[[[[-0.01935459, 0.7410975], [-0.38, 2.29], [-0.69, -0.15], [-0.38, 2.29], [0.40956, 0.4830368], [1.89, 1.03]], [[-0.04, 1.0], [-0.04, 1.0], [-0.02, -0.67], [-0.04, 1.0], [-0.04, 1.0], [-0.02, -0.67]]]]> : tensor<1x2x6x2xf32>
  check.expect_close %o, %expected max_abs 2.0e-6 : tensor<1x2x6x2xf32>
  return
}

// 2 of 12 queries keep no key; empty_row is zero.
func.func @empty_rows_zero() {
  %q = arith.constant dense<[[[[0.0, 0.45, -0.41], [-1.34, -0.68, -1.49], [0.09, 2.01, -0.74], [-0.93, 0.73, 0.54], [0.16, -1.4, -0.04], [1.04, -2.02, -0.69]], [[-2.85, -1.93, -2.76], [-0.35, -1.9, 0.41], [0.24, -0.28, -3.78], [-0.81, -0.07, 0.17], [-2.3, -0.72, -1.47], [-1.21, 1.59, -1.21]]]]> : tensor<1x2x6x3xf32>
  %k = arith.constant dense<[[[[-0.05, 1.33, -0.88], [-0.17, 0.17, 0.1], [-1.84, 0.11, 2.04], [-2.32, 1.29, 0.18], [-0.96, 3.0, 1.14], [-1.8, 0.11, 0.87]], [[-0.28, 1.02, -0.1], [1.0, 2.16, -1.01], [0.3, -0.69, 0.19], [-1.78, -0.87, -0.29], [1.35, 1.72, -1.99], [-1.19, 0.97, -2.99]]]]> : tensor<1x2x6x3xf32>
  %v = arith.constant dense<[[[[-0.69, -0.15], [1.89, 1.03], [-0.49, -0.55], [-0.38, 2.29], [-0.64, -0.46], [0.53, -0.18]], [[-0.3, -1.67], [-0.02, -0.67], [1.75, 0.98], [-0.04, 1.0], [-0.51, 1.58], [-0.01, 0.88]]]]> : tensor<1x2x6x2xf32>
  %m = arith.constant dense<[[[[0.0, 0.0, 0.0, 0.0, -10000.0, -10000.0]]]]> : tensor<1x1x1x6xf32>
  %o = sattn.attention %q, %k, %v mask %m {sattn.target = "machine", scale = 0.577350269 : f32, policy = #sattn.low_bit_threshold<bits = 4, threshold = 0.45, normalize = true, q_range = 0.9, k_range = 0.9, empty_row = zero>}
      : tensor<1x2x6x3xf32>, tensor<1x2x6x3xf32>, tensor<1x2x6x2xf32>, tensor<1x1x1x6xf32> -> tensor<1x2x6x2xf32>
  %expected = arith.constant dense<[[[[0.0, 0.0], [-0.38, 2.29], [-0.69, -0.15], [-0.38, 2.29], [0.0, 0.0], [1.89, 1.03]], [[-0.04, 1.0], [-0.04, 1.0], [-0.02, -0.67], [-0.04, 1.0], [-0.04, 1.0], [-0.02, -0.67]]]]> : tensor<1x2x6x2xf32>
  check.expect_close %o, %expected max_abs 2.0e-6 : tensor<1x2x6x2xf32>
  return
}

// 2 of 12 queries keep no key; empty_row is argmax.
func.func @empty_rows_argmax() {
  %q = arith.constant dense<[[[[0.0, 0.45, -0.41], [-1.34, -0.68, -1.49], [0.09, 2.01, -0.74], [-0.93, 0.73, 0.54], [0.16, -1.4, -0.04], [1.04, -2.02, -0.69]], [[-2.85, -1.93, -2.76], [-0.35, -1.9, 0.41], [0.24, -0.28, -3.78], [-0.81, -0.07, 0.17], [-2.3, -0.72, -1.47], [-1.21, 1.59, -1.21]]]]> : tensor<1x2x6x3xf32>
  %k = arith.constant dense<[[[[-0.05, 1.33, -0.88], [-0.17, 0.17, 0.1], [-1.84, 0.11, 2.04], [-2.32, 1.29, 0.18], [-0.96, 3.0, 1.14], [-1.8, 0.11, 0.87]], [[-0.28, 1.02, -0.1], [1.0, 2.16, -1.01], [0.3, -0.69, 0.19], [-1.78, -0.87, -0.29], [1.35, 1.72, -1.99], [-1.19, 0.97, -2.99]]]]> : tensor<1x2x6x3xf32>
  %v = arith.constant dense<[[[[-0.69, -0.15], [1.89, 1.03], [-0.49, -0.55], [-0.38, 2.29], [-0.64, -0.46], [0.53, -0.18]], [[-0.3, -1.67], [-0.02, -0.67], [1.75, 0.98], [-0.04, 1.0], [-0.51, 1.58], [-0.01, 0.88]]]]> : tensor<1x2x6x2xf32>
  %m = arith.constant dense<[[[[0.0, 0.0, 0.0, 0.0, -10000.0, -10000.0]]]]> : tensor<1x1x1x6xf32>
  %o = sattn.attention %q, %k, %v mask %m {sattn.target = "machine", scale = 0.577350269 : f32, policy = #sattn.low_bit_threshold<bits = 4, threshold = 0.45, normalize = true, q_range = 0.9, k_range = 0.9, empty_row = argmax>}
      : tensor<1x2x6x3xf32>, tensor<1x2x6x3xf32>, tensor<1x2x6x2xf32>, tensor<1x1x1x6xf32> -> tensor<1x2x6x2xf32>
  %expected = arith.constant dense<[[[[-0.69, -0.15], [-0.38, 2.29], [-0.69, -0.15], [-0.38, 2.29], [1.89, 1.03], [1.89, 1.03]], [[-0.04, 1.0], [-0.04, 1.0], [-0.02, -0.67], [-0.04, 1.0], [-0.04, 1.0], [-0.02, -0.67]]]]> : tensor<1x2x6x2xf32>
  check.expect_close %o, %expected max_abs 2.0e-6 : tensor<1x2x6x2xf32>
  return
}

// The only key has probability 1.
func.func @one_token() {
  %q = arith.constant dense<[[[[-1.94, 0.52, -2.53]]]]> : tensor<1x1x1x3xf32>
  %k = arith.constant dense<[[[[-3.05, -0.46, -1.35]]]]> : tensor<1x1x1x3xf32>
  %v = arith.constant dense<[[[[0.25, 3.37]]]]> : tensor<1x1x1x2xf32>
  %o = sattn.attention %q, %k, %v {sattn.target = "machine", scale = 0.577350269 : f32, policy = #sattn.low_bit_threshold<bits = 4, threshold = 0.5, normalize = true, q_range = 1.0, k_range = 1.0, empty_row = dense>}
      : tensor<1x1x1x3xf32>, tensor<1x1x1x3xf32>, tensor<1x1x1x2xf32> -> tensor<1x1x1x2xf32>
  %expected = arith.constant dense<[[[[0.25, 3.37]]]]> : tensor<1x1x1x2xf32>
  check.expect_close %o, %expected max_abs 2.0e-6 : tensor<1x1x1x2xf32>
  return
}

// Causal, with 6 queries and 4 keys: the first two queries see nothing and give 0.
func.func @fewer_keys_than_queries() {
  %q = arith.constant dense<[[[[-1.25, -0.94, 0.31], [0.74, -0.26, -0.31], [1.05, 0.78, -1.55], [-0.12, 0.05, -1.58], [0.39, -1.29, 1.46], [0.29, 0.13, -0.89]]]]> : tensor<1x1x6x3xf32>
  %k = arith.constant dense<[[[[-0.18, -3.0, -1.7], [0.54, -3.19, 1.27], [-2.62, 1.14, -1.27], [1.17, 0.2, -2.31]]]]> : tensor<1x1x4x3xf32>
  %v = arith.constant dense<[[[[1.65, -0.81], [-0.08, -1.19], [-0.94, -1.92], [1.89, -0.23]]]]> : tensor<1x1x4x2xf32>
  %o = sattn.attention %q, %k, %v {causal, sattn.target = "machine", scale = 0.577350269 : f32, policy = #sattn.dense}
      : tensor<1x1x6x3xf32>, tensor<1x1x4x3xf32>, tensor<1x1x4x2xf32> -> tensor<1x1x6x2xf32>
  %expected = arith.constant dense<[[[[0.0, 0.0], [0.0, 0.0], [1.65, -0.81], [1.547471, -0.8325207], [0.01643683, -1.169985], [1.221533, -0.7218168]]]]> : tensor<1x1x6x2xf32>
  check.expect_close %o, %expected max_abs 2.0e-6 : tensor<1x1x6x2xf32>
  return
}

