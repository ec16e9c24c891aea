// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Salo.h - the salo dialect and its passes ---------------------------===//
#ifndef SPARSAM_TARGETS_SALO_COMPILER_SALO_H
#define SPARSAM_TARGETS_SALO_COMPILER_SALO_H

#include "isa/Isa.h"

#include "mlir/Pass/Pass.h"

#include "targets/salo/SaloDialect.h.inc"

#define GET_OP_CLASSES
#include "targets/salo/SaloOps.h.inc"

namespace sparsam::salo {

/// Checks that `arch` is of this target and has the parameters that the compiler asks for; emits an
/// error at `loc`. Holds for everything `isa-set-target` makes, not for what is written by hand.
mlir::LogicalResult checkArch(isa::ArchAttr arch, mlir::Location loc);

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "targets/salo/SaloPasses.h.inc"

} // namespace sparsam::salo

#endif // SPARSAM_TARGETS_SALO_COMPILER_SALO_H
