// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SpattenPrune.cpp - how many tokens and heads live in which layer ---===//

#include "Spatten.h"

#include "onnx/Onnx.h"
#include "sattn/Sattn.h"
#include "sparsam/Cascade.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

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
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (function.isExternal())
        continue;
      if (isPrompt(function)) {
        handOver(function, arch);
        continue;
      }
      FailureOr<CascadePlan> plan = makePlan(function, arch);
      if (failed(plan) || failed(applyCascade(function, *plan)))
        return signalPassFailure();
    }
  }

private:
  /// What the steps behind a prompt rank.
  static void handOver(func::FuncOp function, isa::ArchAttr arch) {
    StringRef schedule = arch.getText("schedule");
    const bool isLinear = schedule == "linear";
    returnImportance(function, !isLinear || arch.getReal("token_prune") > 0,
                     isLinear ? arch.getReal("head_prune") > 0 : schedule == "gpt2_medium");
  }

  static FailureOr<CascadePlan> makePlan(func::FuncOp function, isa::ArchAttr arch) {
    SmallVector<sattn::AttentionOp> cores;
    function.walk([&](sattn::AttentionOp op) { cores.push_back(op); });
    if (cores.empty())
      return CascadePlan();
    return arch.getText("schedule") == "linear" ? makeLinearPlan(cores, arch)
                                                : makePublishedPlan(cores, arch);
  }

  static FailureOr<CascadePlan> makeLinearPlan(ArrayRef<sattn::AttentionOp> cores,
                                               isa::ArchAttr arch) {
    ArrayRef<int64_t> key = sattn::AttentionOp(cores.front()).getKey().getType().getShape();
    CascadePlan plan;
    plan.protect = protectedTokens(cores.front(), arch);
    if (failed(
            linear(cores, key[2], arch, {"token_prune", "token_front", "tokens"}, plan.tokens)) ||
        failed(linear(cores, key[1], arch, {"head_prune", "head_front", "heads"}, plan.heads)))
      return failure();
    plan.origin = "parameters" + nameValues(arch, {"token_prune", "head_prune", "prune_slope",
                                                   "token_front", "head_front", "protect"});
    return plan;
  }

  static CascadePlan makePublishedPlan(ArrayRef<sattn::AttentionOp> cores, isa::ArchAttr arch) {
    sattn::AttentionOp first = cores.front();
    ArrayRef<int64_t> key = first.getKey().getType().getShape();
    CascadePlan plan;
    plan.protect = protectedTokens(first, arch);
    const bool isSmall = arch.getText("schedule") == "gpt2_small";
    const double context = double(arch.getInteger("max_context"));
    // A decoder ranks by the steps before; the first layer of a prompt has nothing to rank by.
    const bool isDecoder = bool(first.getValid());
    for (int64_t layer = 0; layer < int64_t(cores.size()); ++layer) {
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

  /// What is pruned by the paper's rule, and the parameters that say how much.
  struct Pruned {
    StringRef ratio, front, what;
  };

  /// The paper's rule: how many of `all` live in each core. [P V-A]
  static LogicalResult linear(ArrayRef<sattn::AttentionOp> cores, int64_t all, isa::ArchAttr arch,
                              const Pruned &names, SmallVector<int64_t> &counts) {
    const double average = arch.getReal(names.ratio), slope = arch.getReal("prune_slope");
    const auto layers = int64_t(cores.size());
    // At least the first layer, which has nothing to rank by.
    const auto front =
        std::max<int64_t>(1, int64_t(std::ceil(arch.getReal(names.front) * double(layers) - 1e-9)));
    const int64_t pruning = layers - front;
    if (const double last = average * (1 + slope); pruning > 1 && last > 1 + 1e-9)
      return refuseRatio(cores.back(), arch, names, last);
    int64_t live = all;
    for (int64_t layer = 0; layer < layers; ++layer) {
      if (layer >= front) {
        const double place = pruning > 1 ? double(layer - front) / double(pruning - 1) : 0.5;
        const double ratio = average * (1 - slope + 2 * slope * place);
        live = std::max<int64_t>(1, int64_t(std::floor(double(live) * (1 - ratio) + 1e-9)));
      }
      counts.push_back(live);
    }
    return success();
  }

  static LogicalResult refuseRatio(sattn::AttentionOp core, isa::ArchAttr arch, const Pruned &names,
                                   double ratio) {
    std::string text;
    llvm::raw_string_ostream(text)
        << names.ratio << llvm::format(" = %g", arch.getReal(names.ratio))
        << llvm::format(" with prune_slope = %g prunes ", arch.getReal("prune_slope"))
        << llvm::format("%g of the last layer's ", ratio) << names.what
        << "; at most 1: lower one of the two (arch.yaml of spatten)";
    return core.emitError() << text;
  }

  /// A mask that is made at run time and differs by query: padding together with causality, most
  /// likely. Constant causal masks are recognised before.
  static bool mayBeCausal(sattn::AttentionOp core) {
    Value mask = core.getMask();
    return mask && !matchPattern(mask, m_Constant()) &&
           cast<RankedTensorType>(mask.getType()).getDimSize(2) > 1;
  }

  static SmallVector<int64_t> protectedTokens(sattn::AttentionOp core, isa::ArchAttr arch) {
    StringRef protect = arch.getText("protect");
    if (protect == "auto")
      protect = core.getCausal() || core.getValid() ? "last" : mayBeCausal(core) ? "both" : "first";
    SmallVector<int64_t> positions;
    if (protect == "first" || protect == "both")
      positions.push_back(0);
    if (protect == "last" || protect == "both")
      positions.push_back(-1);
    return positions;
  }
};

} // namespace
