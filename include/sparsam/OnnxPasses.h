// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- OnnxPasses.h - passes over imported graphs -------------------------===//
#ifndef SPARSAM_ONNXPASSES_H
#define SPARSAM_ONNXPASSES_H

#include "mlir/Pass/Pass.h"

namespace sparsam {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "sparsam/OnnxPasses.h.inc"

} // namespace sparsam

#endif // SPARSAM_ONNXPASSES_H
