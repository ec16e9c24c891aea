// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s -split-input-file -verify-diagnostics --isa-set-target="target=template" --lower-to-template

// expected-error @below {{cannot run on Template: expects one sattn.attention}}
isa.kernel @nothing(%q: tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32> attributes {target = "template"} {
  isa.return %q : tensor<1x1x4x8xf32>
}

// -----

isa.kernel @values(%q: tensor<1x1x4x8xf32>, %k: tensor<1x1x4x8xf32>, %v: tensor<1x1x4x6xf32>) -> tensor<1x1x4x6xf32> attributes {target = "template"} {
  // expected-error @below {{cannot run on Template: values of 6 dimensions under queries of 8}}
  %o = sattn.attention %q, %k, %v {scale = 1.0 : f32, policy = #sattn.dense}
    : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x6xf32> -> tensor<1x1x4x6xf32>
  isa.return %o : tensor<1x1x4x6xf32>
}

// -----

isa.kernel @policy(%q: tensor<1x1x4x8xf32>, %k: tensor<1x1x4x8xf32>, %v: tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32> attributes {target = "template"} {
  // expected-error @below {{cannot run on Template: it keeps every pair, not those of #sattn.low_bit_threshold}}
  %o = sattn.attention %q, %k, %v {scale = 1.0 : f32, policy = #sattn.low_bit_threshold<bits = 4, threshold = 2.0e-03, normalize = true, q_range = 0.5, k_range = 0.5, empty_row = dense>}
    : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32> -> tensor<1x1x4x8xf32>
  isa.return %o : tensor<1x1x4x8xf32>
}

// -----

isa.kernel @mask(%q: tensor<1x1x4x8xf32>, %k: tensor<1x1x4x8xf32>, %v: tensor<1x1x4x8xf32>, %m: tensor<1x1x1x1xf32>) -> tensor<1x1x4x8xf32> attributes {target = "template"} {
  // expected-error @below {{cannot run on Template: an additive mask of 1 columns for 4 keys}}
  %o = sattn.attention %q, %k, %v mask %m {scale = 1.0 : f32, policy = #sattn.dense}
    : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x1x1xf32> -> tensor<1x1x4x8xf32>
  isa.return %o : tensor<1x1x4x8xf32>
}

// -----

isa.kernel @order(%k: tensor<1x1x4x8xf32>, %q: tensor<1x1x4x8xf32>, %v: tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32> attributes {target = "template"} {
  // expected-error @above {{cannot run on Template: expects the operands of the attention as its arguments}}
  %o = sattn.attention %q, %k, %v {scale = 1.0 : f32, policy = #sattn.dense}
    : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32> -> tensor<1x1x4x8xf32>
  isa.return %o : tensor<1x1x4x8xf32>
}

// -----

isa.kernel @scores(%q: tensor<1x1x4x8xf32>, %k: tensor<1x1x4x8xf32>, %v: tensor<1x1x4x8xf32>, %t: tensor<1x4xf32>) -> tensor<1x1x4x8xf32> attributes {target = "template"} {
  // expected-error @below {{cannot run on Template: it takes queries, keys, values and an additive mask alone}}
  %o, %u = sattn.attention %q, %k, %v token_scores %t {scale = 1.0 : f32, policy = #sattn.dense}
    : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32> token_scores tensor<1x4xf32> -> tensor<1x1x4x8xf32> token_scores tensor<1x4xf32>
  isa.return %o : tensor<1x1x4x8xf32>
}

// -----

isa.kernel @dynamic(%q: tensor<1x1x?x8xf32>, %k: tensor<1x1x?x8xf32>, %v: tensor<1x1x?x8xf32>) -> tensor<1x1x?x8xf32> attributes {target = "template"} {
  // expected-error @below {{cannot run on Template: expects static shapes, got 'tensor<1x1x?x8xf32>'}}
  %o = sattn.attention %q, %k, %v {scale = 1.0 : f32, policy = #sattn.dense} : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32> -> tensor<1x1x?x8xf32>
  isa.return %o : tensor<1x1x?x8xf32>
}

// -----

isa.kernel @cache(%q: tensor<1x1x1x8xf32>, %k: tensor<1x1x4x8xf32>, %n: tensor<i64>) -> tensor<1x1x1x8xf32> attributes {target = "template"} {
  // expected-error @below {{cannot run on Template: its keys and values come from a cache that grows, and it attends to all keys; run attention on the host (--attention host)}}
  %o = sattn.attention %q, %k, %k valid %n {scale = 1.0 : f32, policy = #sattn.dense}
    : tensor<1x1x1x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32> valid tensor<i64> -> tensor<1x1x1x8xf32>
  isa.return %o : tensor<1x1x1x8xf32>
}
