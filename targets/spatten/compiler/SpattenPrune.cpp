// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SpattenPrune.cpp - how many tokens and heads live in which layer ---===//

#include "Spatten.h"

#include "onnx/Onnx.h"
#include "sattn/Sattn.h"
#include "sparsam/Cascade.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include "llvm/Support/Format.h"

#include <cmath>

using namespace mlir;
using namespace sparsam;
using namespace sparsam::spatten;

namespace sparsam::spatten {
#define GEN_PASS_DEF_SPATTENPRUNE
#include "targets/spatten/SpattenPasses.h.inc"
} // namespace sparsam::spatten

namespace {

/// From layer `first` on.
struct Step {
  int64_t first;
  double keep;
};

/// Published ratios of the largest context, and living heads. [R workloads]
constexpr Step kSmallKeys[] = {{0, 0.9}, {1, 0.7}, {2, 0.2}, {6, 0.1}};
constexpr Step kMediumKeys[] = {{0, 1}, {2, 0.9}, {3, 0.8}, {5, 0.6}, {11, 0.3}};
constexpr Step kMediumHeads[] = {{0, 16}, {16, 13}, {22, 10}};

double lookUp(ArrayRef<Step> steps, int64_t layer) {
  double value = steps.front().keep;
  for (const Step &step : steps)
    value = layer >= step.first ? step.keep : value;
  return value;
}

struct SpattenPrune : spatten::impl::SpattenPruneBase<SpattenPrune> {
  using SpattenPruneBase::SpattenPruneBase;

  void runOnOperation() override {
    auto arch = getOperation()->getAttrOfType<isa::ArchAttr>(isa::kArchAttr);
    if (!arch) {
      emitError(getOperation().getLoc())
          << "spatten-prune needs a target: the module has no `isa.arch`; run isa-set-target";
      return signalPassFailure();
    }
    if (failed(checkArch(arch, getOperation().getLoc())))
      return signalPassFailure();
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isExternal() && failed(applyCascade(function, makePlan(function, arch))))
        return signalPassFailure();
  }

private:
  CascadePlan makePlan(func::FuncOp function, isa::ArchAttr arch) {
    SmallVector<sattn::AttentionOp> cores;
    function.walk([&](sattn::AttentionOp op) { cores.push_back(op); });
    CascadePlan plan;
    if (cores.empty())
      return plan;
    const int64_t layers = int64_t(cores.size());
    ArrayRef<int64_t> key = cores.front().getKey().getType().getShape();
    StringRef schedule = arch.getText("schedule");
    plan.protect = protectedTokens(cores.front(), arch);
    if (schedule == "linear") {
      plan.tokens = linear(layers, key[2], arch, "token_prune", "token_front");
      plan.heads = linear(layers, key[1], arch, "head_prune", "head_front");
      plan.origin = "parameters" + nameValues(arch, {"token_prune", "head_prune", "prune_slope",
                                                     "token_front", "head_front", "protect"});
      return plan;
    }
    const bool isSmall = schedule == "gpt2_small";
    const double context = double(arch.getInteger("max_context"));
    // A decoder ranks by the steps before; the first layer of a prompt has nothing to rank by.
    const bool isDecoder = bool(cores.front().getValid());
    for (int64_t layer = 0; layer < layers; ++layer) {
      const double keep =
          layer == 0 && !isDecoder
              ? 1
              : lookUp(isSmall ? ArrayRef<Step>(kSmallKeys) : ArrayRef<Step>(kMediumKeys), layer);
      plan.tokens.push_back(layer == 0 && !isDecoder
                                ? key[2]
                                : std::min(key[2], int64_t(std::floor(keep * context))));
      if (!isSmall)
        plan.heads.push_back(std::min(key[1], int64_t(lookUp(kMediumHeads, layer))));
    }
    plan.origin = "parameters" + nameValues(arch, {"schedule", "max_context", "protect"});
    return plan;
  }

  /// " `a` = 1, `b` = 2", for messages.
  static std::string nameValues(isa::ArchAttr arch, ArrayRef<StringRef> names) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    llvm::interleaveComma(names, stream, [&](StringRef name) {
      stream << (name == names.front() ? " `" : "`") << name << "` = ";
      Attribute value = arch.getParameters().get(name);
      if (auto real = dyn_cast<FloatAttr>(value))
        stream << llvm::format("%g", real.getValueAsDouble());
      else if (auto choice = dyn_cast<StringAttr>(value))
        stream << choice.getValue();
      else
        stream << cast<IntegerAttr>(value).getValue();
    });
    return text;
  }

  /// The paper's rule. [P V-A]
  static SmallVector<int64_t> linear(int64_t layers, int64_t all, isa::ArchAttr arch,
                                     StringRef pruneName, StringRef frontName) {
    const double average = arch.getReal(pruneName), slope = arch.getReal("prune_slope");
    // At least the first layer, which has nothing to rank by.
    const auto front =
        std::max<int64_t>(1, int64_t(std::ceil(arch.getReal(frontName) * double(layers) - 1e-9)));
    const int64_t pruning = layers - front;
    SmallVector<int64_t> counts;
    int64_t live = all;
    for (int64_t layer = 0; layer < layers; ++layer) {
      if (layer >= front) {
        const double place = pruning > 1 ? double(layer - front) / double(pruning - 1) : 0.5;
        const double ratio = average * (1 - slope + 2 * slope * place);
        live = std::max<int64_t>(
            1, int64_t(std::floor(double(live) * (1 - std::min(ratio, 1.0)) + 1e-9)));
      }
      counts.push_back(live);
    }
    return counts;
  }

  static SmallVector<int64_t> protectedTokens(sattn::AttentionOp core, isa::ArchAttr arch) {
    StringRef protect = arch.getText("protect");
    if (protect == "auto")
      protect = core.getCausal() || core.getValid() ? "last" : "first";
    SmallVector<int64_t> positions;
    if (protect == "first" || protect == "both")
      positions.push_back(0);
    if (protect == "last" || protect == "both")
      positions.push_back(-1);
    return positions;
  }
};

} // namespace
