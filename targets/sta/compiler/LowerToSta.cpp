// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- LowerToSta.cpp - kernels of encoder layers to instructions ---------===//

#include "Plan.h"

#include "isa/ProgramBuilder.h"

using namespace mlir;
using namespace sparsam;
using namespace sparsam::sta;

namespace sparsam::sta {
#define GEN_PASS_DEF_LOWERTOSTA
#include "targets/sta/StaPasses.h.inc"
} // namespace sparsam::sta

namespace {

struct LowerToSta : sta::impl::LowerToStaBase<LowerToSta> {
  using LowerToStaBase::LowerToStaBase;

  void runOnOperation() override {
    if (failed(isa::lowerKernels(getOperation(), "sta", lower)))
      signalPassFailure();
  }

private:
  static LogicalResult lower(isa::KernelOp kernel, isa::ArchAttr arch) {
    if (failed(checkArch(arch, kernel.getLoc())))
      return failure();
    FailureOr<Plan> plan = makePlan(kernel, arch);
    if (failed(plan))
      return failure();
    isa::rewriteKernel(kernel, plan->arguments, [&](OpBuilder &builder, ValueRange arguments) {
      emitSchedule(builder, kernel.getLoc(), *plan, Engine(arch),
                   unsigned(arch.getInteger("weight_bits")), arguments);
    });
    return success();
  }
};

} // namespace
