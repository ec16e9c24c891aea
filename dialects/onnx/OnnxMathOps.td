// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- OnnxMathOps.td - element by element, and matrix products -----------===//
#ifndef SPARSAM_ONNX_MATH_OPS
#define SPARSAM_ONNX_MATH_OPS

include "onnx/OnnxBase.td"

//===-- One operand --------------------------------------------------------===//

def Onnx_AbsOp : Onnx_UnaryOp<"Abs", "Take absolute values", "|x|", "elementwise", Onnx_Tensor>;
def Onnx_NegOp : Onnx_UnaryOp<"Neg", "Negate", "-x", "elementwise", Onnx_Tensor>;
def Onnx_SqrtOp : Onnx_UnaryOp<"Sqrt", "Take square roots", "sqrt(x)", "elementwise">;
def Onnx_ReciprocalOp : Onnx_UnaryOp<"Reciprocal", "Take reciprocals", "1 / x", "elementwise">;
def Onnx_ExpOp : Onnx_UnaryOp<"Exp", "Take exponentials", "e^x">;
def Onnx_LogOp : Onnx_UnaryOp<"Log", "Take natural logarithms", "ln(x)">;
def Onnx_ErfOp : Onnx_UnaryOp<"Erf", "Evaluate the error function", "erf(x)">;
def Onnx_TanhOp : Onnx_UnaryOp<"Tanh", "Take hyperbolic tangents", "tanh(x)">;
def Onnx_SigmoidOp : Onnx_UnaryOp<"Sigmoid", "Evaluate the logistic function", "1 / (1 + e^-x)">;
def Onnx_ReluOp : Onnx_UnaryOp<"Relu", "Clamp below at zero", "max(x, 0)">;
def Onnx_NotOp : Onnx_UnaryOp<"Not", "Negate logically", "not x", "elementwise", Onnx_BoolTensor>;
def Onnx_IsNaNOp : Onnx_Op<"IsNaN", "unaryBool"> {
  let summary = "Find what is not a number";
  let description = [{
    ```mlir
    %y = onnx.IsNaN %x : (tensor<2x4xf32>) -> tensor<2x4xi1>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$X);
  let results = (outs Onnx_Tensor:$Y);
}
def Onnx_GeluOp : Onnx_Op<"Gelu", "unary"> {
  let summary = "Apply the Gaussian error linear unit";
  let description = [{
    `x/2 (1 + erf(x / sqrt(2)))`, or with `approximate = "tanh"` `x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))`.

    ```mlir
    %y = onnx.Gelu %x {approximate = "tanh"} : (tensor<2x4xf32>) -> tensor<2x4xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$X, DefaultValuedStrAttr<StrAttr, "none">:$approximate);
  let results = (outs Onnx_Tensor:$Y);
  let hasVerifier = 1;
}
def Onnx_ClipOp : Onnx_Op<"Clip", "unary"> {
  let summary = "Clamp between two bounds";
  let description = [{
    ```mlir
    %y = onnx.Clip %x, %min, %max : (tensor<2x4xf32>, tensor<f32>, none) -> tensor<2x4xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$input, Onnx_OptionalTensor:$min, Onnx_OptionalTensor:$max);
  let results = (outs Onnx_Tensor:$output);
}
def Onnx_CastOp : Onnx_Op<"Cast", "cast", "elementwise"> {
  let summary = "Convert the element type";
  let description = [{
    `to` is ONNX's number of the type: 1 float, 2 uint8, 3 int8, 6 int32, 7 int64, 9 bool, 10 float16, 11 double.

    ```mlir
    %y = onnx.Cast %x {to = 1 : i64} : (tensor<2x4xi64>) -> tensor<2x4xf32>
    ```
  }];
  let arguments = (ins Onnx_Tensor:$input, I64Attr:$to);
  let results = (outs Onnx_Tensor:$output);
}
def Onnx_CastLikeOp : Onnx_Op<"CastLike", "castLike", "elementwise"> {
  let summary = "Convert to the element type of another tensor";
  let description = [{
    ```mlir
    %y = onnx.CastLike %x, %like : (tensor<2x4xi64>, tensor<f32>) -> tensor<2x4xf32>
    ```
  }];
  let arguments = (ins Onnx_Tensor:$input, Onnx_Tensor:$target_type);
  let results = (outs Onnx_Tensor:$output);
}

//===-- Two and three operands ---------------------------------------------===//

def Onnx_AddOp : Onnx_BinaryOp<"Add", "Add", "a + b", "broadcast", "elementwise">;
def Onnx_SubOp : Onnx_BinaryOp<"Sub", "Subtract", "a - b", "broadcast", "elementwise">;
def Onnx_MulOp : Onnx_BinaryOp<"Mul", "Multiply", "a * b", "broadcast", "elementwise">;
def Onnx_DivOp : Onnx_BinaryOp<"Div", "Divide; integers towards zero", "a / b", "broadcast", "elementwise">;
def Onnx_MinOp : Onnx_BinaryOp<"Min", "Take the smaller", "min(a, b)", "broadcast", "elementwise">;
def Onnx_MaxOp : Onnx_BinaryOp<"Max", "Take the larger", "max(a, b)", "broadcast", "elementwise">;
def Onnx_PowOp : Onnx_BinaryOp<"Pow", "Raise to a power", "a ^ b", "broadcast", "elementwise">;
def Onnx_EqualOp : Onnx_BinaryOp<"Equal", "Compare", "a == b", "broadcastBool", "elementwise", Onnx_Tensor, "f32", "i1">;
def Onnx_LessOp : Onnx_BinaryOp<"Less", "Compare", "a < b", "broadcastBool", "elementwise", Onnx_Tensor, "f32", "i1">;
def Onnx_LessOrEqualOp : Onnx_BinaryOp<"LessOrEqual", "Compare", "a <= b", "broadcastBool", "elementwise", Onnx_Tensor, "f32", "i1">;
def Onnx_GreaterOp : Onnx_BinaryOp<"Greater", "Compare", "a > b", "broadcastBool", "elementwise", Onnx_Tensor, "f32", "i1">;
def Onnx_GreaterOrEqualOp : Onnx_BinaryOp<"GreaterOrEqual", "Compare", "a >= b", "broadcastBool", "elementwise", Onnx_Tensor, "f32", "i1">;
def Onnx_AndOp : Onnx_BinaryOp<"And", "Combine logically", "a and b", "broadcastBool", "elementwise", Onnx_BoolTensor, "i1", "i1">;
def Onnx_OrOp : Onnx_BinaryOp<"Or", "Combine logically", "a or b", "broadcastBool", "elementwise", Onnx_BoolTensor, "i1", "i1">;

def Onnx_WhereOp : Onnx_Op<"Where", "where", "elementwise"> {
  let summary = "Choose between two tensors";
  let description = [{
    `condition ? x : y`, element by element; operands broadcast to a common shape.

    ```mlir
    %z = onnx.Where %c, %x, %y : (tensor<2x4xi1>, tensor<2x4xf32>, tensor<f32>) -> tensor<2x4xf32>
    ```
  }];
  let arguments = (ins Onnx_BoolTensor:$condition, Onnx_Tensor:$X, Onnx_Tensor:$Y);
  let results = (outs Onnx_Tensor:$output);
}

//===-- Matrix products ----------------------------------------------------===//

def Onnx_MatMulOp : Onnx_Op<"MatMul", "matMul"> {
  let summary = "Multiply matrices";
  let description = [{
    As numpy.matmul: the last two dimensions are matrices, the others broadcast.

    ```mlir
    %y = onnx.MatMul %a, %b : (tensor<2x8x16xf32>, tensor<16x32xf32>) -> tensor<2x8x32xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$A, Onnx_FloatTensor:$B);
  let results = (outs Onnx_Tensor:$Y);
}
def Onnx_GemmOp : Onnx_Op<"Gemm", "gemm"> {
  let summary = "Multiply two matrices and add a third";
  let description = [{
    `alpha A' B' + beta C`, where A' and B' are transposed if `transA` and `transB` say so, and C broadcasts.

    ```mlir
    %y = onnx.Gemm %a, %b, %c {transB = 1 : i64} : (tensor<8x16xf32>, tensor<32x16xf32>, tensor<32xf32>) -> tensor<8x32xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$A, Onnx_FloatTensor:$B, Onnx_OptionalFloatTensor:$C,
      DefaultValuedAttr<F32Attr, "1.0f">:$alpha, DefaultValuedAttr<F32Attr, "1.0f">:$beta,
      DefaultValuedAttr<I64Attr, "0">:$transA, DefaultValuedAttr<I64Attr, "0">:$transB);
  let results = (outs Onnx_Tensor:$Y);
}

#endif // SPARSAM_ONNX_MATH_OPS
