// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- NodeName.h - the graph node an op comes from -----------------------===//
#ifndef SPARSAM_LIB_SUPPORT_NODENAME_H
#define SPARSAM_LIB_SUPPORT_NODENAME_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Location.h"

#include <string>

namespace sparsam {

/// The name of the graph node that a location was made from, or empty.
inline std::string getNodeName(mlir::Location loc) {
  if (auto name = llvm::dyn_cast<mlir::NameLoc>(loc))
    return name.getName().str();
  if (auto fused = llvm::dyn_cast<mlir::FusedLoc>(loc))
    for (mlir::Location part : fused.getLocations())
      if (std::string name = getNodeName(part); !name.empty())
        return name;
  return "";
}

} // namespace sparsam

#endif // SPARSAM_LIB_SUPPORT_NODENAME_H
