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
    SmallVector<isa::KernelOp> kernels;
    for (auto kernel : getOperation().getOps<isa::KernelOp>())
      if (kernel.getTarget() == "spatten" && !kernel.isMachineForm())
        kernels.push_back(kernel);
    for (isa::KernelOp kernel : kernels)
      if (failed(lower(kernel)))
        return signalPassFailure();
  }

private:
  LogicalResult lower(isa::KernelOp kernel) {
    FailureOr<isa::ArchAttr> arch = isa::getArch(kernel);
    if (failed(arch) || failed(checkArch(*arch, kernel.getLoc())))
      return failure();
    FailureOr<Core> core = readCore(kernel, *arch);
    if (failed(core))
      return failure();
    SmallVector<Type> types;
    const int64_t inputs = int64_t(kernel.getArgumentTypes().size());
    auto add = [&](Type type, bool isFlat) {
      auto tensor = cast<RankedTensorType>(type);
      if (tensor.getRank() == 0) // a number
        tensor = RankedTensorType::get({1, 1}, tensor.getElementType());
      types.push_back(isFlat ? isa::getFlatDramType(tensor) : isa::getDramType(tensor));
    };
    for (auto [number, type] : llvm::enumerate(kernel.getArgumentTypes())) {
      const int64_t n = int64_t(number);
      add(type, n == core->query || n == core->key || n == core->value);
    }
    for (auto [number, type] : llvm::enumerate(kernel.getResultTypes()))
      add(type, int64_t(number) == core->output);
    isa::rewriteKernel(kernel, types, [&](OpBuilder &builder, ValueRange arguments) {
      emitSchedule(builder, kernel.getLoc(), *core, size_t(inputs), arguments);
    });
    return success();
  }
};

} // namespace
