// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s --sattn-partition --split-input-file --verify-diagnostics

func.func @name_taken(%x: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  // expected-note @below {{already called that}}
  %o = sattn.attention %x, %x, %x {scale = 0.5 : f32, policy = #sattn.dense, sattn.name = "attention_0", sattn.target = "machine"}
      : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32> -> tensor<1x2x8x4xf32>
  // expected-error @below {{is called 'attention_0' (`sattn.name`), which is taken}}
  %p = sattn.attention %o, %o, %o {scale = 0.5 : f32, policy = #sattn.dense, sattn.name = "attention_0", sattn.target = "machine"}
      : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32> -> tensor<1x2x8x4xf32>
  return %p : tensor<1x2x8x4xf32>
}

// -----

func.func @not_in_one_launch(%x: tensor<2x4xf32>, %w: tensor<4x4xf32>) -> tensor<2x4xf32> {
  // expected-note @below {{the kernel's first op}}
  %a = sattn.linear %x, %w {sattn.target = "machine", sattn.kernel = "layer"} : tensor<2x4xf32>, tensor<4x4xf32> -> tensor<2x4xf32>
  // expected-error @below {{lies between ops of kernel 'layer' but is no part of it; a kernel runs in one launch}}
  %between = sattn.linear %a, %w : tensor<2x4xf32>, tensor<4x4xf32> -> tensor<2x4xf32>
  %b = sattn.linear %between, %w {sattn.target = "machine", sattn.kernel = "layer"} : tensor<2x4xf32>, tensor<4x4xf32> -> tensor<2x4xf32>
  return %b : tensor<2x4xf32>
}

// -----

func.func @two_machines(%x: tensor<2x4xf32>, %w: tensor<4x4xf32>) -> tensor<2x4xf32> {
  %a = sattn.linear %x, %w {sattn.target = "machine", sattn.kernel = "layer"} : tensor<2x4xf32>, tensor<4x4xf32> -> tensor<2x4xf32>
  // expected-error @below {{runs on 'other', but other ops of kernel 'layer' run on 'machine'}}
  %b = sattn.linear %a, %w {sattn.target = "other", sattn.kernel = "layer"} : tensor<2x4xf32>, tensor<4x4xf32> -> tensor<2x4xf32>
  return %b : tensor<2x4xf32>
}

// -----

module attributes {isa.arch = #isa.arch<"machine", {}>} {
  func.func @other_machine(%x: tensor<2x4xf32>, %w: tensor<4x4xf32>) -> tensor<2x4xf32> {
    // expected-error @below {{is to run on 'other' (`sattn.target`), but the module is compiled for 'machine' (`isa.arch`)}}
    %a = sattn.linear %x, %w {sattn.target = "other"} : tensor<2x4xf32>, tensor<4x4xf32> -> tensor<2x4xf32>
    return %a : tensor<2x4xf32>
  }
}
