// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Cascade.h - prune tokens and heads across layers -------------------===//
#ifndef SPARSAM_CASCADE_H
#define SPARSAM_CASCADE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Support/LLVM.h"

#include "llvm/ADT/SmallVector.h"

#include <cstdint>
#include <string>

namespace sparsam {

/// How many survive. Counts are static, so that shapes shrink statically; which ones survive is
/// known at run time.
struct CascadePlan {
  /// Tokens that live in each attention core, in program order; the first core has all of them, and
  /// the last count holds for all later cores. Empty: all.
  llvm::SmallVector<int64_t> tokens;
  /// Heads that live in each attention core likewise.
  llvm::SmallVector<int64_t> heads;
  /// Positions that are never pruned, from the end where negative.
  llvm::SmallVector<int64_t> protect;
  /// Where the counts come from, for messages: "parameter `token_prune`".
  std::string origin;
};

/// Applies `plan` to the attention cores of `function`; nothing happens where all survive. Emits
/// errors at the cores that a plan does not fit.
mlir::LogicalResult applyCascade(mlir::func::FuncOp function, const CascadePlan &plan);

/// True where `function` returns the keys that each of its attention cores sees: the prompt of a
/// decoder. Its caches are for all later steps, so that no token or head may be missing from them.
bool isPrompt(mlir::func::FuncOp function);

/// Makes a prompt return the importance of its tokens and heads, which the steps behind it go on
/// from. Nothing is pruned.
void returnImportance(mlir::func::FuncOp function, bool ofTokens, bool ofHeads);

} // namespace sparsam

#endif // SPARSAM_CASCADE_H
