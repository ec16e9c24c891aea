// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Import.h - read an ONNX model --------------------------------------===//
#ifndef SPARSAM_IMPORT_H
#define SPARSAM_IMPORT_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <map>
#include <string>
#include <vector>

namespace sparsam {

struct ImportOptions {
  /// Shapes of graph inputs by name, overriding dynamic dimensions (`--shape input_ids=1x128`).
  /// Every input that has a dynamic dimension must be here, unless the shape of another input fixes
  /// its symbol.
  std::map<std::string, std::vector<int64_t>> shapes;
};

/// Reads the ONNX model at `path` into a module with one function `@main` of `onnx` ops with static
/// shapes. Function arguments and results carry their graph names as `onnx.name`; locations are the
/// ONNX node names. Weights are resources over the mapped files, which live as long as the context.
/// Errors are emitted as diagnostics at file locations; null is returned then.
mlir::OwningOpRef<mlir::ModuleOp> importOnnx(const std::string &path, const ImportOptions &options,
                                             mlir::MLIRContext *context);

} // namespace sparsam

#endif // SPARSAM_IMPORT_H
