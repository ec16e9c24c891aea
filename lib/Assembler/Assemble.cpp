// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Assemble.cpp - the assembler as a pass -----------------------------===//

#include "sparsam/Assembler.h"
#include "sparsam/IsaPasses.h"

#include "isa/Isa.h"

using namespace mlir;

namespace sparsam {
#define GEN_PASS_DEF_ASSEMBLE
#include "sparsam/IsaPasses.h.inc"

namespace {

struct Assemble : impl::AssembleBase<Assemble> {
  using AssembleBase::AssembleBase;

  void runOnOperation() override {
    markAllAnalysesPreserved();
    if (output.empty()) {
      emitError(getOperation().getLoc(),
                "isa-assemble needs to know the program file to write: output=FILE");
      return signalPassFailure();
    }
    if (failed(assembleToFile(getOperation(), output, Provenance())))
      signalPassFailure();
  }
};

} // namespace
} // namespace sparsam
