// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CascadeSupport.h - what both kinds of cascade share ----------------===//
#ifndef SPARSAM_LIB_TRANSFORMS_CASCADESUPPORT_H
#define SPARSAM_LIB_TRANSFORMS_CASCADESUPPORT_H

#include "sparsam/Cascade.h"

#include "sattn/Sattn.h"

#include "mlir/IR/Builders.h"

namespace sparsam {

inline mlir::RankedTensorType typeOf(mlir::Value value) {
  return llvm::cast<mlir::RankedTensorType>(value.getType());
}

/// Marks a core and `others` as one kernel of the module's machine, if it has one.
void placeTogether(sattn::AttentionOp core, llvm::ArrayRef<mlir::Operation *> others);

/// The attention cores of `function` in program order.
inline llvm::SmallVector<sattn::AttentionOp> coresOf(mlir::func::FuncOp function) {
  llvm::SmallVector<sattn::AttentionOp> cores;
  function.walk([&](sattn::AttentionOp op) { cores.push_back(op); });
  return cores;
}

/// Scores that a sequence starts from, [batch, count].
mlir::Value zeroScores(mlir::OpBuilder &builder, mlir::Location loc, int64_t batch, int64_t count);

/// Makes zeros among `scores`, which may be null, part of the kernel of `core`: the machine sets
/// them itself.
void placeZeros(sattn::AttentionOp core, llvm::ArrayRef<mlir::Value> scores);

/// What a decoder keeps of its rankings from step to step: input `sparsam.<name>`, output
/// `sparsam.new_<name>`.
inline constexpr llvm::StringLiteral kTokenImportance = "importance",
                                     kHeadImportance = "head_importance";
std::string newScoresName(llvm::StringRef name);

/// Adds the result `sparsam.new_<name>`.
void returnScores(mlir::func::FuncOp function, llvm::StringRef name, mlir::Value scores);

/// Applies `plan` to cores that attend to caches.
mlir::LogicalResult applyDecodeCascade(mlir::func::FuncOp function, const CascadePlan &plan,
                                       llvm::ArrayRef<sattn::AttentionOp> cores);

} // namespace sparsam

#endif // SPARSAM_LIB_TRANSFORMS_CASCADESUPPORT_H
