// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SplitHeads.h - one attention core as several, by heads -------------===//
#ifndef SPARSAM_LIB_TRANSFORMS_SPLITHEADS_H
#define SPARSAM_LIB_TRANSFORMS_SPLITHEADS_H

#include "sattn/Sattn.h"

namespace sparsam {

/// Discardable attribute of a core that has some heads of another: the name of that one, by which
/// calibrations know both.
inline constexpr llvm::StringLiteral kCoreAttr = "sattn.core";

/// `tensor` [batch, heads, ...] with the heads of `group` alone; as it is where it has one for all.
mlir::Value pickHeads(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value tensor,
                      llvm::ArrayRef<int64_t> group);

/// Replaces `core`, which has no mask and one result, by one core for each group of its heads.
/// Their inputs are gathered and their outputs joined on the host.
llvm::SmallVector<sattn::AttentionOp> splitHeads(sattn::AttentionOp core,
                                                 llvm::ArrayRef<llvm::SmallVector<int64_t>> groups);

} // namespace sparsam

#endif // SPARSAM_LIB_TRANSFORMS_SPLITHEADS_H
