// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Sta.h - the sta dialect and its passes -----------------------------===//
#ifndef SPARSAM_TARGETS_STA_COMPILER_STA_H
#define SPARSAM_TARGETS_STA_COMPILER_STA_H

#include "isa/Isa.h"
#include "sparsam/Transforms.h"

#include "mlir/Pass/Pass.h"

#include "targets/sta/StaDialect.h.inc"
#include "targets/sta/StaEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "targets/sta/StaAttrs.h.inc"

#define GET_OP_CLASSES
#include "targets/sta/StaOps.h.inc"

namespace sparsam::sta {

/// The geometry of the matrix engine, from the machine's parameters.
struct Engine {
  int64_t n, m, engines, rows, cols;
  explicit Engine(isa::ArchAttr arch);
};

/// Checks that `arch` is of this target and has the parameters that the compiler asks for; emits an
/// error at `loc`. Holds for everything `isa-set-target` makes, not for what is written by hand.
mlir::LogicalResult checkArch(isa::ArchAttr arch, mlir::Location loc);

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "targets/sta/StaPasses.h.inc"

} // namespace sparsam::sta

#endif // SPARSAM_TARGETS_STA_COMPILER_STA_H
