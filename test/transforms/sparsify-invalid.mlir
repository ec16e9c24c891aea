// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s --sattn-sparsify --split-input-file --verify-diagnostics

// expected-error @below {{sattn-sparsify needs a target: the module has no `isa.arch`; run isa-set-target, or use mode=host}}
module {
}

// -----

// expected-error @below {{unknown target 'no such machine' in `isa.arch`; targets that were built:}}
module attributes {isa.arch = #isa.arch<"no such machine", {}>} {
}
