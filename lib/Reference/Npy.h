// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Npy.h - tensors in .npy files --------------------------------------===//
#ifndef SPARSAM_LIB_REFERENCE_NPY_H
#define SPARSAM_LIB_REFERENCE_NPY_H

#include "Reference/Data.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Diagnostics.h"

namespace sparsam::reference {

/// The tensor in the .npy file at `path`, which must be of this type, in C order and little-endian.
/// Errors are emitted at `loc`.
mlir::FailureOr<mlir::DenseElementsAttr> readNpy(const std::string &path, mlir::Type type,
                                                 mlir::Location loc);

/// Writes `data`, a value of type `type`, to a .npy file at `path`, as numpy.save does.
mlir::LogicalResult writeNpy(const std::string &path, const Data &data, mlir::Type type,
                             mlir::Location loc);

} // namespace sparsam::reference

#endif // SPARSAM_LIB_REFERENCE_NPY_H
