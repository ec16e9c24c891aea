// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SetTarget.cpp - set the machine of a module ------------------------===//

#include "sparsam/Target.h"
#include "sparsam/TargetPasses.h"

#include "mlir/IR/BuiltinOps.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace sparsam {
#define GEN_PASS_DEF_SETTARGET
#include "sparsam/TargetPasses.h.inc"

namespace {

struct SetTarget : impl::SetTargetBase<SetTarget> {
  using SetTargetBase::SetTargetBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    const TargetRegistry &registry = TargetRegistry::instance();
    if (!registry.lookup(target)) {
      emitError(module.getLoc()) << "there is no target '" << target
                                 << "'; there are: " << llvm::join(registry.getNames(), ", ");
      return signalPassFailure();
    }
    if (!registry.archProvider) {
      emitError(module.getLoc()) << "this tool does not know the parameters of targets";
      return signalPassFailure();
    }
    std::vector<std::string> values(settings.begin(), settings.end());
    llvm::Expected<isa::ArchAttr> arch =
        registry.archProvider(&getContext(), target, preset, values);
    if (!arch) {
      emitError(module.getLoc()) << llvm::toString(arch.takeError());
      return signalPassFailure();
    }
    module->setAttr(isa::kArchAttr, *arch);
  }
};

} // namespace
} // namespace sparsam
