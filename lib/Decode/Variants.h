// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Variants.h - one model at several lengths of its caches ------------===//
#ifndef SPARSAM_LIB_DECODE_VARIANTS_H
#define SPARSAM_LIB_DECODE_VARIANTS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <optional>

namespace sparsam {

/// A number that depends on the number of past tokens: slope * past + offset.
struct Affine {
  int64_t slope = 0, offset = 0;
};

/// The dimension of a tensor that has `past + offset` entries; the others are fixed.
struct Growth {
  unsigned dim;
  int64_t offset;
};

/// The functions of one model at several numbers of past tokens, op by op beside each other. The
/// last one is the largest: the base, which becomes the program.
class Variants {
public:
  struct Variant {
    int64_t past;
    mlir::func::FuncOp function;
  };
  explicit Variants(llvm::SmallVector<Variant> variants) : variants(std::move(variants)) {}

  mlir::func::FuncOp getBase() const { return variants.back().function; }

  /// Checks that the functions have the same ops on the same operands, and finds what grows; emits
  /// an error at the first difference.
  mlir::LogicalResult compare();

  /// How a value of the base grows; nothing if it has one shape at all lengths.
  std::optional<Growth> getGrowth(mlir::Value value) const;

  /// What an operand of an op of the base is.
  enum class Kind {
    value,  ///< no constant
    fixed,  ///< a constant that is the same at all lengths
    filled, ///< constants of different shapes, filled with one and the same element
    counted ///< integer constants of one shape, on a line; `affines` holds its elements
  };
  /// Emits an error at the op where an operand is none of these.
  mlir::FailureOr<Kind> classify(mlir::OpOperand &operand,
                                 llvm::SmallVectorImpl<Affine> &affines) const;

private:
  mlir::LogicalResult compareArguments();
  mlir::LogicalResult compareOps(llvm::ArrayRef<mlir::Operation *> ops);
  mlir::LogicalResult compareOperands(llvm::ArrayRef<mlir::Operation *> ops);
  mlir::LogicalResult compareValues(llvm::ArrayRef<mlir::Value> values, mlir::Operation *op);
  std::optional<Affine> fit(llvm::ArrayRef<int64_t> numbers) const;

  llvm::SmallVector<Variant> variants;
  /// For each value and op of the base, those of all variants.
  llvm::DenseMap<mlir::Value, llvm::SmallVector<mlir::Value>> values;
  llvm::DenseMap<mlir::Operation *, llvm::SmallVector<mlir::Operation *>> ops;
  llvm::DenseMap<mlir::Value, Growth> growths;
};

/// Makes the base of `variants` the program for all lengths up to `capacity`.
mlir::LogicalResult generalize(Variants &variants, int64_t capacity, int64_t step);

} // namespace sparsam

#endif // SPARSAM_LIB_DECODE_VARIANTS_H
