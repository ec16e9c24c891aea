// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Passes.td - from onnx to sattn -------------------------------------===//
#ifndef SPARSAM_CONVERSION_PASSES
#define SPARSAM_CONVERSION_PASSES

include "mlir/Pass/PassBase.td"

def RaiseOnnxToSattn : Pass<"raise-onnx-to-sattn", "::mlir::ModuleOp"> {
  let summary = "Recognise attention and linear layers";
  let description = [{
    Makes one `sattn.attention` of MatMul, scale, mask, Softmax, MatMul, in the forms that exporters write: scaled by Mul or
    Div, before or after the first MatMul, on Q or on K or on both; masks that are added, chosen by Where, or by products
    with constant flags (`s * flags - 1e4 * (1 - flags)`); Transpose on K anywhere; two to four dimensions; Cast, Dropout and
    Identity in between, and a Where behind the Softmax that puts 0 for what IsNaN finds. A constant mask that hides the future
    becomes `causal`. The operators Attention (ai.onnx 23) and Attention and MultiHeadAttention (com.microsoft) are
    expanded into the same op.

    For each Softmax that is no attention a remark says why. An operator in a form that nothing can run is an error; with
    `keep-refused` it stays, with a remark. Cores are named `attention_0`, `attention_1`, ... in the order
    of the graph (`sattn.name`).

    A Where that hides pairs becomes an additive mask of its fill, which must be -1e4 or lower. That is the same for every
    query with at least one visible key; a query with none attends evenly in ONNX, and by its scores here, unless the fill is
    so low that adding a score changes nothing (as exporters write it: the lowest float).

    A MatMul or Gemm with a constant matrix becomes `sattn.linear`, with bias, activation and residual where they follow.

    ```mlir
    // in
    %s = onnx.MatMul %q, %kt : (tensor<1x2x8x16xf32>, tensor<1x2x16x8xf32>) -> tensor<1x2x8x8xf32>
    %d = onnx.Div %s, %four : (tensor<1x2x8x8xf32>, tensor<f32>) -> tensor<1x2x8x8xf32>
    %p = onnx.Softmax %d : (tensor<1x2x8x8xf32>) -> tensor<1x2x8x8xf32>
    %o = onnx.MatMul %p, %v : (tensor<1x2x8x8xf32>, tensor<1x2x8x16xf32>) -> tensor<1x2x8x16xf32>
    // out
    %o = sattn.attention %q, %k, %v {policy = #sattn.dense, sattn.name = "attention_0", scale = 2.500000e-01 : f32}
        : tensor<1x2x8x16xf32>, tensor<1x2x8x16xf32>, tensor<1x2x8x16xf32> -> tensor<1x2x8x16xf32>
    ```
  }];
  let dependentDialects = ["::sparsam::onnx::OnnxDialect", "::sparsam::sattn::SattnDialect"];
  let options = [
    Option<"keepsRefused", "keep-refused", "bool", "false", "Keep operators in a form that nothing can run">,
  ];
}

#endif // SPARSAM_CONVERSION_PASSES
