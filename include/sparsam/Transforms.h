// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Transforms.h - passes from sattn.attention to packed kernels -------===//
#ifndef SPARSAM_TRANSFORMS_H
#define SPARSAM_TRANSFORMS_H

#include "sparsam/Placement.h"

#include "mlir/Pass/Pass.h"

#include <map>
#include <string>

namespace sparsam {

/// Parameters that calibration sets, by attention core ("attention_0"), then by parameter name.
using Calibration = std::map<std::string, std::map<std::string, double>>;

/// `calibration` in the syntax of the option `calibration` of `sattn-sparsify`:
/// "core:name=value,...;core:...".
std::string formatCalibration(const Calibration &calibration);

/// Discardable attribute of a module, set by `sattn-prune-weights`: what it did to the weights.
inline constexpr llvm::StringLiteral kWeightsAttr = "sattn.weights";

/// Discardable attribute of an op that runs on a target, set by `sattn-sparsify`: the parameters
/// that calibration gave it, by name.
inline constexpr llvm::StringLiteral kCalibrationAttr = "sattn.calibration";

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "sparsam/SattnPasses.h.inc"

} // namespace sparsam

#endif // SPARSAM_TRANSFORMS_H
