// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- LowerToSpatten.cpp - kernels of attention to instructions ----------===//

#include "Core.h"

#include "isa/ProgramBuilder.h"

using namespace mlir;
using namespace sparsam;
using namespace sparsam::spatten;

namespace sparsam::spatten {
#define GEN_PASS_DEF_LOWERTOSPATTEN
#include "targets/spatten/SpattenPasses.h.inc"
} // namespace sparsam::spatten

namespace {

struct LowerToSpatten : spatten::impl::LowerToSpattenBase<LowerToSpatten> {
  using LowerToSpattenBase::LowerToSpattenBase;

  void runOnOperation() override {
    if (failed(isa::lowerKernels(getOperation(), "spatten", lower)))
      signalPassFailure();
  }

private:
  static LogicalResult lower(isa::KernelOp kernel, isa::ArchAttr arch) {
    if (failed(checkArch(arch, kernel.getLoc())))
      return failure();
    FailureOr<Core> core = readCore(kernel, arch);
    if (failed(core))
      return failure();
    const int64_t inputs = kernel.getNumArguments();
    const auto types = isa::getDramTypes(kernel, [&](size_t number) {
      const auto n = int64_t(number);
      return n == core->query || n == core->key || n == core->value || n == inputs + core->output;
    });
    isa::rewriteKernel(kernel, types, [&](OpBuilder &builder, ValueRange arguments) {
      emitSchedule(builder, kernel.getLoc(), *core, size_t(inputs), arguments);
    });
    return success();
  }
};

} // namespace
