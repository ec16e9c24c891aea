// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sparsam-opt %s -split-input-file -verify-diagnostics -allow-unregistered-dialect --isa-assemble="output=%t.spx"
// RUN: not ls %t.spx

// expected-error @+1 {{needs a function @main of one block to be assembled}}
module {
}

// -----

// expected-error @+1 {{cannot be assembled: expects tensors of static shape, got 'tensor<?xf32>'}}
func.func @main(%x: tensor<?xf32>) -> tensor<?xf32> {
  return %x : tensor<?xf32>
}

// -----

// expected-error @+1 {{cannot be assembled: the runtime has no tensors of 'bf16'}}
func.func @main(%x: tensor<4xbf16>) -> tensor<4xbf16> {
  return %x : tensor<4xbf16>
}

// -----

// expected-error @+1 {{must end in func.return}}
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  "test.stop"() : () -> ()
}

// -----

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{cannot be assembled: nothing computes this value}}
  %c = arith.constant 1.0 : f32
  %y = "test.add"(%x, %c) : (tensor<4xf32>, f32) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{cannot be assembled: it has regions}}
  %y = "test.loop"(%x) ({
  ^bb0:
  }) : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

func.func @main(%x: tensor<4xf32>, %shape: tensor<1xi64>) -> tensor<2xf32> {
  %y = "test.double"(%x) : (tensor<4xf32>) -> tensor<4xf32>
  // expected-error @+1 {{must not change the number of elements}}
  %z = "onnx.Reshape"(%y, %shape) : (tensor<4xf32>, tensor<1xi64>) -> tensor<2xf32>
  %w = "test.double"(%z) : (tensor<2xf32>) -> tensor<2xf32>
  return %w : tensor<2xf32>
}

// -----

// expected-error @+1 {{has no data for the resource 'nothing'}}
module {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    %c = arith.constant dense_resource<nothing> : tensor<4xf32>
    %y = "test.add"(%x, %c) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    return %y : tensor<4xf32>
  }
}

// -----

// expected-error @+1 {{cannot be assembled: constants must be dense}}
module {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    %c = arith.constant sparse<[[0]], [1.0]> : tensor<4xf32>
    %y = "test.add"(%x, %c) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    return %y : tensor<4xf32>
  }
}

// -----

// expected-error @+1 {{has constants of 4 bytes where their types need 16}}
module {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    %c = arith.constant dense_resource<short> : tensor<4xf32>
    %y = "test.add"(%x, %c) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    return %y : tensor<4xf32>
  }
}
{-#
  dialect_resources: {
    builtin: {
      short: "0x0400000000000000"
    }
  }
#-}

// -----

// expected-error @+1 {{is not in machine form; lower it to its target first}}
isa.kernel @k(%x: tensor<4xf32>) -> tensor<4xf32> attributes {target = "sanger"} {
  isa.return %x : tensor<4xf32>
}
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = isa.launch @k(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// Sparsified, but not partitioned.
func.func @main(%x: tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32> {
  // expected-error @+1 {{cannot be assembled: it is to run on 'machine' (`sattn.target`), but is in no kernel; run --sattn-partition and the passes of that target first}}
  %y = sattn.attention %x, %x, %x {scale = 0.5 : f32, policy = #sattn.dense, sattn.target = "machine"}
      : tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32> -> tensor<1x1x4x4xf32>
  return %y : tensor<1x1x4x4xf32>
}

// -----

func.func @main(%x: tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32> {
  // expected-error @+1 {{cannot be assembled: the host attends to every pair; policy #sattn.pattern<windows = [(-1, 3, 1)], globals = []> needs a target (`sattn.target`)}}
  %y = sattn.attention %x, %x, %x {scale = 0.5 : f32, policy = #sattn.pattern<windows = [(-1, 3, 1)], globals = []>}
      : tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32> -> tensor<1x1x4x4xf32>
  return %y : tensor<1x1x4x4xf32>
}
