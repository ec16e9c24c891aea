// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s --sattn-interpret --split-input-file --verify-diagnostics -o /dev/null

// A failed check does not stop the function: both are reported.
func.func @failing_checks() {
  %a = arith.constant dense<[0.0, 1.0, 2.0]> : tensor<3xf32>
  %b = arith.constant dense<[0.0, 1.5, 4.0]> : tensor<3xf32>
  // expected-error @below {{1 of 3 elements differ by more than 0.5, the worst at [0, 0, 0, 2]: got 2, expected 4}}
  check.expect_close %a, %b max_abs 0.5 : tensor<3xf32>
  // expected-error @below {{2 of 3 elements differ, the first at [0, 0, 0, 1]: got 1}}
  check.expect_equal %a, %b : tensor<3xf32>
  return
}

// -----

func.func @nan_is_close_to_nothing() {
  %a = arith.constant dense<0x7FC00000> : tensor<1xf32>
  // expected-error @below {{1 of 1 elements differ by more than 10, the worst at [0, 0, 0, 0]: got nan, expected nan}}
  check.expect_close %a, %a max_abs 10.0 : tensor<1xf32>
  return
}

// -----

func.func @masks_differ() {
  %a = arith.constant dense<[true, false]> : tensor<2xi1>
  %b = arith.constant dense<[true, true]> : tensor<2xi1>
  // expected-error @below {{1 of 2 elements differ, the first at [0, 0, 0, 1]: got 0, expected 1}}
  check.expect_equal %a, %b : tensor<2xi1>
  return
}

// -----

func.func @blocks_differ() {
  %a = sattn.packed_constant dense<[[0, 0, 0, 0, 0, -1]]> : tensor<1x6xi32> : !sattn.packed<1x1x2x4, stripe = 4, pes = 2, rows = 4, encoder = subrow>
  %b = sattn.packed_constant dense<[[0, 0, 0, 0, 0, -1], [0, 0, 0, 1, 1, 3]]> : tensor<2x6xi32> : !sattn.packed<1x1x2x4, stripe = 4, pes = 2, rows = 4, encoder = subrow>
  // expected-error @below {{sub-row 1 differs: got nothing, expected [0, 0, 0, 1, 1, 3]}}
  check.expect_equal %a, %b : !sattn.packed<1x1x2x4, stripe = 4, pes = 2, rows = 4, encoder = subrow>
  return
}

// -----

func.func @no_semantics() {
  %a = arith.constant dense<1.0> : tensor<2xf32>
  // expected-error @below {{'arith.addf' op has no reference semantics: the interpreter runs ops of sattn and check, and constants}}
  %b = arith.addf %a, %a : tensor<2xf32>
  return
}

// -----

func.func @no_data() {
  // expected-error @below {{has no reference semantics for 'tensor<2xf64>': there are tensors of f32, i64, i32, i16, i8, ui16, ui8 and i1 with at most four dimensions}}
  %a = arith.constant dense<1.0> : tensor<2xf64>
  return
}

// -----

func.func @too_large() {
  // expected-error @below {{cannot be interpreted on 'tensor<1x1x1000000x1000000xi1>': expects static shapes of at most 268435456 elements}}
  %m = sattn.select_all : tensor<1x1x1000000x1000000xi1>
  return
}

// -----

func.func @not_calibrated() {
  %x = arith.constant dense<1.0> : tensor<1x1x2x2xf32>
  // expected-error @below {{cannot be interpreted: its selection policy has no value for `k_range`}}
  %o = sattn.attention %x, %x, %x {scale = 1.0 : f32, policy = #sattn.low_bit_threshold<bits = 4, threshold = 0.1, normalize = true, q_range = 1.0, k_range = 0.0, empty_row = dense>}
      : tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32> -> tensor<1x1x2x2xf32>
  return
}

// -----

// expected-error @below {{sattn-interpret found no function to run: expects one with a body and without arguments}}
module {
  func.func @with_argument(%x: tensor<2xf32>) {
    return
  }
}

// -----

func.func @no_valid_key() {
  %x = arith.constant dense<1.0> : tensor<1x1x2x2xf32>
  %n = arith.constant dense<3> : tensor<i64>
  // expected-error @below {{cannot be interpreted: expects 1 to 2 valid keys, got 3}}
  %o = sattn.attention %x, %x, %x valid %n {scale = 1.0 : f32, policy = #sattn.dense}
      : tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32> valid tensor<i64> -> tensor<1x1x2x2xf32>
  return
}

// -----

func.func @valid_keys_of_a_policy() {
  %x = arith.constant dense<1.0> : tensor<1x1x2x2xf32>
  %n = arith.constant dense<1> : tensor<i64>
  // expected-error @below {{cannot be interpreted: with `valid` keys there is only the policy #sattn.dense}}
  %o = sattn.attention %x, %x, %x valid %n {scale = 1.0 : f32, policy = #sattn.low_bit_threshold<bits = 4, threshold = 0.1, normalize = true, q_range = 1.0, k_range = 1.0, empty_row = dense>}
      : tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32> valid tensor<i64> -> tensor<1x1x2x2xf32>
  return
}

// -----

func.func @full_cache() {
  %c = arith.constant dense<1.0> : tensor<1x1x4x2xf32>
  %x = arith.constant dense<1.0> : tensor<1x1x2x2xf32>
  %n = arith.constant dense<3> : tensor<i64>
  // expected-error @below {{cannot be interpreted: 2 tokens after 3 do not fit a cache of 4}}
  %o = sattn.cache_append %c, %x at %n : tensor<1x1x4x2xf32>, tensor<1x1x2x2xf32> at tensor<i64>
  return
}

// -----

func.func @gathers_outside() {
  %x = arith.constant dense<1.0> : tensor<1x4x2xf32>
  %i = arith.constant dense<[[0, 4]]> : tensor<1x2xi64>
  // expected-error @below {{has an index outside of 'tensor<1x4x2xf32>'}}
  %y = sattn.gather %x, %i {dim = 1 : i64} : tensor<1x4x2xf32>, tensor<1x2xi64> -> tensor<1x2x2xf32>
  return
}

// -----

func.func @scatters_outside() {
  %x = arith.constant dense<1.0> : tensor<1x2x2xf32>
  %i = arith.constant dense<[[0, -1]]> : tensor<1x2xi64>
  // expected-error @below {{has an index outside of 'tensor<1x4x2xf32>'}}
  %y = sattn.scatter %x, %i {dim = 1 : i64} : tensor<1x2x2xf32>, tensor<1x2xi64> -> tensor<1x4x2xf32>
  return
}

// -----

isa.kernel @inner(%x: tensor<2xf32>) -> tensor<2xf32> attributes {target = "machine"} {
  isa.return %x : tensor<2xf32>
}
isa.kernel @outer(%x: tensor<2xf32>) -> tensor<2xf32> attributes {target = "machine"} {
  // expected-error @below {{cannot be interpreted inside of a kernel}}
  %y = isa.launch @inner(%x) : (tensor<2xf32>) -> tensor<2xf32>
  isa.return %y : tensor<2xf32>
}
func.func @launches_within_launches() {
  %x = arith.constant dense<1.0> : tensor<2xf32>
  %y = isa.launch @outer(%x) : (tensor<2xf32>) -> tensor<2xf32>
  return
}
