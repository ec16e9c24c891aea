// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Reference.h - reference semantics of sattn -------------------------===//
#ifndef SPARSAM_REFERENCE_H
#define SPARSAM_REFERENCE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Support/LLVM.h"

namespace sparsam {

/// Runs `function` on one input per argument with the reference semantics of every op, written for
/// reading and in plain floating point. `check` ops compare and emit errors at their location;
/// `check.print` prints, and so do the results of a function that has inputs, or they are written
/// to the .npy files `outputs`, if there are any. Fails on a failed check and on an op without
/// reference semantics.
mlir::LogicalResult interpret(mlir::func::FuncOp function, llvm::raw_ostream &out,
                              llvm::ArrayRef<mlir::DenseElementsAttr> inputs = {},
                              llvm::ArrayRef<std::string> outputs = {});

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "sparsam/ReferencePasses.h.inc"

} // namespace sparsam

#endif // SPARSAM_REFERENCE_H
