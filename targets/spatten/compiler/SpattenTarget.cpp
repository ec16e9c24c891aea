// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SpattenTarget.cpp - what SpAtten tells the compiler ----------------===//

#include "Spatten.h"

#include "sattn/Sattn.h"
#include "sparsam/Target.h"

#include <cmath>

using namespace mlir;
using namespace sparsam;
using namespace sparsam::spatten;

namespace {

class SpattenTarget : public DialectTarget<SpattenDialect> {
public:
  void registerPasses() const override { registerSpattenPasses(); }

  FailureOr<Attribute> getPolicy(isa::ArchAttr arch, Operation *op) const override {
    if (failed(checkArch(arch, op->getLoc())))
      return failure();
    auto attention = cast<sattn::AttentionOp>(op);
    const int64_t keys = attention.getKey().getType().getDimSize(2);
    const auto values = int64_t(std::floor(arch.getReal("value_keep") * double(keys)));
    auto emit = [op] { return op->emitError(); };
    auto policy = sattn::ProgressiveAttr::getChecked(
        llvm::function_ref<InFlightDiagnostic()>(emit), op->getContext(),
        arch.getInteger("msb_bits"), arch.getInteger("lsb_bits"), arch.getInteger("value_bits"),
        sattn::Real(arch.getReal("lsb_threshold")), std::max<int64_t>(values, 1),
        sattn::Real(arch.getReal("tx")), sattn::Real(arch.getReal("ty")),
        sattn::Real(arch.getReal("tz")));
    if (!policy)
      return failure();
    return Attribute(policy);
  }

  void addPreparationPasses(OpPassManager &pm, SparsifyMode mode) const override {
    if (mode == SparsifyMode::sparse)
      pm.addPass(createSpattenPrune());
  }

  void addLoweringPasses(OpPassManager &pm) const override { pm.addPass(createLowerToSpatten()); }

  std::map<std::string, MemoryInfo> getMemories(isa::ArchAttr arch) const override {
    return readMemories(arch, {{"query", 12, "query_buffer"},
                               {"key", 12, "key_buffer"},
                               {"value", 12, "value_buffer"},
                               {"bias", 32, "bias_buffer"},
                               {"output", 12, "output_buffer"},
                               {"index", 16, "index_buffer"},
                               {"importance", 32, "importance_buffer"}});
  }
};

} // namespace

namespace sparsam::spatten {

/// Called by the generated registerAllTargets.
void registerSpattenTarget(TargetRegistry &registry) {
  registry.add(std::make_unique<SpattenTarget>());
}

} // namespace sparsam::spatten
