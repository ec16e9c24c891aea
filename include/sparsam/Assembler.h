// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Assembler.h - turn a lowered module into a program file ------------===//
#ifndef SPARSAM_ASSEMBLER_H
#define SPARSAM_ASSEMBLER_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/LLVM.h"

#include "llvm/ADT/STLFunctionalExtras.h"

#include <map>
#include <string>
#include <vector>

namespace sparsam {

/// Recorded in the program file for reports.
using Provenance = std::map<std::string, std::string>;

/// Says whether the program at a path is one; its errors are its caller's to report.
using ProgramCheck = llvm::function_ref<mlir::LogicalResult(const std::string &path)>;

/// Writes the program of a module whose kernels are in machine form with buffers allocated, under a
/// temporary name renamed to `path` at the end. Weights are copied from their mapped files to the
/// program file piece by piece. Errors are emitted as diagnostics. `check` is given the temporary
/// name once the program is complete; where it fails, nothing is left under any name.
mlir::LogicalResult assembleToFile(mlir::ModuleOp module, const std::string &path,
                                   const Provenance &provenance, ProgramCheck check = {});

/// The same into memory (64-byte aligned at its start).
mlir::FailureOr<std::vector<uint64_t>> assembleToMemory(mlir::ModuleOp module,
                                                        const Provenance &provenance);

} // namespace sparsam

#endif // SPARSAM_ASSEMBLER_H
