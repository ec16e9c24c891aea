// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Spatten.h - the spatten dialect and its passes ---------------------===//
#ifndef SPARSAM_TARGETS_SPATTEN_COMPILER_SPATTEN_H
#define SPARSAM_TARGETS_SPATTEN_COMPILER_SPATTEN_H

#include "isa/Isa.h"

#include "mlir/Pass/Pass.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>

#include "targets/spatten/SpattenDialect.h.inc"

#define GET_OP_CLASSES
#include "targets/spatten/SpattenOps.h.inc"

namespace sparsam::spatten {

/// Checks that `arch` is of this target and has the parameters that the compiler asks for; emits an
/// error at `loc`. Holds for everything `isa-set-target` makes, not for what is written by hand.
mlir::LogicalResult checkArch(isa::ArchAttr arch, mlir::Location loc);

/// The widest head that `config` can say.
constexpr int64_t kMostDimensions = 512;
/// Whether an adder tree of `inputs` inputs, which splits in halves, sums heads of `dimensions`.
inline bool fitsTree(int64_t dimensions, int64_t inputs) {
  return dimensions <= std::min(inputs, kMostDimensions) && llvm::isPowerOf2_64(dimensions);
}

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "targets/spatten/SpattenPasses.h.inc"

} // namespace sparsam::spatten

#endif // SPARSAM_TARGETS_SPATTEN_COMPILER_SPATTEN_H
