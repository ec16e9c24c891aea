// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ShapeChecks.h - what the verifiers of sattn share ------------------===//
#ifndef SPARSAM_DIALECTS_SATTN_SHAPECHECKS_H
#define SPARSAM_DIALECTS_SATTN_SHAPECHECKS_H

#include "sattn/Sattn.h"

namespace sparsam::sattn {

/// In an expected shape: every size will do.
inline constexpr int64_t kAny = mlir::ShapedType::kDynamic;

/// Expects `actual` to be `expected`, in which kAny stands for every size; so it does in `actual`.
/// `why` says where the sizes come from.
mlir::LogicalResult expectShape(mlir::Operation *op, llvm::StringRef what,
                                llvm::ArrayRef<int64_t> actual, llvm::ArrayRef<int64_t> expected,
                                llvm::StringRef why);

inline llvm::ArrayRef<int64_t> shapeOf(mlir::Value value) {
  return llvm::cast<mlir::ShapedType>(value.getType()).getShape();
}

} // namespace sparsam::sattn

#endif // SPARSAM_DIALECTS_SATTN_SHAPECHECKS_H
