// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Tensors.h - ONNX tensors as attributes -----------------------------===//
#ifndef SPARSAM_LIB_IMPORT_TENSORS_H
#define SPARSAM_LIB_IMPORT_TENSORS_H

#include "MappedFile.h"
#include "Proto.h"
#include "WireFormat.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"

#include <map>
#include <optional>

namespace sparsam {

/// The element type of an ONNX data type; emits an error about `what` if there is none.
mlir::FailureOr<mlir::Type> getElementType(int32_t dataType, const llvm::Twine &what,
                                           mlir::Location loc);

/// The number of elements, or nothing if an extent is negative or the product is beyond 2^40.
std::optional<int64_t> getElementCount(llvm::ArrayRef<int64_t> shape);

/// Turns TensorProtos of one model into attributes: small ones and integers into dense elements
/// that fold, the others into resources over the mapped model or over its mapped external files.
class TensorReader {
public:
  TensorReader(std::shared_ptr<MappedFile> model, std::string modelPath)
      : model(std::move(model)), modelPath(std::move(modelPath)) {}

  /// The value of `tensor`, which errors call `what`.
  mlir::FailureOr<mlir::ElementsAttr> read(const proto::TensorProto &tensor,
                                           const std::string &what, mlir::Location loc);

private:
  struct Data {
    llvm::ArrayRef<char> bytes;
    /// Where the bytes are mapped; null if they are in `copy` or in the TensorProto.
    std::shared_ptr<MappedFile> file;
    std::vector<char> copy;
  };

  mlir::LogicalResult readData(const proto::TensorProto &tensor, mlir::RankedTensorType type,
                               Data &data, const std::string &what, mlir::Location loc);
  mlir::LogicalResult readRange(const proto::TensorProto &tensor, const DataRange &range,
                                Data &data, const std::string &what, mlir::Location loc);
  mlir::LogicalResult readExternal(const proto::TensorProto &tensor, int64_t bytesNeeded,
                                   Data &data, const std::string &what, mlir::Location loc);
  mlir::FailureOr<std::shared_ptr<MappedFile>>
  openExternal(llvm::StringRef location, const std::string &what, mlir::Location loc);

  std::shared_ptr<MappedFile> model;
  std::string modelPath;
  std::map<std::string, std::shared_ptr<MappedFile>> externalFiles;
};

} // namespace sparsam

#endif // SPARSAM_LIB_IMPORT_TENSORS_H
