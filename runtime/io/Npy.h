// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Npy.h - NumPy's .npy and .npz files --------------------------------===//
#ifndef SPARSAM_RUNTIME_IO_NPY_H
#define SPARSAM_RUNTIME_IO_NPY_H

#include "runtime/program/Tensor.h"
#include "runtime/support/Result.h"

#include <string>

namespace sparsam::runtime {

/// Reads a .npy file: versions 1 to 3, C or Fortran order (made C order), the dtypes of DType, and
/// float64 as it is. Errors name the file and what is wrong with it; pickled objects and other
/// dtypes are refused.
Result<Tensor> readNpy(const std::string &path);

/// Reads every array of a .npz archive, stored or deflated.
Result<TensorMap> readNpz(const std::string &path);

/// Writes a .npy or .npz file under a temporary name and renames it when complete.
Status writeNpy(const std::string &path, const Tensor &tensor);
Status writeNpz(const std::string &path, const TensorMap &tensors);

/// Converts to float32 (from float16, float64 or an integer type).
Tensor toFloat32(const Tensor &tensor);

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_IO_NPY_H
