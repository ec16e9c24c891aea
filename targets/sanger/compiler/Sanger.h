// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Sanger.h - the sanger dialect and its passes -----------------------===//
#ifndef SPARSAM_TARGETS_SANGER_COMPILER_SANGER_H
#define SPARSAM_TARGETS_SANGER_COMPILER_SANGER_H

#include "isa/Isa.h"

#include "mlir/Pass/Pass.h"

#include "targets/sanger/SangerDialect.h.inc"
#include "targets/sanger/SangerEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "targets/sanger/SangerAttrs.h.inc"

#define GET_OP_CLASSES
#include "targets/sanger/SangerOps.h.inc"

namespace sparsam::sanger {

/// Checks that `arch` is of this target and has the parameters that the compiler asks for; emits an
/// error at `loc`. Holds for everything `isa-set-target` makes, not for what is written by hand.
mlir::LogicalResult checkArch(isa::ArchAttr arch, mlir::Location loc);

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "targets/sanger/SangerPasses.h.inc"

} // namespace sparsam::sanger

#endif // SPARSAM_TARGETS_SANGER_COMPILER_SANGER_H
