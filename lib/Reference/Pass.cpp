// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Pass.cpp - the reference interpreter as a pass ---------------------===//

#include "Reference/Npy.h"

#include "sparsam/Reference.h"

#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace sparsam {
#define GEN_PASS_DEF_INTERPRET
#include "sparsam/ReferencePasses.h.inc"

namespace {

struct Interpret : impl::InterpretBase<Interpret> {
  using InterpretBase::InterpretBase;

  void runOnOperation() override {
    markAllAnalysesPreserved();
    if (failed(inputs.empty() && outputs.empty() ? runAll() : runOnInputs()))
      signalPassFailure();
    llvm::outs().flush();
  }

private:
  /// Every function that needs no inputs.
  LogicalResult runAll() {
    bool failedAny = false;
    bool found = false;
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (function.isExternal() || function.getNumArguments() != 0)
        continue;
      found = true;
      failedAny |= failed(interpret(function, llvm::outs()));
    }
    if (!found)
      emitError(getOperation().getLoc(),
                "sattn-interpret found no function to run: expects one with "
                "a body and without arguments, or inputs=FILE.npy,...");
    return success(found && !failedAny);
  }

  LogicalResult runOnInputs() {
    auto main = getOperation().lookupSymbol<func::FuncOp>(function);
    if (!main)
      return emitError(getOperation().getLoc())
             << "sattn-interpret found no function @" << function << " to run on inputs";
    // As many as there are files: interpret says so where arguments are fewer or more.
    SmallVector<DenseElementsAttr> tensors(inputs.size());
    for (auto [tensor, path, type] : llvm::zip(tensors, inputs, main.getArgumentTypes())) {
      FailureOr<DenseElementsAttr> read = reference::readNpy(path, type, main.getLoc());
      if (failed(read))
        return failure();
      tensor = *read;
    }
    return interpret(main, llvm::outs(), tensors, outputs);
  }
};

} // namespace
} // namespace sparsam
