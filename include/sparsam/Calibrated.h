// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Calibrated.h - what calibration found for one op -------------------===//
#ifndef SPARSAM_CALIBRATED_H
#define SPARSAM_CALIBRATED_H

#include "isa/Isa.h"

namespace sparsam {

/// A number that calibration noted for `op` (kCalibrationAttr), else the machine's parameter of
/// that name.
double getCalibrated(mlir::Operation *op, isa::ArchAttr arch, llvm::StringRef name);

/// An error of `op` that calibration on sample inputs mends: a driver can say how.
mlir::InFlightDiagnostic emitMissingCalibration(mlir::Operation *op);

/// The error of a selection policy without a value for `name`.
mlir::InFlightDiagnostic emitUncalibratedPolicy(mlir::Operation *op, llvm::StringRef name);

/// True for an error of emitMissingCalibration.
bool isMissingCalibration(mlir::Diagnostic &diagnostic);

} // namespace sparsam

#endif // SPARSAM_CALIBRATED_H
