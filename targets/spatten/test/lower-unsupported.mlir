// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s --split-input-file --verify-diagnostics --isa-set-target="target=spatten settings=tx=1,ty=1,tz=1" --sattn-sparsify --sattn-partition --lower-to-spatten

func.func @value_width(%q: tensor<1x1x4x64xf32>, %v: tensor<1x1x4x32xf32>) -> tensor<1x1x4x32xf32> {
  // expected-error @below {{cannot run on SpAtten: values of 32 dimensions under queries of 64; its arrays hold one width for both}}
  %o = sattn.attention %q, %q, %v {scale = 0.125 : f32, policy = #sattn.dense, sattn.name = "attention_0"}
    : tensor<1x1x4x64xf32>, tensor<1x1x4x64xf32>, tensor<1x1x4x32xf32> -> tensor<1x1x4x32xf32>
  return %o : tensor<1x1x4x32xf32>
}

// -----

func.func @head_width(%q: tensor<1x1x4x96xf32>) -> tensor<1x1x4x96xf32> {
  // expected-error @below {{cannot run on SpAtten: heads of 96 dimensions; the adder tree splits in halves and has 512 inputs (parameter 'multipliers'): a power of two up to 512 fits}}
  %o = sattn.attention %q, %q, %q {scale = 0.125 : f32, policy = #sattn.dense, sattn.name = "attention_0"}
    : tensor<1x1x4x96xf32>, tensor<1x1x4x96xf32>, tensor<1x1x4x96xf32> -> tensor<1x1x4x96xf32>
  return %o : tensor<1x1x4x96xf32>
}

// -----

func.func @policy(%q: tensor<1x1x4x64xf32>) -> tensor<1x1x4x64xf32> {
  // expected-error @below {{it knows #sattn.dense and #sattn.progressive}}
  %o = sattn.attention %q, %q, %q {scale = 0.125 : f32, sattn.name = "attention_0", policy = #sattn.low_bit_threshold<bits = 4, threshold = 0.1, normalize = true, q_range = 1.0, k_range = 1.0, empty_row = dense>}
    : tensor<1x1x4x64xf32>, tensor<1x1x4x64xf32>, tensor<1x1x4x64xf32> -> tensor<1x1x4x64xf32>
  return %o : tensor<1x1x4x64xf32>
}

// -----

func.func @gathered_columns(%q: tensor<1x1x4x32xf32>, %k: tensor<1x1x4x64xf32>, %i: tensor<1x32xi64>) -> tensor<1x1x4x32xf32> {
  // expected-error @below {{cannot run on SpAtten: gathers dimension 3; a list names tokens, dimension 2, or heads, dimension 1}}
  %kept = sattn.gather %k, %i {dim = 3 : i64, sattn.target = "spatten", sattn.kernel = "listed"} : tensor<1x1x4x64xf32>, tensor<1x32xi64> -> tensor<1x1x4x32xf32>
  %o = sattn.attention %q, %kept, %kept {scale = 0.125 : f32, policy = #sattn.dense, sattn.name = "attention_0", sattn.kernel = "listed"}
    : tensor<1x1x4x32xf32>, tensor<1x1x4x32xf32>, tensor<1x1x4x32xf32> -> tensor<1x1x4x32xf32>
  return %o : tensor<1x1x4x32xf32>
}

// -----

func.func @two_head_lists(%q: tensor<1x2x1x64xf32>, %k: tensor<1x4x8x64xf32>, %i: tensor<1x2xi64>, %j: tensor<1x2xi64>) -> tensor<1x2x1x64xf32> {
  %keys = sattn.gather %k, %i {dim = 1 : i64, sattn.target = "spatten", sattn.kernel = "listed"} : tensor<1x4x8x64xf32>, tensor<1x2xi64> -> tensor<1x2x8x64xf32>
  // expected-error @below {{cannot run on SpAtten: keys and values have different head lists}}
  %values = sattn.gather %k, %j {dim = 1 : i64, sattn.target = "spatten", sattn.kernel = "listed"} : tensor<1x4x8x64xf32>, tensor<1x2xi64> -> tensor<1x2x8x64xf32>
  %o = sattn.attention %q, %keys, %values {scale = 0.125 : f32, policy = #sattn.dense, sattn.name = "attention_0", sattn.kernel = "listed"}
    : tensor<1x2x1x64xf32>, tensor<1x2x8x64xf32>, tensor<1x2x8x64xf32> -> tensor<1x2x1x64xf32>
  return %o : tensor<1x2x1x64xf32>
}
