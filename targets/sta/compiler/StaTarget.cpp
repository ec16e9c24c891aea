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

class StaTarget : public Target {
public:
  StringRef getName() const override { return "sta"; }

  void registerDialects(DialectRegistry &registry) const override { registry.insert<StaDialect>(); }

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
    auto bytes = [&](StringRef name) {
      auto value = arch.getParameters().getAs<IntegerAttr>(name);
      return value ? value.getInt() : 0;
    };
    const auto bits = [&](StringRef name) { return unsigned(std::max<int64_t>(bytes(name), 1)); };
    return {{"activation", {bytes("activation_memory"), 16, "activation_memory"}},
            {"bitmaps", {bytes("bitmap_memory"), bits("m"), "bitmap_memory"}},
            {"constants", {bytes("constant_memory"), 32, "constant_memory"}},
            {"mask", {bytes("mask_memory"), 32, "mask_memory"}},
            {"values", {bytes("weight_memory"), bits("weight_bits"), "weight_memory"}}};
  }
};

} // namespace

namespace sparsam::sta {

/// Called by the generated registerAllTargets.
void registerStaTarget(TargetRegistry &registry) { registry.add(std::make_unique<StaTarget>()); }

} // namespace sparsam::sta
