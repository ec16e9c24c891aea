// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Folds.h - evaluation of small constants ----------------------------===//
#ifndef SPARSAM_DIALECTS_ONNX_FOLDS_H
#define SPARSAM_DIALECTS_ONNX_FOLDS_H

#include "mlir/IR/OpDefinition.h"

namespace sparsam::onnx::folds {

/// Larger tensors than this are weights: they are moved or computed when the program runs.
inline constexpr int64_t kMaxElements = 64 * 1024;

/// Arithmetic, comparisons, Cast and Where on constants; x * 1, x / 1 and casts to the same type
/// without.
mlir::OpFoldResult elementwise(mlir::Operation *op, llvm::ArrayRef<mlir::Attribute> operands);
/// Ops whose result has the elements of operand 0: a new shape for a constant of any size.
mlir::OpFoldResult same(mlir::Operation *op, llvm::ArrayRef<mlir::Attribute> operands);
/// Ops that move elements of constants, and shapes of static tensors.
mlir::OpFoldResult move(mlir::Operation *op, llvm::ArrayRef<mlir::Attribute> operands);

} // namespace sparsam::onnx::folds

#endif // SPARSAM_DIALECTS_ONNX_FOLDS_H
