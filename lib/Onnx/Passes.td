// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Passes.td - passes over imported graphs ----------------------------===//
#ifndef SPARSAM_ONNX_PASSES
#define SPARSAM_ONNX_PASSES

include "mlir/Pass/PassBase.td"

def InferShapes : Pass<"onnx-infer-shapes", "::mlir::ModuleOp"> {
  let summary = "Give every tensor its static shape, folding shape arithmetic on the way";
  let description = [{
    Goes through each function in order, infers the result types of every `onnx` op and folds it where its operands are
    small constants, so that `Shape`, `Gather`, `Concat` and `Reshape` chains disappear. A tensor that has no static shape
    afterwards is an error.

    ```mlir
    // in
    %s = onnx.Shape %x : (tensor<2x16xi64>) -> tensor<?xi64>
    // out
    %s = onnx.Constant dense<[2, 16]> : tensor<2xi64>
    ```
  }];
  let dependentDialects = ["::sparsam::onnx::OnnxDialect"];
}

def FuseOnnx : Pass<"onnx-fuse"> {
  let summary = "Make one op of sub-graphs for layer normalisation and GELU";
  let description = [{
    Recognises `onnx.LayerNormalization` in ReduceMean, Sub, Pow or Mul, ReduceMean, Add, Sqrt, Div, Mul, Add, and
    `onnx.Gelu` in its Erf form and in its Tanh form, in the orders in which exporters write them.

    ```mlir
    // in
    %d = onnx.Div %x, %sqrt2 : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
    %e = onnx.Erf %d : (tensor<2x8xf32>) -> tensor<2x8xf32>
    %a = onnx.Add %e, %one : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
    %m = onnx.Mul %x, %a : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>
    %y = onnx.Mul %m, %half : (tensor<2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
    // out
    %y = onnx.Gelu %x : (tensor<2x8xf32>) -> tensor<2x8xf32>
    ```
  }];
  let dependentDialects = ["::sparsam::onnx::OnnxDialect"];
}

#endif // SPARSAM_ONNX_PASSES
