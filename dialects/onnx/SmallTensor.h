// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SmallTensor.h - constants as lists of numbers ----------------------===//
#ifndef SPARSAM_DIALECTS_ONNX_SMALLTENSOR_H
#define SPARSAM_DIALECTS_ONNX_SMALLTENSOR_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpDefinition.h"

#include <optional>

namespace sparsam::onnx::folds {

/// The elements of a constant: floats, or integers of any width as int64.
struct Data {
  mlir::RankedTensorType type;
  llvm::SmallVector<float> floats;
  llvm::SmallVector<int64_t> integers;

  bool isFloat() const { return type.getElementType().isF32(); }
  int64_t size() const { return isFloat() ? floats.size() : integers.size(); }
  float asFloat(int64_t i) const { return isFloat() ? floats[i] : float(integers[i]); }
};

/// The elements of a dense constant of at most kMaxElements; nothing for others.
std::optional<Data> read(mlir::Attribute attribute);
mlir::OpFoldResult write(const Data &data);

/// The static result type of an op with one result, if it is small enough to be folded.
mlir::RankedTensorType smallResult(mlir::Operation *op);

/// Calls f(linear index, index) for every element of a tensor of this shape.
void forElements(llvm::ArrayRef<int64_t> shape,
                 llvm::function_ref<void(int64_t, llvm::ArrayRef<int64_t>)> f);

/// Position of `index` (of a result) in an operand that broadcasts to it.
int64_t broadcastPosition(llvm::ArrayRef<int64_t> operand, llvm::ArrayRef<int64_t> index);

} // namespace sparsam::onnx::folds

#endif // SPARSAM_DIALECTS_ONNX_SMALLTENSOR_H
