// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Onnx.h - the onnx dialect ------------------------------------------===//
#ifndef SPARSAM_DIALECTS_ONNX_ONNX_H
#define SPARSAM_DIALECTS_ONNX_ONNX_H

#include "onnx/ShapeRules.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "onnx/OnnxDialect.h.inc"

#include "onnx/OnnxOpInterfaces.h.inc"

#define GET_OP_CLASSES
#include "onnx/OnnxOps.h.inc"

namespace sparsam::onnx {

/// Discardable attribute of arguments and results of @main: their names in the graph.
inline constexpr llvm::StringLiteral kNameAttr = "onnx.name";

/// The integers of a constant operand of i32 or i64; nothing if it is none.
std::optional<llvm::SmallVector<int64_t>> getConstantIntegers(mlir::Value value);

/// The one element of a constant of floats, whatever its shape; nothing if there are several.
std::optional<double> getConstantScalar(mlir::Value value);

/// True if `value` is the result of onnx.None.
bool isNone(mlir::Value value);

} // namespace sparsam::onnx

#endif // SPARSAM_DIALECTS_ONNX_ONNX_H
