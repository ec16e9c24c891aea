// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- IsaPasses.h - passes over kernels in machine form ------------------===//
#ifndef SPARSAM_ISAPASSES_H
#define SPARSAM_ISAPASSES_H

#include "mlir/Pass/Pass.h"

namespace sparsam {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "sparsam/IsaPasses.h.inc"

} // namespace sparsam

#endif // SPARSAM_ISAPASSES_H
