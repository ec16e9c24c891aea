// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Inputs.h - static shapes for the inputs of a graph -----------------===//
#ifndef SPARSAM_LIB_IMPORT_INPUTS_H
#define SPARSAM_LIB_IMPORT_INPUTS_H

#include "Proto.h"
#include "sparsam/Import.h"

#include "mlir/IR/BuiltinTypes.h"

namespace sparsam {

/// An input of the graph that is not an initializer.
struct GraphInput {
  std::string name;
  mlir::RankedTensorType type;
};

/// The inputs of `graph` with the shapes of `options` filled in. A shape given for one input also
/// fixes the symbols that its dimensions share with other inputs. Errors list all inputs.
mlir::FailureOr<std::vector<GraphInput>>
resolveInputs(const proto::GraphProto &graph, const ImportOptions &options, mlir::Location loc);

} // namespace sparsam

#endif // SPARSAM_LIB_IMPORT_INPUTS_H
