// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s --sattn-pack-split="stripe=4" --split-input-file --verify-diagnostics

// expected-error @below {{sattn-pack-split needs `pes`: give the option, or a target with a parameter of this name}}
// expected-error @below {{sattn-pack-split needs `rows`: give the option, or a target with a parameter of this name}}
// expected-error @below {{sattn-pack-split needs `encoder`: give the option, or a target with a parameter of this name}}
module {
  func.func @no_parameters(%m: tensor<1x1x8x8xi1>, %s: tensor<1x1x8x8xf32>) -> tensor<1x1x8x8xf32> {
    %p = sattn.softmax %s over %m : tensor<1x1x8x8xf32>, tensor<1x1x8x8xi1> -> tensor<1x1x8x8xf32>
    return %p : tensor<1x1x8x8xf32>
  }
}

// -----

// expected-error @below {{expects encoder subrow or column_cut, got 'zigzag'}}
module attributes {isa.arch = #isa.arch<"machine", {pes = 2 : i64, rows = 4 : i64, encoder = "zigzag"}>} {
  func.func @encoder(%m: tensor<1x1x8x8xi1>, %s: tensor<1x1x8x8xf32>) -> tensor<1x1x8x8xf32> {
    %p = sattn.softmax %s over %m : tensor<1x1x8x8xf32>, tensor<1x1x8x8xi1> -> tensor<1x1x8x8xf32>
    return %p : tensor<1x1x8x8xf32>
  }
}

// -----

module attributes {isa.arch = #isa.arch<"machine", {pes = 5 : i64, rows = 4 : i64, encoder = "subrow"}>} {
  // expected-error @below {{sattn-pack-split: expects `pes` between 1 and the stripe's 4 keys, got 5}}
  func.func @pes_beyond_stripe(%m: tensor<1x1x8x8xi1>, %s: tensor<1x1x8x8xf32>) -> tensor<1x1x8x8xf32> {
    %p = sattn.softmax %s over %m : tensor<1x1x8x8xf32>, tensor<1x1x8x8xi1> -> tensor<1x1x8x8xf32>
    return %p : tensor<1x1x8x8xf32>
  }
}

// -----

module attributes {isa.arch = #isa.arch<"machine", {pes = 2 : i64, rows = 4 : i64, encoder = "subrow"}>} {
  // expected-error @below {{sattn-pack-split: expects masks of static shape, got 'tensor<1x1x?x8xi1>'}}
  func.func @dynamic_shape(%m: tensor<1x1x?x8xi1>, %s: tensor<1x1x?x8xf32>) -> tensor<1x1x?x8xf32> {
    %p = sattn.softmax %s over %m : tensor<1x1x?x8xf32>, tensor<1x1x?x8xi1> -> tensor<1x1x?x8xf32>
    return %p : tensor<1x1x?x8xf32>
  }
}
