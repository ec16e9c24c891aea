// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Conversion.h - from onnx to sattn ----------------------------------===//
#ifndef SPARSAM_CONVERSION_H
#define SPARSAM_CONVERSION_H

#include "mlir/Pass/Pass.h"

namespace sparsam {

/// Discardable attribute of a module, set by `raise-onnx-to-sattn`: one text "node: reason" for
/// each Softmax that was not raised.
inline constexpr llvm::StringLiteral kNotRaisedAttr = "sattn.not_raised";

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "sparsam/ConversionPasses.h.inc"

} // namespace sparsam

#endif // SPARSAM_CONVERSION_H
