// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- FindPattern.cpp - recognise windows and global tokens in a mask ----===//

#include "Transforms/CoreInputs.h"
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
  /// Heads with one pattern.
  struct Group {
    SmallVector<int64_t> heads;
    FoundPattern found;
    sattn::PatternAttr pattern;
  };
  /// What is known of a mask: the patterns of all heads, or why there are none.
  struct Found {
    SmallVector<Group, 1> groups;
    std::string reason;
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
    if (!found.reason.empty())
      return refuse(core, found.reason);
    if (core.getNumResults() > 1 && (found.groups.size() > 1 || found.groups[0].found.rowPadding))
      return refuse(core, "it takes several cores or more tokens, and scores are accumulated");
    if (Operation *mask = core.getMask() ? core.getMask().getDefiningOp() : nullptr)
      masks.insert(mask);
    return setPatterns(core, found.groups, rest);
  }

  /// An error where a pattern is required.
  LogicalResult refuse(sattn::AttentionOp core, StringRef reason) {
    (required ? core.emitOpError() : core.emitRemark())
        << "has a mask that is no pattern of windows and global tokens: " << reason;
    return failure(required);
  }

  /// Gives each group of heads, as a core of its own, its pattern in the place of the mask; `rest`
  /// stays, which may be null.
  LogicalResult setPatterns(sattn::AttentionOp core, ArrayRef<Group> groups, Value rest) {
    core.getMaskMutable().clear();
    core.setCausal(false);
    SmallVector<sattn::AttentionOp> parts = {core};
    if (groups.size() > 1)
      parts = splitHeads(
          core, llvm::map_to_vector(groups, [](const Group &group) { return group.heads; }));
    for (auto [part, group] : llvm::zip_equal(parts, groups)) {
      OpBuilder builder(part);
      Value own =
          rest && groups.size() > 1 ? pickHeads(builder, part.getLoc(), rest, group.heads) : rest;
      setPattern(part, group, own);
      if (failed(part.getPolicy().verifyFor(part)))
        return failure();
    }
    return success();
  }

  static void setPattern(sattn::AttentionOp core, const Group &group, Value rest) {
    const FoundPattern &found = group.found;
    if (found.rowPadding > 0) {
      constexpr int64_t kKeyAxis = 3;
      OpBuilder builder(core);
      const int64_t tokens = core.getKey().getType().getDimSize(2);
      if (rest)
        rest = gatherAlong(builder, core.getLoc(), rest, kKeyAxis,
                           padRows(tokens, found.rowLength, found.rowPadding));
      padRows(core, found.rowLength, found.rowPadding);
    }
    rest = hideKeys(core, found.hiddenKeys, rest);
    core.getMaskMutable().assign(rest ? ValueRange(rest) : ValueRange());
    core.setPolicyAttr(cast<sattn::SelectionPolicyAttrInterface>(Attribute(group.pattern)));
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
      return {{}, "it has other numbers of queries than of keys"};
    constexpr int64_t kMaxTokens = 16384; // one byte per pair
    if (queries > kMaxTokens)
      return {{},
              "it has " + std::to_string(queries) + " tokens; at most " +
                  std::to_string(kMaxTokens) + " are looked at"};
    std::vector<MaskBits> heads(1, MaskBits(queries));
    std::string reason;
    if (mask) {
      FailureOr<std::vector<MaskBits>> read = readMask(mask, queries, reason);
      if (failed(read))
        return {{}, reason};
      heads = std::move(*read);
    }
    for (MaskBits &bits : heads)
      for (int64_t i = 0; causal && i < queries; ++i)
        std::fill(bits.row(i) + i + 1, bits.row(i) + queries, uint8_t(0));
    return findGroups(heads);
  }

  Found findGroups(ArrayRef<MaskBits> heads) {
    Found found;
    for (auto [head, bits] : llvm::enumerate(heads)) {
      auto isAlike = [&, &own = bits](const Group &group) {
        return heads[size_t(group.heads.front())].visible == own.visible;
      };
      if (auto *group = llvm::find_if(found.groups, isAlike); group != found.groups.end()) {
        group->heads.push_back(int64_t(head));
        continue;
      }
      FoundPattern pattern = findPattern(bits, keys);
      if (!pattern.misfit.empty())
        return {{},
                (heads.size() > 1 ? "head " + std::to_string(head) + ": " : "") + pattern.misfit};
      found.groups.push_back(
          {{int64_t(head)},
           pattern,
           sattn::PatternAttr::get(&getContext(), pattern.windows, pattern.globals, 1)});
    }
    return found;
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
