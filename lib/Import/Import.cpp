// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Import.cpp - read an ONNX model ------------------------------------===//

#include "sparsam/Import.h"
#include "GraphImporter.h"

#include "onnx/Onnx.h"
#include "sparsam/OnnxPasses.h"

#include "mlir/IR/Verifier.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Pass/PassManager.h"

#include <set>

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

struct OnnxFile::State {
  Location fileLoc;
  std::unique_ptr<Model> model;
  TensorReader tensors;
};

OnnxFile::OnnxFile(std::unique_ptr<State> state) : state(std::move(state)) {}
OnnxFile::~OnnxFile() = default;
Location OnnxFile::getLoc() const { return state->fileLoc; }

std::vector<std::string> OnnxFile::getSymbols() const {
  std::set<std::string> symbols;
  for (const proto::ValueInfoProto &input : state->model->proto.graph().input())
    for (const auto &dimension : input.type().tensor_type().shape().dim())
      if (dimension.has_dim_param())
        symbols.insert(dimension.dim_param());
  return {symbols.begin(), symbols.end()};
}

std::unique_ptr<OnnxFile> OnnxFile::open(const std::string &path, MLIRContext *context) {
  context->loadDialect<func::FuncDialect, onnx::OnnxDialect>();
  Location fileLoc = FileLineColLoc::get(context, path, 0, 0);
  FailureOr<std::unique_ptr<Model>> model = loadModel(path, fileLoc);
  if (failed(model))
    return {};
  TensorReader tensors((*model)->file, path);
  return std::unique_ptr<OnnxFile>(
      new OnnxFile(std::make_unique<State>(State{fileLoc, std::move(*model), std::move(tensors)})));
}

OwningOpRef<ModuleOp> OnnxFile::import(const ImportOptions &options) {
  const Location fileLoc = state->fileLoc;
  FailureOr<std::vector<GraphInput>> inputs =
      resolveInputs(state->model->proto.graph(), options, fileLoc);
  if (failed(inputs))
    return {};
  OwningOpRef<ModuleOp> module = ModuleOp::create(fileLoc);
  if (failed(GraphImporter(*state->model, state->tensors, fileLoc).run(*inputs, *module)))
    return {};
  PassManager manager(fileLoc.getContext());
  manager.addPass(createInferShapes());
  if (failed(verify(*module)) || failed(manager.run(*module)))
    return {};
  eraseDeadOps(*module);
  if (failed(checkElementTypes(*module)))
    return {};
  return module;
}

OwningOpRef<ModuleOp> importOnnx(const std::string &path, const ImportOptions &options,
                                 MLIRContext *context) {
  std::unique_ptr<OnnxFile> file = OnnxFile::open(path, context);
  return file ? file->import(options) : OwningOpRef<ModuleOp>();
}

} // namespace sparsam
