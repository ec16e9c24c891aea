// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- TargetPasses.h - choose the machine to compile for -----------------===//
#ifndef SPARSAM_TARGETPASSES_H
#define SPARSAM_TARGETPASSES_H

#include "mlir/Pass/Pass.h"

namespace sparsam {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "sparsam/TargetPasses.h.inc"

} // namespace sparsam

#endif // SPARSAM_TARGETPASSES_H
