// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators in a form that nothing can run stay, with a remark.
// RUN: sparsam-opt %s -raise-onnx-to-sattn=keep-refused -verify-diagnostics | FileCheck %s

// CHECK: module attributes {sattn.not_raised = ["Attention: cannot be run: softcap is not supported"]}
// CHECK: onnx.Attention {{.*}}softcap
// CHECK: sattn.attention {{.*}} sattn.name = "attention_0"
func.func @softcap(%q: tensor<1x2x8x16xf32>) -> tensor<1x2x8x16xf32> {
  %none = onnx.None : none
  // expected-remark @+1 {{this Attention is not raised to sattn.attention: cannot be run: softcap is not supported}}
  %y = onnx.Attention %q, %q, %q, %none {softcap = 2.0 : f32} : (tensor<1x2x8x16xf32>, tensor<1x2x8x16xf32>, tensor<1x2x8x16xf32>, none) -> tensor<1x2x8x16xf32>
  %z = onnx.Attention %y, %y, %y, %none : (tensor<1x2x8x16xf32>, tensor<1x2x8x16xf32>, tensor<1x2x8x16xf32>, none) -> tensor<1x2x8x16xf32>
  return %z : tensor<1x2x8x16xf32>
}
