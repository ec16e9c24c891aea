// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SattnInterfaces.td - selection policies and weight encodings -------===//
#ifndef SPARSAM_SATTN_INTERFACES
#define SPARSAM_SATTN_INTERFACES

include "mlir/IR/OpBase.td"

def Sattn_SelectionPolicyAttrInterface : AttrInterface<"SelectionPolicyAttrInterface"> {
  let cppNamespace = "::sparsam::sattn";
  let description = [{
    Which (query, key) pairs of an attention survive. A new policy is a new attribute that implements this interface,
    in any dialect; `sattn.attention` and the passes know policies through it alone.
  }];
  let methods = [
    InterfaceMethod<"Checks the policy against the attention it is put on; emits errors at the op.",
      "::llvm::LogicalResult", "verifyFor", (ins "::mlir::Operation *":$attention)>,
    InterfaceMethod<"True if the policy keeps every pair (nothing to predict).", "bool", "isDense">,
    InterfaceMethod<[{
      True if the policy stands for a mask of the model, which keeps it whether attention is made sparse or not.}],
      "bool", "replacesMask", (ins), [{}], [{ return false; }]>,
    InterfaceMethod<[{
      Name of the first parameter that must come from calibration and is not set yet, or empty. Lowering refuses a
      policy that still needs calibration.}], "::llvm::StringRef", "missingCalibration">,
    InterfaceMethod<[{
      Builds the ops that compute the i1 mask [batch, heads, queries, keys] of `attention` (a `sattn.attention`), and
      returns it; for a dense policy that is `sattn.select_all`.}],
      "::mlir::Value", "buildSelection", (ins "::mlir::OpBuilder &":$builder, "::mlir::Operation *":$attention)>,
    InterfaceMethod<[{
      Builds the ops that compute which of the selected pairs mix values, from their `probabilities`, and returns that i1
      mask; null where all of them do.}],
      "::mlir::Value", "buildValueSelection", (ins "::mlir::OpBuilder &":$builder, "::mlir::Operation *":$attention,
      "::mlir::Value":$probabilities), [{}], [{ return ::mlir::Value(); }]>,
  ];
}

def Sattn_WeightEncodingAttrInterface : AttrInterface<"WeightEncodingAttrInterface"> {
  let cppNamespace = "::sparsam::sattn";
  let description = [{
    How the weights of a linear layer are stored. A new encoding is a new attribute that implements this interface, in
    any dialect; passes that prune and compress know encodings through it alone. Weights are [inputs, outputs], or
    [outputs, inputs] if `transposed`.
  }];
  let methods = [
    InterfaceMethod<"Why a matrix of this shape cannot be encoded, or empty.",
      "std::string", "whyNot", (ins "int64_t":$outputs, "int64_t":$inputs)>,
    InterfaceMethod<"Bytes of an encoded matrix.",
      "int64_t", "encodedBytes", (ins "int64_t":$outputs, "int64_t":$inputs)>,
    InterfaceMethod<"Bytes of the same matrix in words of the same width, with nothing left out.",
      "int64_t", "plainBytes", (ins "int64_t":$outputs, "int64_t":$inputs)>,
    InterfaceMethod<"Builds the op that encodes `weight`; it folds on a constant. Returns the encoded parts.",
      "::llvm::SmallVector<::mlir::Value>", "buildEncode",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc, "::mlir::Value":$weight, "bool":$transposed)>,
    InterfaceMethod<"Builds the op that decodes what `buildEncode` returned into a matrix of `type`.",
      "::mlir::Value", "buildDecode",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc, "::mlir::ValueRange":$parts,
           "::mlir::RankedTensorType":$type, "bool":$transposed)>,
  ];
}

#endif // SPARSAM_SATTN_INTERFACES
