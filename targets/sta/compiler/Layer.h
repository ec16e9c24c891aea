// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Layer.h - how heads are split, merged and found --------------------===//
#ifndef SPARSAM_TARGETS_STA_COMPILER_LAYER_H
#define SPARSAM_TARGETS_STA_COMPILER_LAYER_H

#include "onnx/Onnx.h"
#include "sattn/Sattn.h"

namespace sparsam::sta {

/// True if `op` swaps tokens and heads: permutation 0, 2, 1, 3.
bool isHeadTranspose(onnx::TransposeOp op);

/// Follows a [batch, heads, tokens, size] value up through the split into heads, and through a
/// split of packed Q, K and V, to the [batch, tokens, width] value it is part of. `moves` receives
/// the ops on the way, in order. Null if it is not made so.
mlir::Value traceHeads(mlir::Value value, llvm::SmallVectorImpl<mlir::Operation *> &moves);

} // namespace sparsam::sta

#endif // SPARSAM_TARGETS_STA_COMPILER_LAYER_H
