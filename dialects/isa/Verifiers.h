// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Verifiers.h - what the verifiers of targets check ------------------===//
//
// Instructions work on tiles, and tiles have limits that the machine's parameters give.
//
#ifndef SPARSAM_DIALECTS_ISA_VERIFIERS_H
#define SPARSAM_DIALECTS_ISA_VERIFIERS_H

#include "isa/Isa.h"

#include <vector>

namespace sparsam::isa {

/// The machine around `op`, an instruction, or null where there is none of its target: then only
/// what holds for every machine is checked.
ArchAttr findArch(mlir::Operation *op);

int64_t getRows(mlir::Value tile);
int64_t getCols(mlir::Value tile);

/// Refuses operands that are not tiles of two static dimensions.
mlir::LogicalResult verifyTiles(mlir::Operation *op);
/// The same, and that tiles `a` and `b` have one shape.
mlir::LogicalResult verifySameShape(mlir::Operation *op, mlir::Value a, mlir::Value b);
/// Refuses more `what` than parameter `parameter` of the machine says.
mlir::LogicalResult verifyAtMost(mlir::Operation *op, llvm::StringRef what, int64_t value,
                                 llvm::StringRef parameter);

/// Parameters that a compiler asks a machine for, by their type. Integers are at least 0; reals may
/// be given as integers.
struct NeededParameters {
  std::vector<llvm::StringRef> integers = {}, reals = {}, flags = {}, texts = {};
};
/// Refuses machines of another target, and those that lack a parameter.
mlir::LogicalResult checkArch(ArchAttr arch, llvm::StringRef target, const NeededParameters &needed,
                              mlir::Location loc);

} // namespace sparsam::isa

#endif // SPARSAM_DIALECTS_ISA_VERIFIERS_H
