// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Import.h - read an ONNX model --------------------------------------===//
#ifndef SPARSAM_IMPORT_H
#define SPARSAM_IMPORT_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sparsam {

struct ImportOptions {
  /// Shapes of graph inputs by name, overriding dynamic dimensions (`--shape input_ids=1x128`).
  /// Every input that has a dynamic dimension must be here, unless the shape of another input fixes
  /// its symbol.
  std::map<std::string, std::vector<int64_t>> shapes;
  /// Shapes of tensors that the model is going to run on, by input: shapes of the inputs that are
  /// not in `shapes`. There may be none that is no input.
  std::map<std::string, std::vector<int64_t>> tensorShapes;
  /// Extents of symbols that dimensions of inputs are declared by, 0 allowed. A dimension declared
  /// as a sum ("past + sequence") follows from its parts.
  std::map<std::string, int64_t> symbols;
};

/// A model file that may be imported at several shapes. Modules of one file share the data of
/// weights: equal addresses are equal weights.
class OnnxFile {
public:
  /// Null with an error emitted where the file cannot be read.
  static std::unique_ptr<OnnxFile> open(const std::string &path, mlir::MLIRContext *context);
  ~OnnxFile();
  /// As importOnnx.
  mlir::OwningOpRef<mlir::ModuleOp> import(const ImportOptions &options);
  mlir::Location getLoc() const;
  /// The symbols that dimensions of inputs are declared by, sorted.
  std::vector<std::string> getSymbols() const;

private:
  struct State;
  explicit OnnxFile(std::unique_ptr<State> state);
  std::unique_ptr<State> state;
};

/// Reads the ONNX model at `path` into a module with one function `@main` of `onnx` ops with static
/// shapes. Function arguments and results carry their graph names as `onnx.name`; locations are the
/// ONNX node names. Weights are resources over the mapped files, which live as long as the context.
/// Errors are emitted as diagnostics at file locations; null is returned then.
mlir::OwningOpRef<mlir::ModuleOp> importOnnx(const std::string &path, const ImportOptions &options,
                                             mlir::MLIRContext *context);

/// The files beside the model that hold data of its tensors, as far as the model can be read.
std::vector<std::string> listExternalFiles(const std::string &path);

} // namespace sparsam

#endif // SPARSAM_IMPORT_H
