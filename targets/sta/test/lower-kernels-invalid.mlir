// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Kernels that none of our passes makes, but that the lowering must not take for what it knows.
// RUN: sparsam-opt %s --split-input-file --verify-diagnostics --isa-set-target="target=sta" --lower-to-sta

!x = tensor<1x8x16xf32>
// expected-error @below {{cannot run on STA: expects linear layers, normalisations or an attention}}
isa.kernel @nothing(%x: !x) attributes {target = "sta"} {
  isa.return
}

// -----

!x = tensor<1x8x16xf32>
!y = tensor<2x8x16xf32>
!n = tensor<16xf32>
isa.kernel @entries(%x: !x, %y: !y, %s: !n) -> (!x, !y) attributes {target = "sta"} {
  %a = onnx.LayerNormalization %x, %s, %s {axis = -1 : i64} : (!x, !n, !n) -> !x
  // expected-error @below {{cannot run on STA: has 2 batch entries, others of its kernel 1}}
  %c = onnx.LayerNormalization %y, %s, %s {axis = -1 : i64} : (!y, !n, !n) -> !y
  isa.return %a, %c : !x, !y
}

// -----

!x = tensor<1x8x16xf32>
!n = tensor<16xf32>
isa.kernel @part_of_columns(%x: !x, %s: !n, %h: tensor<8xf32>) -> tensor<1x8x8xf32> attributes {target = "sta"} {
  %a = onnx.LayerNormalization %x, %s, %s {axis = -1 : i64} : (!x, !n, !n) -> !x
  %l = onnx.Constant dense<8> : tensor<2xi64>
  %p:2 = onnx.Split %a, %l {axis = 2 : i64} : (!x, tensor<2xi64>) -> (tensor<1x8x8xf32>, tensor<1x8x8xf32>)
  // expected-error @below {{cannot run on STA: works on a part of packed columns}}
  %c = onnx.LayerNormalization %p#0, %h, %h {axis = -1 : i64} : (tensor<1x8x8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<1x8x8xf32>
  isa.return %c : tensor<1x8x8xf32>
}

// -----

!n = tensor<16xf32>
isa.kernel @two_dimensions(%x: tensor<8x16xf32>, %s: !n) -> tensor<8x16xf32> attributes {target = "sta"} {
  // expected-error @below {{cannot run on STA: expects values of the shape batch, tokens, width, got 'tensor<8x16xf32>'}}
  %a = onnx.LayerNormalization %x, %s, %s {axis = -1 : i64} : (tensor<8x16xf32>, !n, !n) -> tensor<8x16xf32>
  isa.return %a : tensor<8x16xf32>
}

// -----

!x = tensor<1x8x16xf32>
!n = tensor<16xf32>
isa.kernel @scale_from_inside(%x: !x) -> !x attributes {target = "sta"} {
  %s = arith.constant dense<1.0> : !n
  // expected-error @below {{cannot run on STA: expects its scale from outside of the kernel}}
  %a = onnx.LayerNormalization %x, %s, %s {axis = -1 : i64} : (!x, !n, !n) -> !x
  isa.return %a : !x
}

// -----

!x = tensor<1x8x16xf32>
isa.kernel @another_op(%x: !x) -> !x attributes {target = "sta"} {
  // expected-error @below {{cannot run on STA: there is no instruction for it}}
  %a = onnx.Add %x, %x : (!x, !x) -> !x
  isa.return %a : !x
}

// -----

!x = tensor<1x8x16xf32>
isa.kernel @moves(%x: !x) -> tensor<1x16x8xf32> attributes {target = "sta"} {
  // expected-error @below {{cannot run on STA: moves more than heads}}
  %a = onnx.Transpose %x {perm = array<i64: 0, 2, 1>} : (!x) -> tensor<1x16x8xf32>
  isa.return %a : tensor<1x16x8xf32>
}

// -----

!x = tensor<1x8x16xf32>
isa.kernel @moves_an_argument(%x: !x) -> tensor<1x8x2x8xf32> attributes {target = "sta"} {
  %l = onnx.Constant dense<[1, 8, 2, 8]> : tensor<4xi64>
  // expected-error @below {{cannot run on STA: expects a value of the kernel}}
  %a = onnx.Reshape %x, %l : (!x, tensor<4xi64>) -> tensor<1x8x2x8xf32>
  isa.return %a : tensor<1x8x2x8xf32>
}

// -----

!x = tensor<1x8x16xf32>
!w = tensor<16x16xf32>
isa.kernel @function(%x: !x, %w: !w) -> !x attributes {target = "sta"} {
  // expected-error @below {{cannot run on STA: the vector unit has relu and gelu, not tanh}}
  %y = sattn.linear %x, %w {activation = #sattn.activation<tanh>} : !x, !w -> !x
  isa.return %y : !x
}

// -----

!x = tensor<1x8x16xf32>
!w = tensor<16x16xf32>
isa.kernel @whole_weights(%x: !x, %w: !w) -> !x attributes {target = "sta"} {
  // expected-error @below {{cannot run on STA: expects compressed weights; run sattn-prune-weights first}}
  %y = sattn.linear %x, %w : !x, !w -> !x
  isa.return %y : !x
}

// -----

!x = tensor<1x8x16xf32>
!b = tensor<16x2xui8>
!w = tensor<16x16xf32>
isa.kernel @words(%x: !x, %v: tensor<16x4xi16>, %b: !b) -> !x attributes {target = "sta"} {
  // expected-error @below {{cannot run on STA: has words of 16 bits; with numerics=float they have 32}}
  %w = sattn.nm_expand %v, %b as <n = 2, m = 8, bits = 16, fraction = 0> : tensor<16x4xi16>, !b -> !w
  %y = sattn.linear %x, %w : !x, !w -> !x
  isa.return %y : !x
}

// -----

!x = tensor<1x8x16xf32>
!v = tensor<16x4xf32>
!w = tensor<16x16xf32>
isa.kernel @groups(%x: !x, %v: !v, %b: tensor<16x4xui8>) -> !x attributes {target = "sta"} {
  // expected-error @below {{cannot run on STA: weights are compressed to 1:4; the machine selects 2:8 (parameters `n` and `m`)}}
  %w = sattn.nm_expand %v, %b as <n = 1, m = 4, bits = 32, fraction = 0> : !v, tensor<16x4xui8> -> !w
  %y = sattn.linear %x, %w : !x, !w -> !x
  isa.return %y : !x
}

// -----

isa.kernel @tokens(%q: tensor<1x1x70000x4xf32>) -> tensor<1x1x70000x4xf32> attributes {target = "sta"} {
  // expected-error @below {{cannot run on STA: dimensions must lie between 1 and 65535, got 'tensor<1x1x70000x4xf32>' and 'tensor<1x1x70000x4xf32>'}}
  %o = sattn.attention %q, %q, %q {scale = 1.0 : f32, policy = #sattn.dense} : tensor<1x1x70000x4xf32>, tensor<1x1x70000x4xf32>, tensor<1x1x70000x4xf32> -> tensor<1x1x70000x4xf32>
  isa.return %o : tensor<1x1x70000x4xf32>
}

// -----

!t = tensor<1x2x8x4xf32>
isa.kernel @causal(%q: !t, %k: tensor<1x2x4x4xf32>) -> !t attributes {target = "sta"} {
  // expected-error @below {{cannot run on STA: causal attention from 8 queries to 4 keys}}
  %o = sattn.attention %q, %k, %k {scale = 1.0 : f32, causal, policy = #sattn.dense} : !t, tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32> -> !t
  isa.return %o : !t
}

// -----

!t = tensor<1x2x8x4xf32>
!s = tensor<1x8xf32>
isa.kernel @scores(%q: !t, %k: !t, %v: !t, %s: !s) -> !t attributes {target = "sta"} {
  // expected-error @below {{cannot run on STA: it has no unit that ranks tokens or heads}}
  %o, %u = sattn.attention %q, %k, %v token_scores %s {scale = 1.0 : f32, policy = #sattn.dense} : !t, !t, !t token_scores !s -> !t token_scores !s
  isa.return %o : !t
}

// -----

!t = tensor<1x2x8x4xf32>
isa.kernel @policy(%q: !t, %k: !t, %v: !t) -> !t attributes {target = "sta"} {
  // expected-error @below {{cannot run on STA: it prunes weights and has no unit that selects pairs, got policy #sattn.pattern<windows = [(-2, 4, 1)], globals = []>}}
  %o = sattn.attention %q, %k, %v {scale = 1.0 : f32, policy = #sattn.pattern<windows = [(-2, 4, 1)], globals = []>} : !t, !t, !t -> !t
  isa.return %o : !t
}

// -----

!x = tensor<1x8x16xf32>
isa.kernel @returns_an_argument(%x: !x) -> !x attributes {target = "sta"} {
  // expected-error @below {{cannot run on STA: expects results made by the kernel}}
  isa.return %x : !x
}
