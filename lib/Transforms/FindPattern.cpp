// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- FindPattern.cpp - recognise windows and global tokens in a mask ----===//

#include "Transforms/MaskBits.h"

#include "sparsam/Transforms.h"

#include "onnx/Onnx.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "llvm/ADT/SetVector.h"

#include <map>

using namespace mlir;

namespace sparsam {
#define GEN_PASS_DEF_FINDPATTERN
#include "sparsam/SattnPasses.h.inc"

namespace {

struct FindPattern : impl::FindPatternBase<FindPattern> {
  using FindPatternBase::FindPatternBase;

  void runOnOperation() override {
    SmallVector<sattn::AttentionOp> cores;
    getOperation().walk([&](sattn::AttentionOp op) {
      if (op.getMask() || op.getCausal())
        cores.push_back(op);
    });
    bool failedAny = false;
    for (sattn::AttentionOp core : cores)
      failedAny |= failed(replaceMask(core));
    eraseMasks();
    if (failedAny)
      signalPassFailure();
  }

private:
  /// What is known of a mask: a pattern, or why there is none.
  struct Found {
    sattn::PatternAttr pattern;
    std::string reason;
    SmallVector<int64_t> hiddenKeys; ///< beside the pattern
  };

  LogicalResult replaceMask(sattn::AttentionOp core) {
    if (!core.getPolicy().isDense())
      return success();
    Value constant = core.getMask(), rest;
    if (keys)
      std::tie(constant, rest) = splitMask(core.getMask());
    if (!constant && !core.getCausal())
      return success(); // padding alone
    Found &found = lookUp(core, constant);
    if (!found.pattern) {
      auto text = [&](InFlightDiagnostic diagnostic) {
        diagnostic << "has a mask that is no pattern of windows and global tokens: "
                   << found.reason;
      };
      if (required) {
        text(core.emitOpError());
        return failure();
      }
      text(core.emitRemark());
      return success();
    }
    if (Operation *mask = core.getMask() ? core.getMask().getDefiningOp() : nullptr)
      masks.insert(mask);
    rest = hideKeys(core, found.hiddenKeys, rest);
    core.getMaskMutable().assign(rest ? ValueRange(rest) : ValueRange());
    core.setCausal(false);
    core.setPolicyAttr(cast<sattn::SelectionPolicyAttrInterface>(Attribute(found.pattern)));
    return core.getPolicy().verifyFor(core);
  }

  /// The mask that hides what `rest` hides, which may be null, and some keys.
  static Value hideKeys(sattn::AttentionOp core, ArrayRef<int64_t> hidden, Value rest) {
    if (hidden.empty())
      return rest;
    OpBuilder builder(core);
    auto type = RankedTensorType::get({1, 1, 1, core.getKey().getType().getDimSize(2)},
                                      builder.getF32Type());
    std::vector<float> mask(size_t(type.getNumElements()), 0.0f);
    for (int64_t key : hidden)
      mask[size_t(key)] = kHidden;
    Value constant = arith::ConstantOp::create(builder, core.getLoc(),
                                               DenseElementsAttr::get(type, ArrayRef(mask)));
    if (!rest)
      return constant;
    return onnx::AddOp::create(builder, core.getLoc(), rest.getType(), rest, constant);
  }

  /// The part of a mask that may be a pattern, and the part that hides keys from all queries alike;
  /// null where there is none. Cannot take sums apart whose terms have fewer than four dimensions.
  static std::pair<Value, Value> splitMask(Value mask) {
    auto isOfKeys = [](Value value) {
      auto type = dyn_cast_if_present<RankedTensorType>(value ? value.getType() : Type());
      return type && type.getRank() == 4 && type.getDimSize(2) == 1 &&
             !matchPattern(value, m_Constant());
    };
    if (isOfKeys(mask))
      return {Value(), mask};
    auto add = mask ? mask.getDefiningOp<onnx::AddOp>() : nullptr;
    if (add && isOfKeys(add.getA()) != isOfKeys(add.getB()))
      return isOfKeys(add.getA()) ? std::pair(add.getB(), add.getA())
                                  : std::pair(add.getA(), add.getB());
    return {mask, Value()};
  }

  /// Layers share their mask: it is looked at once.
  Found &lookUp(sattn::AttentionOp core, Value mask) {
    const int64_t queries = core.getQuery().getType().getDimSize(2),
                  keys = core.getKey().getType().getDimSize(2);
    auto key =
        std::make_tuple(mask ? mask.getAsOpaquePointer() : nullptr, queries, core.getCausal());
    auto [it, isNew] = known.try_emplace(key);
    if (isNew)
      it->second = find(mask, core.getCausal(), queries, keys);
    return it->second;
  }

  Found find(Value mask, bool causal, int64_t queries, int64_t keys) {
    if (ShapedType::isDynamic(queries) || queries != keys)
      return {{}, "it has other numbers of queries than of keys", {}};
    constexpr int64_t kMaxTokens = 16384; // one byte per pair
    if (queries > kMaxTokens)
      return {{},
              "it has " + std::to_string(queries) + " tokens; at most " +
                  std::to_string(kMaxTokens) + " are looked at",
              {}};
    MaskBits bits(queries);
    std::string reason;
    if (mask) {
      FailureOr<MaskBits> read = readMask(mask, queries, reason);
      if (failed(read))
        return {{}, reason, {}};
      bits = std::move(*read);
    }
    for (int64_t i = 0; causal && i < queries; ++i)
      std::fill(bits.row(i) + i + 1, bits.row(i) + queries, uint8_t(0));
    FoundPattern found = findPattern(bits, this->keys);
    if (!found.misfit.empty())
      return {{}, found.misfit, {}};
    return {sattn::PatternAttr::get(&getContext(), found.windows, found.globals, 1),
            {},
            found.hiddenKeys};
  }

  /// Ops that made masks which nothing uses any more.
  void eraseMasks() {
    while (!masks.empty()) {
      Operation *op = masks.pop_back_val();
      if (!op->use_empty())
        continue;
      for (Value operand : op->getOperands())
        if (Operation *source = operand.getDefiningOp(); source && isPure(source))
          masks.insert(source);
      if (isPure(op))
        op->erase();
    }
  }

  std::map<std::tuple<const void *, int64_t, bool>, Found> known; ///< by mask, tokens, causality
  SetVector<Operation *> masks;
};

} // namespace
} // namespace sparsam
