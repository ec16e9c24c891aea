// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Kernels that none of our passes makes, but that the lowering must not take for what it knows.
// RUN: sparsam-opt %s --split-input-file --verify-diagnostics --isa-set-target="target=sanger" --lower-to-sanger

!t = tensor<1x1x8x8xf32>
// expected-error @below {{cannot run on Sanger: expects one block that returns one attention output}}
isa.kernel @no_result(%q: !t, %k: !t, %v: !t) attributes {target = "sanger"} {
  isa.return
}

// -----

!t = tensor<1x1x8x8xf32>
// expected-error @below {{cannot run on Sanger: expects sddmm, softmax and spmm; run sattn-decompose first}}
isa.kernel @no_attention(%q: !t, %k: !t, %v: !t) -> !t attributes {target = "sanger"} {
  isa.return %q : !t
}

// -----

!t = tensor<1x1x8x8xf32>
!m = tensor<1x1x8x8xi1>
!p = !sattn.packed<1x1x8x8, stripe = 64, pes = 16, rows = 64, encoder = subrow>
isa.kernel @selections(%q: !t, %k: !t, %v: !t) -> !t attributes {target = "sanger"} {
  %m = sattn.select_all : !m
  %b = sattn.pack_split %m : !m -> !p
  %other = sattn.pack_split %m : !m -> !p
  %x = sattn.sddmm %q, %k over %b {scale = 1.0 : f32} : !t, !t, !p -> !t
  %y = sattn.softmax %x over %other : !t, !p -> !t
  // expected-error @below {{cannot run on Sanger: sddmm, softmax and spmm select different pairs}}
  %z = sattn.spmm %y, %v over %b : !t, !t, !p -> !t
  isa.return %z : !t
}

// -----

!t = tensor<1x1x8x8xf32>
!m = tensor<1x1x8x8xi1>
!p = !sattn.packed<1x1x8x8, stripe = 64, pes = 16, rows = 64, encoder = subrow>
// expected-error @below {{cannot run on Sanger: expects its arguments to be query, key, value and the additive mask if there is one}}
isa.kernel @arguments(%k: !t, %q: !t, %v: !t) -> !t attributes {target = "sanger"} {
  %m = sattn.select_all : !m
  %b = sattn.pack_split %m : !m -> !p
  %x = sattn.sddmm %q, %k over %b {scale = 1.0 : f32} : !t, !t, !p -> !t
  %y = sattn.softmax %x over %b : !t, !p -> !t
  %z = sattn.spmm %y, %v over %b : !t, !t, !p -> !t
  isa.return %z : !t
}

// -----

!t = tensor<1x1x8x8xf32>
!m = tensor<1x1x8x8xi1>
isa.kernel @not_packed(%q: !t, %k: !t, %v: !t) -> !t attributes {target = "sanger"} {
  %m = sattn.select_all : !m
  // expected-error @below {{cannot run on Sanger: expects a packed selection; run sattn-pack-split first}}
  %x = sattn.sddmm %q, %k over %m {scale = 1.0 : f32} : !t, !t, !m -> !t
  %y = sattn.softmax %x over %m : !t, !m -> !t
  %z = sattn.spmm %y, %v over %m : !t, !t, !m -> !t
  isa.return %z : !t
}

// -----

!t = tensor<1x1x8x8xf32>
!m = tensor<1x1x8x8xi1>
!p = !sattn.packed<1x1x8x8, stripe = 64, pes = 16, rows = 64, encoder = subrow>
isa.kernel @selection_of_another_kind(%q: !t, %k: !t, %v: !t) -> !t attributes {target = "sanger"} {
  %m = sattn.select_largest %q {k = 2 : i64} : !t -> !m
  // expected-error @below {{cannot run on Sanger: expects a mask from select and predict, or from select_all}}
  %b = sattn.pack_split %m : !m -> !p
  %x = sattn.sddmm %q, %k over %b {scale = 1.0 : f32} : !t, !t, !p -> !t
  %y = sattn.softmax %x over %b : !t, !p -> !t
  %z = sattn.spmm %y, %v over %b : !t, !t, !p -> !t
  isa.return %z : !t
}

// -----

!t = tensor<1x1x8x8xf32>
!m = tensor<1x1x8x8xi1>
!c = tensor<1x1x8x8xi8>
!n = tensor<1x1x8x1xf32>
!p = !sattn.packed<1x1x8x8, stripe = 64, pes = 16, rows = 64, encoder = subrow>
isa.kernel @codes_of_others(%q: !t, %k: !t, %v: !t) -> !t attributes {target = "sanger"} {
  %cq, %nq = sattn.quantize %k bits 4 range 1.0 normalize : !t -> !c, !n
  %ck, %nk = sattn.quantize %k bits 4 range 1.0 normalize : !t -> !c, !n
  // expected-error @below {{cannot run on Sanger: expects codes of the queries and keys that sddmm multiplies}}
  %p = sattn.predict %cq, %nq, %ck, %nk {q_scale = 7.0 : f64, k_scale = 7.0 : f64, scale = 1.0 : f32} : !c, !n, !c, !n -> !t
  %m = sattn.select %p threshold 2.0e-3 empty_row<dense> : !t -> !m
  %b = sattn.pack_split %m : !m -> !p
  %x = sattn.sddmm %q, %k over %b {scale = 1.0 : f32} : !t, !t, !p -> !t
  %y = sattn.softmax %x over %b : !t, !p -> !t
  %z = sattn.spmm %y, %v over %b : !t, !t, !p -> !t
  isa.return %z : !t
}

// -----

!t = tensor<1x1x8x8xf32>
!m = tensor<1x1x8x8xi1>
!c = tensor<1x1x8x8xi8>
!n = tensor<1x1x8x1xf32>
!p = !sattn.packed<1x1x8x8, stripe = 64, pes = 16, rows = 64, encoder = subrow>
isa.kernel @quantised_differently(%q: !t, %k: !t, %v: !t) -> !t attributes {target = "sanger"} {
  %cq, %nq = sattn.quantize %q bits 4 range 1.0 : !t -> !c, !n
  %ck, %nk = sattn.quantize %k bits 4 range 1.0 normalize : !t -> !c, !n
  // expected-error @below {{cannot run on Sanger: queries and keys are quantised differently}}
  %p = sattn.predict %cq, %nq, %ck, %nk {q_scale = 7.0 : f64, k_scale = 7.0 : f64, scale = 1.0 : f32} : !c, !n, !c, !n -> !t
  %m = sattn.select %p threshold 2.0e-3 empty_row<dense> : !t -> !m
  %b = sattn.pack_split %m : !m -> !p
  %x = sattn.sddmm %q, %k over %b {scale = 1.0 : f32} : !t, !t, !p -> !t
  %y = sattn.softmax %x over %b : !t, !p -> !t
  %z = sattn.spmm %y, %v over %b : !t, !t, !p -> !t
  isa.return %z : !t
}

// -----

!t = tensor<1x1x8x8xf32>
!m = tensor<1x1x8x8xi1>
!c = tensor<1x1x8x8xi8>
!n = tensor<1x1x8x1xf32>
!p = !sattn.packed<1x1x8x8, stripe = 64, pes = 16, rows = 64, encoder = subrow>
isa.kernel @scales(%q: !t, %k: !t, %v: !t) -> !t attributes {target = "sanger"} {
  %cq, %nq = sattn.quantize %q bits 4 range 1.0 normalize : !t -> !c, !n
  %ck, %nk = sattn.quantize %k bits 4 range 1.0 normalize : !t -> !c, !n
  // expected-error @below {{cannot run on Sanger: prediction and sddmm have different masks or scales}}
  %p = sattn.predict %cq, %nq, %ck, %nk {q_scale = 7.0 : f64, k_scale = 7.0 : f64, scale = 2.0 : f32} : !c, !n, !c, !n -> !t
  %m = sattn.select %p threshold 2.0e-3 empty_row<dense> : !t -> !m
  %b = sattn.pack_split %m : !m -> !p
  %x = sattn.sddmm %q, %k over %b {scale = 1.0 : f32} : !t, !t, !p -> !t
  %y = sattn.softmax %x over %b : !t, !p -> !t
  %z = sattn.spmm %y, %v over %b : !t, !t, !p -> !t
  isa.return %z : !t
}
