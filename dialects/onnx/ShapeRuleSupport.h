// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ShapeRuleSupport.h - what the shape rules share --------------------===//
#ifndef SPARSAM_DIALECTS_ONNX_SHAPERULESUPPORT_H
#define SPARSAM_DIALECTS_ONNX_SHAPERULESUPPORT_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Operation.h"

namespace sparsam::onnx::shapes {

/// Type of an operand that is a tensor.
inline mlir::ShapedType typeOf(mlir::Operation *op, unsigned operand) {
  return ::mlir::cast<mlir::ShapedType>(op->getOperand(operand).getType());
}

/// An integer attribute, or its default where it is not there.
inline int64_t integerOr(mlir::Operation *op, llvm::StringRef name, int64_t otherwise) {
  auto attribute = op->getAttrOfType<mlir::IntegerAttr>(name);
  return attribute ? attribute.getInt() : otherwise;
}

/// Refuses a shape that no tensor has: of too many elements, or of less than none.
llvm::LogicalResult checkExtents(mlir::Operation *op, llvm::ArrayRef<int64_t> shape);

} // namespace sparsam::onnx::shapes

#endif // SPARSAM_DIALECTS_ONNX_SHAPERULESUPPORT_H
