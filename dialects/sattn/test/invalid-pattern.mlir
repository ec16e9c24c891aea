// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s --split-input-file --verify-diagnostics

func.func @width() {
  // expected-error @below {{expects windows (offset, width, dilation) with width and dilation of 1 or more, got (0, 0, 1)}}
  %m = sattn.pattern_mask <windows = [(0, 0, 1)], globals = []> : tensor<1x1x4x4xi1>
  return
}

// -----

func.func @order() {
  // expected-error @below {{expects windows in the order of their offsets, got 2 before -2}}
  %m = sattn.pattern_mask <windows = [(2, 1, 1), (-2, 1, 1)], globals = []> : tensor<1x1x4x4xi1>
  return
}

// -----

func.func @shared_offset() {
  // expected-error @below {{expects windows that share no offset; those at -2 and 1 do}}
  %m = sattn.pattern_mask <windows = [(-2, 3, 2), (1, 2, 1)], globals = []> : tensor<1x1x4x4xi1>
  return
}

// -----

func.func @globals() {
  // expected-error @below {{expects globals of 0 or more in ascending order, got 1}}
  %m = sattn.pattern_mask <windows = [], globals = [2, 1]> : tensor<1x1x4x4xi1>
  return
}

// -----

func.func @no_segment() {
  // expected-error @below {{expects 1 or more segments, got 0}}
  %m = sattn.pattern_mask <windows = [], globals = [], segments = 0> : tensor<1x1x4x4xi1>
  return
}

// -----

func.func @segments() {
  // expected-error @below {{cannot cut 4 tokens into 3 equal segments}}
  %m = sattn.pattern_mask <windows = [(0, 1, 1)], globals = [], segments = 3> : tensor<1x1x4x4xi1>
  return
}

// -----

func.func @global_beyond() {
  // expected-error @below {{has global token 4, but only 4 tokens}}
  %m = sattn.pattern_mask <windows = [], globals = [4]> : tensor<1x1x4x4xi1>
  return
}

// -----

func.func @queries_and_keys() {
  // expected-error @below {{expects as many queries as keys under a pattern with segments or global tokens, got 4 and 5}}
  %m = sattn.pattern_mask <windows = [(0, 1, 1)], globals = [0]> : tensor<1x1x4x5xi1>
  return
}

// -----

func.func @causal(%x: tensor<1x1x4x4xf32>) {
  // expected-error @below {{expects no `causal` under a pattern: windows with offsets up to 0 say the same}}
  %o = sattn.attention %x, %x, %x {causal, scale = 1.0 : f32, policy = #sattn.pattern<windows = [(0, 1, 1)], globals = []>}
      : tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32> -> tensor<1x1x4x4xf32>
  return
}

// -----

func.func @dynamic(%x: tensor<1x1x?x4xf32>) {
  // expected-error @below {{expects a static number of tokens under a pattern}}
  %o = sattn.attention %x, %x, %x {scale = 1.0 : f32, policy = #sattn.pattern<windows = [(0, 1, 1)], globals = []>}
      : tensor<1x1x?x4xf32>, tensor<1x1x?x4xf32>, tensor<1x1x?x4xf32> -> tensor<1x1x?x4xf32>
  return
}

// -----

func.func @reorder(%x: tensor<1x1x8x4xf32>) {
  // expected-error @below {{orders a multiple of 3 tokens, got 8}}
  %y = sattn.reorder %x by 3 : tensor<1x1x8x4xf32>
  return
}
