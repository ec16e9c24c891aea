// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SaloTarget.cpp - what SALO tells the compiler ----------------------===//

#include "Salo.h"

#include "sattn/Sattn.h"
#include "sparsam/Target.h"
#include "sparsam/Transforms.h"

using namespace mlir;
using namespace sparsam;
using namespace sparsam::salo;

namespace {

class SaloTarget : public DialectTarget<SaloDialect> {
public:
  void registerPasses() const override { registerSaloPasses(); }

  /// The window and the leading global tokens that the parameters give; without a window every key.
  FailureOr<Attribute> getPolicy(isa::ArchAttr arch, Operation *attention) const override {
    if (failed(checkArch(arch, attention->getLoc())))
      return failure();
    auto core = cast<sattn::AttentionOp>(attention);
    const int64_t width = arch.getInteger("window"), dilation = arch.getInteger("dilation");
    if (width == 0)
      return Attribute(sattn::DenseAttr::get(attention->getContext()));
    const int64_t queries = core.getQuery().getType().getDimSize(2),
                  tokens = core.getKey().getType().getDimSize(2);
    // Distances that no query has to a key cost passes and show nothing.
    const int64_t first = std::max(-(width / 2), -((queries - 1) / dilation));
    const int64_t last = std::min(width - 1 - width / 2, (tokens - 1) / dilation);
    const sattn::Window window{first * dilation, last - first + 1, dilation};
    auto globals =
        llvm::to_vector(llvm::seq<int64_t>(0, std::min(arch.getInteger("global_tokens"), tokens)));
    return Attribute(sattn::PatternAttr::get(attention->getContext(), window, globals, 1));
  }

  /// In dense mode too: a pattern takes the place of a mask of the model.
  void addPreparationPasses(OpPassManager &pm, SparsifyMode mode) const override {
    pm.addPass(createFindPattern({/*required=*/true, /*keys=*/true}));
    if (mode == SparsifyMode::sparse)
      pm.addPass(createCheckSaloSettings());
  }

  void addLoweringPasses(OpPassManager &pm) const override {
    pm.addPass(createReorderDilated());
    pm.addPass(createSplitWindows());
    pm.addPass(createLowerToSalo());
  }

  std::map<std::string, MemoryInfo> getMemories(isa::ArchAttr arch) const override {
    return readMemories(arch, {{"key", 16, "key_buffer"},
                               {"output", 32, "output_buffer"},
                               {"query", 16, "query_buffer"},
                               {"value", 16, "value_buffer"}});
  }
};

} // namespace

namespace sparsam::salo {

/// Called by the generated registerAllTargets.
void registerSaloTarget(TargetRegistry &registry) { registry.add(std::make_unique<SaloTarget>()); }

} // namespace sparsam::salo
