// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- StaTarget.cpp - what STA tells the compiler ------------------------===//

#include "Sta.h"

#include "onnx/Onnx.h"
#include "sattn/Sattn.h"
#include "sparsam/Target.h"

using namespace mlir;
using namespace sparsam;
using namespace sparsam::sta;

namespace {

class StaTarget : public DialectTarget<StaDialect> {
public:
  void registerPasses() const override { registerStaPasses(); }

  /// STA prunes weights; its attention is dense.
  FailureOr<Attribute> getPolicy(isa::ArchAttr arch, Operation *attention) const override {
    if (failed(checkArch(arch, attention->getLoc())))
      return failure();
    return Attribute(sattn::DenseAttr::get(arch.getContext()));
  }

  void addPreparationPasses(OpPassManager &pm, SparsifyMode mode) const override {
    FormLayersOptions options;
    options.dense = mode == SparsifyMode::dense;
    pm.addPass(createFormLayers(options));
  }

  void addLoweringPasses(OpPassManager &pm) const override { pm.addPass(createLowerToSta()); }

  std::map<std::string, MemoryInfo> getMemories(isa::ArchAttr arch) const override {
    auto bits = [&](StringRef name) {
      auto value = arch.getParameters().getAs<IntegerAttr>(name);
      return unsigned(value ? std::max<int64_t>(value.getInt(), 1) : 1);
    };
    return readMemories(arch, {{"activation", 16, "activation_memory"},
                               {"bitmaps", bits("m"), "bitmap_memory"},
                               {"constants", 32, "constant_memory"},
                               {"mask", 32, "mask_memory"},
                               {"values", bits("weight_bits"), "weight_memory"}});
  }
};

} // namespace

namespace sparsam::sta {

/// Called by the generated registerAllTargets.
void registerStaTarget(TargetRegistry &registry) { registry.add(std::make_unique<StaTarget>()); }

} // namespace sparsam::sta
