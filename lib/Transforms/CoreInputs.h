// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CoreInputs.h - attention cores over gathered heads and tokens ------===//
#ifndef SPARSAM_LIB_TRANSFORMS_COREINPUTS_H
#define SPARSAM_LIB_TRANSFORMS_COREINPUTS_H

#include "sattn/Sattn.h"

namespace sparsam {

/// Discardable attribute of a core that has some heads of another: the name of that one, by which
/// calibrations know both.
inline constexpr llvm::StringLiteral kCoreAttr = "sattn.core";

/// The entries of `tensor` along `axis` that `indices` name.
mlir::Value gatherAlong(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value tensor,
                        int64_t axis, llvm::ArrayRef<int64_t> indices);

/// `tensor` [batch, heads, ...] with the heads of `group` alone; as it is where it has one for all.
mlir::Value pickHeads(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value tensor,
                      llvm::ArrayRef<int64_t> group);

/// Replaces `core`, which has no mask and one result, by one core for each group of its heads.
/// Their inputs are gathered and their outputs joined on the host.
llvm::SmallVector<sattn::AttentionOp> splitHeads(sattn::AttentionOp core,
                                                 llvm::ArrayRef<llvm::SmallVector<int64_t>> groups);

/// Which tokens stand in rows of `length`, of `tokens` together, that `padding` more follow: those
/// repeat the last one.
llvm::SmallVector<int64_t> padRows(int64_t tokens, int64_t length, int64_t padding);

/// Lets `core`, which has no mask and one result, look at such rows; what comes out for the padding
/// is dropped.
void padRows(sattn::AttentionOp core, int64_t length, int64_t padding);

} // namespace sparsam

#endif // SPARSAM_LIB_TRANSFORMS_COREINPUTS_H
