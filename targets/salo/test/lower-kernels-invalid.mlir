// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Kernels that none of our passes makes, but that the lowering must not take for what it knows.
// RUN: sparsam-opt %s --split-input-file --verify-diagnostics --isa-set-target="target=salo" --lower-to-salo

!t = tensor<1x2x8x4xf32>
// expected-error @below {{cannot run on SALO: expects one block that returns one attention output}}
isa.kernel @no_result(%q: !t) attributes {target = "salo"} {
  isa.return
}

// -----

!t = tensor<1x2x8x4xf32>
// expected-error @below {{cannot run on SALO: expects an attention between reorders that undo each other}}
isa.kernel @no_attention(%q: !t) -> !t attributes {target = "salo"} {
  isa.return %q : !t
}

// -----

!t = tensor<1x2x8x4xf32>
!s = tensor<1x8xf32>
isa.kernel @scores(%q: !t, %k: !t, %v: !t, %s: !s) -> !t attributes {target = "salo"} {
  // expected-error @below {{cannot run on SALO: it accumulates no scores of tokens and heads}}
  %o, %u = sattn.attention %q, %k, %v token_scores %s {scale = 1.0 : f32, policy = #sattn.dense} : !t, !t, !t token_scores !s -> !t token_scores !s
  isa.return %o : !t
}

// -----

!t = tensor<1x2x8x4xf32>
// expected-error @below {{cannot run on SALO: expects its arguments to be query, key, value and the mask if there is one}}
isa.kernel @arguments(%k: !t, %q: !t, %v: !t) -> !t attributes {target = "salo"} {
  %o = sattn.attention %q, %k, %v {scale = 1.0 : f32, policy = #sattn.pattern<windows = [(-2, 4, 1)], globals = []>} : !t, !t, !t -> !t
  isa.return %o : !t
}

// -----

!t = tensor<1x2x8x4xf32>
isa.kernel @orders(%q: !t, %k: !t, %v: !t) -> !t attributes {target = "salo"} {
  %qr = sattn.reorder %q by 2 : !t
  %kr = sattn.reorder %k by 2 : !t
  %vr = sattn.reorder %v by 2 : !t
  // expected-error @below {{cannot run on SALO: queries, keys, values and output stand in different orders}}
  %o = sattn.attention %qr, %kr, %v {scale = 1.0 : f32, policy = #sattn.pattern<windows = [(-2, 4, 1)], globals = []>} : !t, !t, !t -> !t
  %y = sattn.reorder %o by 2 inverse : !t
  isa.return %y : !t
}

// -----

!t = tensor<1x2x8x4xf32>
isa.kernel @segments(%q: !t, %k: !t, %v: !t) -> !t attributes {target = "salo"} {
  %qr = sattn.reorder %q by 2 : !t
  %kr = sattn.reorder %k by 2 : !t
  %vr = sattn.reorder %v by 2 : !t
  // expected-error @below {{cannot run on SALO: a pattern of 1 segments whose tokens are ordered by dilation 2}}
  %o = sattn.attention %qr, %kr, %vr {scale = 1.0 : f32, policy = #sattn.pattern<windows = [(-2, 4, 1)], globals = []>} : !t, !t, !t -> !t
  %y = sattn.reorder %o by 2 inverse : !t
  isa.return %y : !t
}

// -----

!t = tensor<1x2x8x4xf32>
isa.kernel @policy(%q: !t, %k: !t, %v: !t) -> !t attributes {target = "salo"} {
  // expected-error @below {{cannot run on SALO: expects a pattern of windows and global tokens, got #sattn.dense; run sattn-split-windows first}}
  %o = sattn.attention %q, %k, %v {scale = 1.0 : f32, policy = #sattn.dense} : !t, !t, !t -> !t
  isa.return %o : !t
}

// -----

// expected-error @below {{cannot run on SALO: dimensions must lie between 1 and 16777215, got 'tensor<1x2x?x4xf32>'}}
isa.kernel @dynamic(%q: tensor<1x2x?x4xf32>, %k: tensor<1x2x?x4xf32>, %v: tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32> attributes {target = "salo"} {
  %o = sattn.attention %q, %k, %v {scale = 1.0 : f32, policy = #sattn.dense} : tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32> -> tensor<1x2x?x4xf32>
  isa.return %o : tensor<1x2x?x4xf32>
}
