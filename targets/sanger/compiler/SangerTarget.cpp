// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SangerTarget.cpp - what Sanger tells the compiler ------------------===//

#include "Sanger.h"

#include "sattn/Sattn.h"
#include "sparsam/Target.h"
#include "sparsam/Transforms.h"

using namespace mlir;
using namespace sparsam;
using namespace sparsam::sanger;

namespace {

class SangerTarget : public DialectTarget<SangerDialect> {
public:
  void registerPasses() const override { registerSangerPasses(); }

  FailureOr<Attribute> getPolicy(isa::ArchAttr arch, Operation *attention) const override {
    Location loc = attention->getLoc();
    if (failed(checkArch(arch, loc)))
      return failure();
    std::optional<sattn::EmptyRow> emptyRow = sattn::symbolizeEmptyRow(arch.getText("empty_row"));
    if (!emptyRow)
      return emitError(loc) << "there is no empty_row '" << arch.getText("empty_row") << "'";
    auto emit = [loc] { return emitError(loc); };
    auto policy = sattn::LowBitThresholdAttr::getChecked(
        llvm::function_ref<InFlightDiagnostic()>(emit), loc.getContext(), arch.getInteger("bits"),
        sattn::Real(arch.getReal("threshold")), arch.getFlag("normalize"),
        sattn::Real(arch.getReal("tx")), sattn::Real(arch.getReal("ty")), *emptyRow);
    if (!policy)
      return failure();
    return Attribute(policy);
  }

  void addLoweringPasses(OpPassManager &pm) const override {
    pm.addPass(createDecompose());
    pm.addPass(createPackSplit());
    pm.addPass(createLowerToSanger());
  }

  std::map<std::string, MemoryInfo> getMemories(isa::ArchAttr arch) const override {
    return readMemories(arch, {{"bias", 32, "bias_buffer"},
                               {"blocks", 64, nullptr},
                               {"key", 16, "key_buffer"},
                               {"low_key", 8, "low_key_buffer"},
                               {"low_query", 8, "low_query_buffer"},
                               {"mask", 1, "mask_buffer"},
                               {"output", 32, "output_buffer"},
                               {"query", 16, "query_buffer"},
                               {"score", 32, "score_buffer"},
                               {"value", 16, "value_buffer"}});
  }
};

} // namespace

namespace sparsam::sanger {

/// Called by the generated registerAllTargets.
void registerSangerTarget(TargetRegistry &registry) {
  registry.add(std::make_unique<SangerTarget>());
}

} // namespace sparsam::sanger
