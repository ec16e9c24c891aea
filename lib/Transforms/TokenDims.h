// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- TokenDims.h - where ops have their tokens --------------------------===//
#ifndef SPARSAM_LIB_TRANSFORMS_TOKENDIMS_H
#define SPARSAM_LIB_TRANSFORMS_TOKENDIMS_H

#include "mlir/IR/Operation.h"

#include "llvm/ADT/SmallVector.h"

#include <optional>

namespace sparsam {

/// The dimension of each operand and result that counts tokens; kNone where there is none.
struct TokenDims {
  static constexpr int64_t kNone = -1;
  llvm::SmallVector<int64_t> operands, results;
};

/// `known` has the token dimension of some operands, and kNone for the others; `tokens` is its
/// size. Returns the dimensions of all operands and results if `op` computes each token of its
/// results from the same token of its operands alone, so that it may as well run on some of the
/// tokens; nothing if it mixes tokens or is not known.
std::optional<TokenDims> findTokenDims(mlir::Operation *op, llvm::ArrayRef<int64_t> known,
                                       int64_t tokens);

} // namespace sparsam

#endif // SPARSAM_LIB_TRANSFORMS_TOKENDIMS_H
