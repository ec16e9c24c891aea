// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- OnnxBase.td - the onnx dialect, its tensors and base classes -------===//
#ifndef SPARSAM_ONNX_BASE
#define SPARSAM_ONNX_BASE

include "mlir/IR/OpBase.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "onnx/OnnxInterfaces.td"

def Onnx_Dialect : Dialect {
  let name = "onnx";
  let cppNamespace = "::sparsam::onnx";
  let summary = "The ONNX operators that transformers use";
  let description = [{
    An imported graph under ONNX's own names: `onnx.MatMul` is ONNX's MatMul, its attributes have ONNX's names, and its
    operands have ONNX's order. Operators have the form of recent opsets: axes, starts, shapes are operands. An optional
    input that is missing is the value of `onnx.None`. Operators of other domains have a prefix (`onnx.MSAttention` is
    Attention of com.microsoft). Only inference is described: outputs that training needs do not exist.
  }];
  let hasConstantMaterializer = 1;
}

//===-- Tensors ------------------------------------------------------------===//

def Onnx_Tensor : TensorOf<[AnyType], [], "tensor">;
def Onnx_FloatTensor : TensorOf<[AnyFloat], [], "tensor of floats">;
def Onnx_NumberTensor : TensorOf<[AnyFloat, I32, I64], [], "tensor of floats, i32 or i64">;
def Onnx_BoolTensor : TensorOf<[I1], [], "tensor of i1">;
def Onnx_IndexTensor : TensorOf<[I32, I64], [], "tensor of i32 or i64">;
def Onnx_OptionalTensor : AnyTypeOf<[Onnx_Tensor, NoneType], "tensor or none">;
def Onnx_OptionalFloatTensor : AnyTypeOf<[Onnx_FloatTensor, NoneType], "tensor of floats or none">;
def Onnx_OptionalIndexTensor : AnyTypeOf<[Onnx_IndexTensor, NoneType], "tensor of i32 or i64, or none">;

//===-- Ops ----------------------------------------------------------------===//

// `rule` is the function of ShapeRules.h that infers result types, `folder` that of Folds.h that folds.
class Onnx_Op<string mnemonic, string rule, string folder = "", list<Trait> traits = []>
    : Op<Onnx_Dialect, mnemonic, traits # [Pure, DeclareOpInterfaceMethods<Onnx_ShapeInference, ["inferTypes"]>]> {
  string inference = "::llvm::LogicalResult $cppClass::inferTypes(::llvm::SmallVectorImpl<::mlir::Type> &types) { return shapes::" # rule # "(getOperation(), types); }\n";
  string folding = !if(!empty(folder), "", "::mlir::OpFoldResult $cppClass::fold(FoldAdaptor adaptor) { return folds::" # folder # "(getOperation(), adaptor.getOperands()); }\n");
  let hasFolder = !not(!empty(folder));
  let extraClassDefinition = inference # folding;
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}

class Onnx_UnaryOp<string mnemonic, string what, string formula, string folder = "", Constraint tensor = Onnx_FloatTensor>
    : Onnx_Op<mnemonic, "unary", folder> {
  let summary = what;
  let description = "\n`" # formula # "`, element by element.\n\n```mlir\n%y = onnx." # mnemonic # " %x : (tensor<2x4x"
      # !if(!eq(tensor, Onnx_BoolTensor), "i1", "f32") # ">) -> tensor<2x4x" # !if(!eq(tensor, Onnx_BoolTensor), "i1", "f32") # ">\n```\n";
  let arguments = (ins tensor:$X);
  let results = (outs Onnx_Tensor:$Y);
}

class Onnx_BinaryOp<string mnemonic, string what, string formula, string rule, string folder,
                    Constraint tensor = Onnx_Tensor, string element = "f32", string result = "f32">
    : Onnx_Op<mnemonic, rule, folder> {
  let summary = what;
  let description = "\n`" # formula # "`, element by element; operands broadcast to a common shape.\n\n```mlir\n%c = onnx."
      # mnemonic # " %a, %b : (tensor<2x4x" # element # ">, tensor<4x" # element # ">) -> tensor<2x4x" # result # ">\n```\n";
  let arguments = (ins tensor:$A, tensor:$B);
  let results = (outs Onnx_Tensor:$C);
}

#endif // SPARSAM_ONNX_BASE
