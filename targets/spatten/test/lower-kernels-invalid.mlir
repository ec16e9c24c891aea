// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Kernels that none of our passes makes, but that the lowering must not take for what it knows.
// RUN: sparsam-opt %s --split-input-file --verify-diagnostics --isa-set-target="target=spatten settings=tx=1,ty=1,tz=1" --lower-to-spatten

!t = tensor<1x2x8x4xf32>
isa.kernel @two_attentions(%q: !t, %k: !t, %v: !t) -> !t attributes {target = "spatten"} {
  %o = sattn.attention %q, %k, %v {scale = 1.0 : f32, policy = #sattn.dense} : !t, !t, !t -> !t
  // expected-error @below {{cannot run on SpAtten: a kernel holds one attention}}
  %p = sattn.attention %o, %k, %v {scale = 1.0 : f32, policy = #sattn.dense} : !t, !t, !t -> !t
  isa.return %p : !t
}

// -----

!t = tensor<1x2x8x4xf32>
isa.kernel @something_else(%q: !t, %k: !t, %v: !t) -> !t attributes {target = "spatten"} {
  // expected-error @below {{cannot run on SpAtten: a kernel holds an attention, the rankings of its scores, and gathers of its keys and values}}
  %m = sattn.select_all : tensor<1x2x8x8xi1>
  %o = sattn.attention %q, %k, %v {scale = 1.0 : f32, policy = #sattn.dense} : !t, !t, !t -> !t
  isa.return %o : !t
}

// -----

!t = tensor<1x2x8x4xf32>
// expected-error @below {{cannot run on SpAtten: expects a `sattn.attention`}}
isa.kernel @no_attention(%q: !t) -> !t attributes {target = "spatten"} {
  isa.return %q : !t
}

// -----

!t = tensor<1x2x8x4xf32>
isa.kernel @gathers_heads_of_keys(%q: !t, %k: tensor<1x3x8x4xf32>, %v: !t, %i: tensor<1x2xi64>) -> !t attributes {target = "spatten"} {
  %g = sattn.gather %k, %i {dim = 1 : i64} : tensor<1x3x8x4xf32>, tensor<1x2xi64> -> !t
  // expected-error @below {{cannot run on SpAtten: keys and values have different head lists}}
  %o = sattn.attention %q, %g, %v {scale = 1.0 : f32, policy = #sattn.dense} : !t, !t, !t -> !t
  isa.return %o : !t
}

// -----

!t = tensor<1x2x8x4xf32>
!half = tensor<1x2x4x4xf32>
!i = tensor<1x4xi64>
isa.kernel @two_lists(%q: !t, %k: !t, %v: !t, %i: !i, %j: !i) -> !t attributes {target = "spatten"} {
  %gk = sattn.gather %k, %i {dim = 2 : i64} : !t, !i -> !half
  // expected-error @below {{cannot run on SpAtten: keys and values have different token lists}}
  %gv = sattn.gather %v, %j {dim = 2 : i64} : !t, !i -> !half
  %o = sattn.attention %q, %gk, %gv {scale = 1.0 : f32, policy = #sattn.dense} : !t, !half, !half -> !t
  isa.return %o : !t
}

// -----

!t = tensor<1x2x8x4xf32>
!half = tensor<1x2x4x4xf32>
!i = tensor<1x4xi64>
isa.kernel @one_list(%q: !t, %k: !t, %v: !half, %i: !i) -> !t attributes {target = "spatten"} {
  %gk = sattn.gather %k, %i {dim = 2 : i64} : !t, !i -> !half
  // expected-error @below {{cannot run on SpAtten: keys and values have different token lists}}
  %o = sattn.attention %q, %gk, %v {scale = 1.0 : f32, policy = #sattn.dense} : !t, !half, !half -> !t
  isa.return %o : !t
}

// -----

!t = tensor<1x2x8x4xf32>
!half = tensor<1x2x4x4xf32>
!i = tensor<1x4xi64>
!s = tensor<1x8xf32>
isa.kernel @two_rankings(%q: !t, %k: !t, %v: !t, %s: !s) -> (!t, !i, !i) attributes {target = "spatten"} {
  %i = sattn.top_k %s {k = 4 : i64} : !s -> !i
  // expected-error @below {{cannot run on SpAtten: keys and values have different token lists}}
  %j = sattn.top_k %s {k = 4 : i64} : !s -> !i
  %gk = sattn.gather %k, %i {dim = 2 : i64} : !t, !i -> !half
  %gv = sattn.gather %v, %j {dim = 2 : i64} : !t, !i -> !half
  %o = sattn.attention %q, %gk, %gv {scale = 1.0 : f32, policy = #sattn.dense} : !t, !half, !half -> !t
  isa.return %o, %i, %j : !t, !i, !i
}

// -----

isa.kernel @ranks_many_sequences(%q: tensor<2x2x8x4xf32>, %k: tensor<2x2x8x4xf32>, %v: tensor<2x2x8x4xf32>, %s: tensor<2x8xf32>) -> (tensor<2x2x8x4xf32>, tensor<2x4xi64>) attributes {target = "spatten"} {
  // expected-error @below {{cannot run on SpAtten: ranks the tokens of 2 sequences before an attention; it does so for one}}
  %i = sattn.top_k %s {k = 4 : i64} : tensor<2x8xf32> -> tensor<2x4xi64>
  %gk = sattn.gather %k, %i {dim = 2 : i64} : tensor<2x2x8x4xf32>, tensor<2x4xi64> -> tensor<2x2x4x4xf32>
  %gv = sattn.gather %v, %i {dim = 2 : i64} : tensor<2x2x8x4xf32>, tensor<2x4xi64> -> tensor<2x2x4x4xf32>
  %o = sattn.attention %q, %gk, %gv {scale = 1.0 : f32, policy = #sattn.dense} : tensor<2x2x8x4xf32>, tensor<2x2x4x4xf32>, tensor<2x2x4x4xf32> -> tensor<2x2x8x4xf32>
  isa.return %o, %i : tensor<2x2x8x4xf32>, tensor<2x4xi64>
}

// -----

!t = tensor<1x2x8x4xf32>
// expected-error @below {{cannot run on SpAtten: returns something else than the attention's results and their rankings}}
isa.kernel @returns_an_argument(%q: !t, %k: !t, %v: !t) -> (!t, !t) attributes {target = "spatten"} {
  %o = sattn.attention %q, %k, %v {scale = 1.0 : f32, policy = #sattn.dense} : !t, !t, !t -> !t
  isa.return %o, %q : !t, !t
}

// -----

!t = tensor<1x2x8x4xf32>
!s = tensor<1x8xf32>
// expected-error @below {{cannot run on SpAtten: does not return the attention's output}}
isa.kernel @returns_no_output(%q: !t, %k: !t, %v: !t, %s: !s) -> !s attributes {target = "spatten"} {
  %o, %n = sattn.attention %q, %k, %v token_scores %s {scale = 1.0 : f32, policy = #sattn.dense} : !t, !t, !t token_scores !s -> !t token_scores !s
  isa.return %n : !s
}

// -----

!t = tensor<1x2x8x4xf32>
!half = tensor<1x2x4x4xf32>
!i = tensor<1x4xi64>
!s = tensor<1x8xf32>
isa.kernel @list_without_place(%q: !t, %k: !t, %v: !t, %s: !s) -> !t attributes {target = "spatten"} {
  // expected-error @below {{cannot run on SpAtten: the survivors are no result of the kernel, so that they have no place in DRAM}}
  %i = sattn.top_k %s {k = 4 : i64} : !s -> !i
  %gk = sattn.gather %k, %i {dim = 2 : i64} : !t, !i -> !half
  %gv = sattn.gather %v, %i {dim = 2 : i64} : !t, !i -> !half
  %o = sattn.attention %q, %gk, %gv {scale = 1.0 : f32, policy = #sattn.dense} : !t, !half, !half -> !t
  isa.return %o : !t
}

// -----

!t = tensor<1x2x8x4xf32>
!i = tensor<1x4xi64>
!s = tensor<1x8xf32>
isa.kernel @ranks_other_scores(%q: !t, %k: !t, %v: !t, %s: !s) -> (!t, !i) attributes {target = "spatten"} {
  %o, %n = sattn.attention %q, %k, %v token_scores %s {scale = 1.0 : f32, policy = #sattn.dense} : !t, !t, !t token_scores !s -> !t token_scores !s
  // expected-error @below {{cannot run on SpAtten: ranks other scores than the attention accumulates}}
  %i = sattn.top_k %s {k = 4 : i64} : !s -> !i
  isa.return %o, %i : !t, !i
}

// -----

!t = tensor<1x2x8x4xf32>
!i = tensor<1x4xi64>
!s = tensor<1x8xf32>
isa.kernel @ranks_twice(%q: !t, %k: !t, %v: !t, %s: !s) -> (!t, !i, !i) attributes {target = "spatten"} {
  %o, %n = sattn.attention %q, %k, %v token_scores %s {scale = 1.0 : f32, policy = #sattn.dense} : !t, !t, !t token_scores !s -> !t token_scores !s
  %i = sattn.top_k %n {k = 4 : i64} : !s -> !i
  // expected-error @below {{cannot run on SpAtten: ranks scores that are ranked already}}
  %j = sattn.top_k %n {k = 4 : i64} : !s -> !i
  isa.return %o, %i, %j : !t, !i, !i
}

// -----

!t = tensor<1x2x8x4xf32>
!h = tensor<1x2xf32>
!j = tensor<1x1xi64>
isa.kernel @protects_heads(%q: !t, %k: !t, %v: !t, %h: !h) -> (!t, !j) attributes {target = "spatten"} {
  %o, %n = sattn.attention %q, %k, %v head_scores %h {scale = 1.0 : f32, policy = #sattn.dense} : !t, !t, !t head_scores !h -> !t head_scores !h
  // expected-error @below {{cannot run on SpAtten: protects heads, which the engine cannot}}
  %i = sattn.top_k %n {k = 1 : i64, protect = array<i64: 0>} : !h -> !j
  isa.return %o, %i : !t, !j
}

// -----

!t = tensor<1x2x8x4xf32>
!i = tensor<1x4xi64>
!s = tensor<1x8xf32>
isa.kernel @protects_the_middle(%q: !t, %k: !t, %v: !t, %s: !s) -> (!t, !i) attributes {target = "spatten"} {
  %o, %n = sattn.attention %q, %k, %v token_scores %s {scale = 1.0 : f32, policy = #sattn.dense} : !t, !t, !t token_scores !s -> !t token_scores !s
  // expected-error @below {{cannot run on SpAtten: protects position 3; the engine protects the first and the last tokens}}
  %i = sattn.top_k %n {k = 4 : i64, protect = array<i64: 3>} : !s -> !i
  isa.return %o, %i : !t, !i
}

// -----

isa.kernel @protects_too_many(%q: tensor<1x1x512x4xf32>, %s: tensor<1x512xf32>) -> (tensor<1x1x512x4xf32>, tensor<1x256xi64>) attributes {target = "spatten"} {
  %o, %n = sattn.attention %q, %q, %q token_scores %s {scale = 1.0 : f32, policy = #sattn.dense} : tensor<1x1x512x4xf32>, tensor<1x1x512x4xf32>, tensor<1x1x512x4xf32> token_scores tensor<1x512xf32> -> tensor<1x1x512x4xf32> token_scores tensor<1x512xf32>
  // expected-error @below {{cannot run on SpAtten: protects 256 tokens; the engine protects 255 at each end}}
  %i = sattn.top_k %n {k = 256 : i64, protect = array<i64: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115, 116, 117, 118, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129, 130, 131, 132, 133, 134, 135, 136, 137, 138, 139, 140, 141, 142, 143, 144, 145, 146, 147, 148, 149, 150, 151, 152, 153, 154, 155, 156, 157, 158, 159, 160, 161, 162, 163, 164, 165, 166, 167, 168, 169, 170, 171, 172, 173, 174, 175, 176, 177, 178, 179, 180, 181, 182, 183, 184, 185, 186, 187, 188, 189, 190, 191, 192, 193, 194, 195, 196, 197, 198, 199, 200, 201, 202, 203, 204, 205, 206, 207, 208, 209, 210, 211, 212, 213, 214, 215, 216, 217, 218, 219, 220, 221, 222, 223, 224, 225, 226, 227, 228, 229, 230, 231, 232, 233, 234, 235, 236, 237, 238, 239, 240, 241, 242, 243, 244, 245, 246, 247, 248, 249, 250, 251, 252, 253, 254, 255>} : tensor<1x512xf32> -> tensor<1x256xi64>
  isa.return %o, %i : tensor<1x1x512x4xf32>, tensor<1x256xi64>
}

// -----

isa.kernel @too_many_tokens(%q: tensor<1x1x70000x4xf32>) -> tensor<1x1x70000x4xf32> attributes {target = "spatten"} {
  // expected-error @below {{cannot run on SpAtten: dimensions must lie between 1 and 65535, got 'tensor<1x1x70000x4xf32>' and 'tensor<1x1x70000x4xf32>'}}
  %o = sattn.attention %q, %q, %q {scale = 1.0 : f32, policy = #sattn.dense} : tensor<1x1x70000x4xf32>, tensor<1x1x70000x4xf32>, tensor<1x1x70000x4xf32> -> tensor<1x1x70000x4xf32>
  isa.return %o : tensor<1x1x70000x4xf32>
}
