// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Import.cpp - read an ONNX model ------------------------------------===//

#include "sparsam/Import.h"
#include "GraphImporter.h"

#include "onnx/Onnx.h"
#include "sparsam/OnnxPasses.h"

#include "mlir/IR/Verifier.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;

namespace sparsam {

/// Erases what is unused: nodes that lead to no output, and constants that shape arithmetic was
/// made of.
static void eraseDeadOps(ModuleOp module) {
  for (auto function : module.getOps<func::FuncOp>())
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(function.front())))
      if (isOpTriviallyDead(&op))
        op.erase();
}

OwningOpRef<ModuleOp> importOnnx(const std::string &path, const ImportOptions &options,
                                 MLIRContext *context) {
  context->loadDialect<func::FuncDialect, onnx::OnnxDialect>();
  Location fileLoc = FileLineColLoc::get(context, path, 0, 0);
  FailureOr<std::unique_ptr<Model>> model = loadModel(path, fileLoc);
  if (failed(model))
    return {};
  FailureOr<std::vector<GraphInput>> inputs =
      resolveInputs((*model)->proto.graph(), options, fileLoc);
  if (failed(inputs))
    return {};
  OwningOpRef<ModuleOp> module = ModuleOp::create(fileLoc);
  TensorReader tensors((*model)->file, path);
  if (failed(GraphImporter(**model, tensors, fileLoc).run(*inputs, *module)))
    return {};
  PassManager manager(context);
  manager.addPass(createInferShapes());
  if (failed(verify(*module)) || failed(manager.run(*module)))
    return {};
  eraseDeadOps(*module);
  return module;
}

} // namespace sparsam
