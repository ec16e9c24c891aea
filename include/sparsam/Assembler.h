// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Assembler.h - turn a lowered module into a program file ------------===//
#ifndef SPARSAM_ASSEMBLER_H
#define SPARSAM_ASSEMBLER_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/LLVM.h"

#include <map>
#include <string>
#include <vector>

namespace sparsam {

/// Recorded in the program file for reports.
using Provenance = std::map<std::string, std::string>;

/// Writes the program of a module whose kernels are in machine form with buffers allocated, under a
/// temporary name renamed to `path` at the end. Weights are copied from their mapped files to the
/// program file piece by piece. Errors are emitted as diagnostics.
mlir::LogicalResult assembleToFile(mlir::ModuleOp module, const std::string &path,
                                   const Provenance &provenance);

/// The same into memory (64-byte aligned at its start).
mlir::FailureOr<std::vector<uint64_t>> assembleToMemory(mlir::ModuleOp module,
                                                        const Provenance &provenance);

} // namespace sparsam

#endif // SPARSAM_ASSEMBLER_H
