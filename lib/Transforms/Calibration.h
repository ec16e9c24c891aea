// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Calibration.h - parameters per attention core, as text -------------===//
#ifndef SPARSAM_LIB_TRANSFORMS_CALIBRATION_H
#define SPARSAM_LIB_TRANSFORMS_CALIBRATION_H

#include "sparsam/Transforms.h"

#include "isa/Isa.h"

namespace sparsam {

/// Reads "core:name=value,...;core:..."; errors are emitted at `loc`.
mlir::FailureOr<Calibration> parseCalibration(llvm::StringRef text, mlir::Location loc);

/// `arch` with the parameters in `settings` replaced, each in the type that it has in `arch`.
/// Errors are emitted at `loc` and name `core`.
mlir::FailureOr<isa::ArchAttr> overrideParameters(isa::ArchAttr arch,
                                                  const std::map<std::string, double> &settings,
                                                  llvm::StringRef core, mlir::Location loc);

} // namespace sparsam

#endif // SPARSAM_LIB_TRANSFORMS_CALIBRATION_H
