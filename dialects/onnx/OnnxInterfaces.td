// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- OnnxInterfaces.td - inference of result types ----------------------===//
#ifndef SPARSAM_ONNX_INTERFACES
#define SPARSAM_ONNX_INTERFACES

include "mlir/IR/OpBase.td"

def Onnx_ShapeInference : OpInterface<"ShapeInference"> {
  let cppNamespace = "::sparsam::onnx";
  let description = [{
    An op whose result types follow from its operand types, its attributes and constant operands. The same rule infers
    types and verifies them.
  }];
  let methods = [
    InterfaceMethod<[{
        Appends one type per result. What is not known yet is a dynamic dimension or an unranked tensor; what
        contradicts the definition of the op is emitted as an error.
      }],
      "::llvm::LogicalResult", "inferTypes", (ins "::llvm::SmallVectorImpl<::mlir::Type> &":$types)>,
    InterfaceMethod<[{
        Sets the result types to the inferred ones; dimensions that are not known keep their declared extent.
      }],
      "::llvm::LogicalResult", "inferShapes", (ins), [{}],
      [{ return ::sparsam::onnx::shapes::refineResultTypes($_op); }]>,
  ];
  let verify = [{ return ::sparsam::onnx::shapes::verifyResultTypes($_op); }];
}

#endif // SPARSAM_ONNX_INTERFACES
