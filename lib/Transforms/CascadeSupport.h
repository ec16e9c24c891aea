// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CascadeSupport.h - what both kinds of cascade share ----------------===//
#ifndef SPARSAM_LIB_TRANSFORMS_CASCADESUPPORT_H
#define SPARSAM_LIB_TRANSFORMS_CASCADESUPPORT_H

#include "sparsam/Cascade.h"

#include "sattn/Sattn.h"

namespace sparsam {

inline mlir::RankedTensorType typeOf(mlir::Value value) {
  return llvm::cast<mlir::RankedTensorType>(value.getType());
}

/// Marks a core and `others` as one kernel of the module's machine, if it has one.
void placeTogether(sattn::AttentionOp core, llvm::ArrayRef<mlir::Operation *> others);

/// Applies `plan` to cores that attend to caches.
mlir::LogicalResult applyDecodeCascade(mlir::func::FuncOp function, const CascadePlan &plan,
                                       llvm::ArrayRef<sattn::AttentionOp> cores);

} // namespace sparsam

#endif // SPARSAM_LIB_TRANSFORMS_CASCADESUPPORT_H
