// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SattnEnums.td - enumerations of the sattn dialect ------------------===//
#ifndef SPARSAM_SATTN_ENUMS
#define SPARSAM_SATTN_ENUMS

include "mlir/IR/EnumAttr.td"

def Sattn_Activation : I32EnumAttr<"Activation", "function applied to the result of a linear layer", [
    I32EnumAttrCase<"None", 0, "none">,
    I32EnumAttrCase<"Relu", 1, "relu">,
    I32EnumAttrCase<"Gelu", 2, "gelu">,
    I32EnumAttrCase<"GeluTanh", 3, "gelu_tanh">,
    I32EnumAttrCase<"Tanh", 4, "tanh">]> {
  let cppNamespace = "::sparsam::sattn";
  let genSpecializedAttr = 0;
}

def Sattn_EmptyRow : I32EnumAttr<"EmptyRow", "what a query attends to when selection keeps no key for it", [
    I32EnumAttrCase<"Dense", 0, "dense">,
    I32EnumAttrCase<"Zero", 1, "zero">,
    I32EnumAttrCase<"Argmax", 2, "argmax">]> {
  let cppNamespace = "::sparsam::sattn";
  let genSpecializedAttr = 0;
}

def Sattn_Encoder : I32EnumAttr<"Encoder", "how pack and split cuts a mask stripe into blocks", [
    I32EnumAttrCase<"Subrow", 0, "subrow">,
    I32EnumAttrCase<"ColumnCut", 1, "column_cut">]> {
  let cppNamespace = "::sparsam::sattn";
  let genSpecializedAttr = 0;
}

#endif // SPARSAM_SATTN_ENUMS
