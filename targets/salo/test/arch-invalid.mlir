// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Modules for another machine, or without the parameters of this one.
// RUN: sparsam-opt %s --split-input-file --verify-diagnostics --lower-to-salo

module attributes {isa.arch = #isa.arch<"sanger", {}>} {
  // expected-error @below {{is for target salo, but `isa.arch` is for 'sanger'}}
  isa.kernel @other_machine(%x: tensor<1x1x8x8xf32>) -> tensor<1x1x8x8xf32> attributes {target = "salo"} {
    isa.return %x : tensor<1x1x8x8xf32>
  }
}

// -----

module attributes {isa.arch = #isa.arch<"salo", {}>} {
  // expected-error-re @below {{needs parameter `{{[a-z_]+}}` in `isa.arch`; run isa-set-target}}
  isa.kernel @no_parameters(%x: tensor<1x1x8x8xf32>) -> tensor<1x1x8x8xf32> attributes {target = "salo"} {
    isa.return %x : tensor<1x1x8x8xf32>
  }
}
