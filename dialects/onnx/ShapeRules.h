// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ShapeRules.h - result types of onnx ops ----------------------------===//
//
// One function per rule of ONNX's operator definitions. Each appends the result types of an op, or
// emits an error at it. A tensor whose shape does not follow yet is unranked, an unknown extent
// dynamic.
//
#ifndef SPARSAM_DIALECTS_ONNX_SHAPERULES_H
#define SPARSAM_DIALECTS_ONNX_SHAPERULES_H

#include "mlir/IR/Operation.h"

namespace sparsam::onnx::shapes {

using Types = llvm::SmallVectorImpl<mlir::Type>;

// Element by element.
llvm::LogicalResult unary(mlir::Operation *op, Types &types);
llvm::LogicalResult unaryBool(mlir::Operation *op, Types &types);
llvm::LogicalResult cast(mlir::Operation *op, Types &types);
llvm::LogicalResult castLike(mlir::Operation *op, Types &types);
llvm::LogicalResult broadcast(mlir::Operation *op, Types &types);
llvm::LogicalResult broadcastBool(mlir::Operation *op, Types &types);
llvm::LogicalResult where(mlir::Operation *op, Types &types);

// Matrices, axes, attention.
llvm::LogicalResult matMul(mlir::Operation *op, Types &types);
llvm::LogicalResult gemm(mlir::Operation *op, Types &types);
llvm::LogicalResult alongAxis(mlir::Operation *op, Types &types);
llvm::LogicalResult reduce(mlir::Operation *op, Types &types);
llvm::LogicalResult argMax(mlir::Operation *op, Types &types);
llvm::LogicalResult attention(mlir::Operation *op, Types &types);
llvm::LogicalResult msAttention(mlir::Operation *op, Types &types);
llvm::LogicalResult msMultiHeadAttention(mlir::Operation *op, Types &types);

// Shapes.
llvm::LogicalResult constantOfShape(mlir::Operation *op, Types &types);
llvm::LogicalResult range(mlir::Operation *op, Types &types);
llvm::LogicalResult shape(mlir::Operation *op, Types &types);
llvm::LogicalResult size(mlir::Operation *op, Types &types);
llvm::LogicalResult reshape(mlir::Operation *op, Types &types);
llvm::LogicalResult squeeze(mlir::Operation *op, Types &types);
llvm::LogicalResult unsqueeze(mlir::Operation *op, Types &types);
llvm::LogicalResult flatten(mlir::Operation *op, Types &types);
llvm::LogicalResult transpose(mlir::Operation *op, Types &types);
llvm::LogicalResult expand(mlir::Operation *op, Types &types);
llvm::LogicalResult tile(mlir::Operation *op, Types &types);
llvm::LogicalResult slice(mlir::Operation *op, Types &types);
llvm::LogicalResult gather(mlir::Operation *op, Types &types);
llvm::LogicalResult concat(mlir::Operation *op, Types &types);
llvm::LogicalResult split(mlir::Operation *op, Types &types);

/// Sets the result types to what the op's rule infers; extents that do not follow stay as declared.
llvm::LogicalResult refineResultTypes(mlir::Operation *op);
/// Checks the declared result types against what the rule infers.
llvm::LogicalResult verifyResultTypes(mlir::Operation *op);

/// `axis` from the end if negative; fails outside of [-rank, rank) with an error at `op`.
llvm::FailureOr<int64_t> resolveAxis(mlir::Operation *op, int64_t axis, int64_t rank);

/// First, count and step of a slice of a dimension of `size`, by the rules of ONNX Slice.
struct SliceRange {
  int64_t first, count, step;
};
SliceRange getSliceRange(int64_t start, int64_t end, int64_t step, int64_t size);

} // namespace sparsam::onnx::shapes

#endif // SPARSAM_DIALECTS_ONNX_SHAPERULES_H
