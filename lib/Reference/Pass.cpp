// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Pass.cpp - the reference interpreter as a pass ---------------------===//

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
    bool failedAny = false;
    bool found = false;
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (function.isExternal() || function.getNumArguments() != 0)
        continue;
      found = true;
      failedAny |= failed(interpret(function, llvm::outs()));
    }
    llvm::outs().flush();
    if (!found)
      getOperation().emitError("sattn-interpret found no function to run: expects one with a body "
                               "and without arguments");
    if (failedAny || !found)
      signalPassFailure();
  }
};

} // namespace
} // namespace sparsam
