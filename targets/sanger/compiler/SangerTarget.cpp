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

class SangerTarget : public Target {
public:
  StringRef getName() const override { return "sanger"; }

  void registerDialects(DialectRegistry &registry) const override {
    registry.insert<SangerDialect>();
  }

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
    std::map<std::string, MemoryInfo> memories;
    for (const MemorySpec &spec : getMemorySpecs()) {
      auto bytes =
          spec.parameter ? arch.getParameters().getAs<IntegerAttr>(spec.parameter) : IntegerAttr();
      memories[spec.name] = {bytes            ? bytes.getInt()
                             : spec.parameter ? 0
                                              : -1,
                             spec.elementBits, spec.parameter ? spec.parameter : ""};
    }
    return memories;
  }
};

} // namespace

namespace sparsam::sanger {

/// Called by the generated registerAllTargets.
void registerSangerTarget(TargetRegistry &registry) {
  registry.add(std::make_unique<SangerTarget>());
}

} // namespace sparsam::sanger
