// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CascadeDecode.cpp - prune the cache that a decoder attends to ------===//
//
// With one query there is nothing to narrow: the cache keeps all tokens, and each layer attends to
// the survivors that the importance so far tells. What attention adds to it is added at the
// survivors' places, and kept for the next step.
//
// Heads are ranked behind a layer and are missing from the later ones of the step; the next step
// starts with all of them, and with the importance that they have accumulated.
//

#include "sparsam/Cascade.h"

#include "Transforms/CascadeSupport.h"

#include "isa/Isa.h"
#include "onnx/Onnx.h"
#include "sattn/Sattn.h"

using namespace mlir;

namespace sparsam {

namespace {

class DecodeCascade {
public:
  DecodeCascade(func::FuncOp function, const CascadePlan &plan, ArrayRef<sattn::AttentionOp> cores)
      : function(function), plan(plan), cores(cores), builder(function.getContext()) {}

  LogicalResult run() {
    sattn::AttentionOp first = cores.front();
    allHeads = typeOf(first.getKey()).getDimSize(1);
    capacity = typeOf(first.getKey()).getDimSize(2);
    bool prunesTokens = false;
    for (size_t layer = 0; layer < cores.size(); ++layer) {
      if (failed(checkShapes(cores[layer])) || failed(checkTokens(cores[layer], layer)) ||
          failed(checkHeads(cores[layer], layer)))
        return failure();
      prunesTokens |= tokensIn(layer) < capacity;
      prunesHeads |= headsIn(layer) < allHeads;
    }
    if (prunesTokens)
      importance = addState(kTokenImportance, capacity, /*countsTokens=*/true);
    if (prunesHeads)
      livingScores = headImportance = addState(kHeadImportance, allHeads, false);
    for (size_t layer = 0; layer < cores.size(); ++layer)
      rewrite(layer);
    if (prunesTokens)
      returnScores(function, kTokenImportance, importance);
    if (prunesHeads) {
      builder.setInsertionPoint(function.getBody().front().getTerminator());
      mergeHeadImportance(function.getLoc());
      returnScores(function, kHeadImportance, headImportance);
    }
    return success();
  }

private:
  static constexpr int64_t kFloatType = 1; // of ONNX's TensorProto.DataType
  static int64_t countOf(ArrayRef<int64_t> counts, size_t layer, int64_t all) {
    return counts.empty() ? all : std::min(counts[std::min(layer, counts.size() - 1)], all);
  }
  int64_t tokensIn(size_t layer) const { return countOf(plan.tokens, layer, capacity); }
  int64_t headsIn(size_t layer) const { return countOf(plan.heads, layer, allHeads); }

  InFlightDiagnostic refuse(sattn::AttentionOp core) {
    return core.emitOpError() << "cannot be part of a cascade (" << plan.origin << "): ";
  }

  LogicalResult checkShapes(sattn::AttentionOp core) {
    ArrayRef<int64_t> query = typeOf(core.getQuery()).getShape();
    if (query[0] != 1 || query[2] != 1 || typeOf(core.getKey()).getDimSize(2) != capacity)
      return refuse(core) << "a cache is pruned for one query of one sequence, all caches alike, "
                             "got "
                          << core.getQuery().getType() << " and " << core.getKey().getType();
    if (query[1] != allHeads)
      return refuse(core) << "it has " << query[1] << " heads, the first core " << allHeads;
    return success();
  }
  LogicalResult checkTokens(sattn::AttentionOp core, size_t layer) {
    if (tokensIn(layer) < 1)
      return refuse(core) << "keeps " << tokensIn(layer) << " of " << capacity
                          << " tokens; at least the newest must survive";
    for (int64_t position : plan.protect)
      if (position < -1 || position >= capacity)
        return refuse(core) << "protects position " << position << " of " << capacity
                            << "; of a cache the first tokens and the newest can be protected";
    const int64_t kept = 1 + llvm::count_if(plan.protect, [](int64_t p) { return p >= 0; });
    if (tokensIn(layer) < std::min(kept, capacity))
      return refuse(core) << "keeps " << tokensIn(layer) << " of " << capacity << " tokens, but "
                          << kept << " are protected, the newest among them";
    return success();
  }
  LogicalResult checkHeads(sattn::AttentionOp core, size_t layer) {
    const int64_t now = headsIn(layer);
    if (now < 1)
      return refuse(core) << "keeps " << now << " of " << allHeads
                          << " heads; at least one must survive";
    if (layer == 0 && now < allHeads)
      return refuse(core) << "keeps " << now << " of " << allHeads
                          << " heads in the first core, where nothing is ranked yet";
    if (layer > 0 && now > headsIn(layer - 1))
      return refuse(core) << "has " << now << " heads after a core with " << headsIn(layer - 1)
                          << "; what is pruned stays pruned";
    return success();
  }

  /// An argument of `count` scores that is kept from step to step.
  Value addState(StringRef name, int64_t count, bool countsTokens) {
    auto type = RankedTensorType::get({1, count}, builder.getF32Type());
    const unsigned number = function.getNumArguments();
    SmallVector<NamedAttribute> attributes = {
        builder.getNamedAttr(onnx::kNameAttr, builder.getStringAttr("sparsam." + name.str())),
        builder.getNamedAttr(sattn::kStateAttr, builder.getStringAttr(newScoresName(name)))};
    if (countsTokens)
      attributes.push_back(builder.getNamedAttr(sattn::kTokensAttr, builder.getI64IntegerAttr(1)));
    (void)function.insertArgument(number, type, builder.getDictionaryAttr(attributes),
                                  function.getLoc());
    return function.getArgument(number);
  }
  Value gather(Value value, Value indices, int64_t dim) {
    SmallVector<int64_t> shape(typeOf(value).getShape());
    shape[dim] = typeOf(indices).getDimSize(1);
    return sattn::GatherOp::create(builder, value.getLoc(), typeOf(value).clone(shape), value,
                                   indices, builder.getI64IntegerAttr(dim));
  }

  /// The importance, so that tokens that do not exist rank last, and protected ones first; the
  /// newest is one of them: nothing is known of it yet.
  Value amongExisting(Value valid, Location loc) {
    auto row = importance.getType();
    auto bits = typeOf(importance).clone(builder.getI1Type());
    auto scalar = RankedTensorType::get({}, builder.getF32Type());
    auto number = [&](float value) -> Value {
      return onnx::ConstantOp::create(builder, loc, scalar, DenseElementsAttr::get(scalar, value));
    };
    SmallVector<float> positions;
    for (int64_t position = 0; position < capacity; ++position)
      positions.push_back(float(position));
    Value at = onnx::ConstantOp::create(
        builder, loc, row, DenseElementsAttr::get(typeOf(importance), ArrayRef<float>(positions)));
    Value count =
        onnx::CastOp::create(builder, loc, scalar, valid, builder.getI64IntegerAttr(kFloatType));
    Value last = onnx::SubOp::create(builder, loc, scalar, count, number(1));
    Value exists = onnx::LessOp::create(builder, loc, bits, at, count);
    Value isNewest = onnx::EqualOp::create(builder, loc, bits, at, last);
    // Importance is a sum of probabilities: never negative, and far below the largest number.
    constexpr float kMost = 3e38f;
    SmallVector<float> least(positions.size(), 0);
    for (int64_t position : plan.protect)
      if (position >= 0)
        least[position] = kMost;
    Value scores = importance;
    if (llvm::is_contained(least, kMost)) {
      Value floor = onnx::ConstantOp::create(
          builder, loc, row, DenseElementsAttr::get(typeOf(importance), ArrayRef<float>(least)));
      scores = onnx::MaxOp::create(builder, loc, row, scores, floor);
    }
    Value existing = onnx::WhereOp::create(builder, loc, row, exists, scores, number(-1));
    return onnx::WhereOp::create(builder, loc, row, isNewest, number(kMost), existing);
  }

  /// What an attention works on, once it is on survivors alone.
  struct Operands {
    Value query, key, value, mask, valid;
    Value tokenScores; ///< what its probabilities are added to; null: they are not wanted
    SmallVector<Operation *> together; ///< what is part of its kernel
  };

  void rewrite(size_t layer) {
    sattn::AttentionOp core = cores[layer];
    Location loc = core.getLoc();
    builder.setInsertionPoint(core);
    Operands operands{core.getQuery(),
                      core.getKey(),
                      core.getValue(),
                      core.getMask(),
                      core.getValid(),
                      importance,
                      {}};
    if (headIndices)
      keepHeads(operands);
    Value ranking;
    if (tokensIn(layer) < capacity)
      ranking = keepTokens(operands, tokensIn(layer), loc);
    sattn::AttentionOp again = attend(core, operands);
    if (prunesHeads) {
      livingScores = again.getNewHeadScores();
      if (layer + 1 < cores.size() && headsIn(layer + 1) < headsIn(layer))
        operands.together.push_back(pruneHeads(headsIn(layer + 1), loc));
    }
    if (!operands.together.empty())
      placeTogether(again, operands.together);
    if (ranking) {
      Value added =
          sattn::ScatterOp::create(builder, loc, importance.getType(), again.getNewTokenScores(),
                                   ranking, builder.getI64IntegerAttr(1));
      importance = onnx::AddOp::create(builder, loc, importance.getType(), importance, added);
    } else if (importance) {
      importance = again.getNewTokenScores();
    }
  }

  /// The machine picks the heads of the caches; queries and masks are small.
  void keepHeads(Operands &operands) {
    operands.query = gather(operands.query, headIndices, 1);
    for (Value *rows : {&operands.key, &operands.value}) {
      *rows = gather(*rows, headIndices, 1);
      operands.together.push_back(rows->getDefiningOp());
    }
    if (operands.mask && typeOf(operands.mask).getDimSize(1) > 1)
      operands.mask = gather(operands.mask, headIndices, 1);
  }

  /// Fetches the `kept` most important tokens alone; returns their positions.
  Value keepTokens(Operands &operands, int64_t kept, Location loc) {
    auto type = RankedTensorType::get({1, kept}, builder.getI64Type());
    Value ranking =
        sattn::TopKOp::create(builder, loc, type, amongExisting(operands.valid, loc),
                              builder.getI64IntegerAttr(kept), builder.getDenseI64ArrayAttr({}));
    operands.tokenScores = zeroScores(builder, loc, 1, kept);
    operands.together.push_back(operands.tokenScores.getDefiningOp());
    for (Value *rows : {&operands.key, &operands.value}) {
      *rows = gather(*rows, ranking, 2);
      operands.together.push_back(rows->getDefiningOp());
    }
    if (operands.mask && typeOf(operands.mask).getDimSize(3) == capacity)
      operands.mask = gather(operands.mask, ranking, 3); // on the host, which ranks before
    else
      operands.together.push_back(ranking.getDefiningOp());
    auto scalar = RankedTensorType::get({}, builder.getI64Type());
    Value most =
        onnx::ConstantOp::create(builder, loc, scalar, DenseElementsAttr::get(scalar, kept));
    operands.valid = onnx::MinOp::create(builder, loc, scalar, operands.valid, most);
    return ranking;
  }

  /// Ranks the living heads; returns the ranking.
  Operation *pruneHeads(int64_t kept, Location loc) {
    mergeHeadImportance(loc);
    auto type = RankedTensorType::get({1, kept}, builder.getI64Type());
    Value ranking =
        sattn::TopKOp::create(builder, loc, type, livingScores, builder.getI64IntegerAttr(kept),
                              builder.getDenseI64ArrayAttr({}));
    livingScores = gather(livingScores, ranking, 1);
    headIndices = headIndices ? gather(headIndices, ranking, 1) : ranking;
    return ranking.getDefiningOp();
  }

  /// Writes the scores of the living heads into those of all: a pruned head's stay as they are.
  void mergeHeadImportance(Location loc) {
    if (!headIndices) {
      headImportance = livingScores;
      return;
    }
    auto row = typeOf(headImportance);
    auto scatter = [&](Value scores) -> Value {
      return sattn::ScatterOp::create(builder, loc, row, scores, headIndices,
                                      builder.getI64IntegerAttr(1));
    };
    auto one = RankedTensorType::get({1, 1}, builder.getF32Type());
    auto living = typeOf(livingScores);
    Value ones =
        onnx::ConstantOp::create(builder, loc, living, DenseElementsAttr::get(living, 1.0f));
    Value none = onnx::ConstantOp::create(builder, loc, one, DenseElementsAttr::get(one, 0.0f));
    Value isPruned =
        onnx::EqualOp::create(builder, loc, row.clone(builder.getI1Type()), scatter(ones), none);
    headImportance =
        onnx::WhereOp::create(builder, loc, row, isPruned, headImportance, scatter(livingScores));
  }

  /// `core` on its survivors; what used its output gets zeros for pruned heads.
  sattn::AttentionOp attend(sattn::AttentionOp core, const Operands &operands) {
    SmallVector<int64_t> shape(typeOf(core.getOutput()).getShape());
    shape[1] = typeOf(operands.query).getDimSize(1);
    auto again = sattn::AttentionOp::create(
        builder, core.getLoc(), typeOf(core.getOutput()).clone(shape),
        operands.tokenScores ? operands.tokenScores.getType() : Type(),
        prunesHeads ? livingScores.getType() : Type(), operands.query, operands.key, operands.value,
        operands.mask, operands.tokenScores, prunesHeads ? livingScores : Value(), operands.valid,
        core.getScaleAttr(), core.getCausalAttr(), core.getPolicyAttr());
    again->setDiscardableAttrs(core->getDiscardableAttrDictionary());
    Value output = again.getOutput();
    if (headIndices)
      output = sattn::ScatterOp::create(builder, core.getLoc(), core.getOutput().getType(), output,
                                        headIndices, builder.getI64IntegerAttr(1));
    core.getOutput().replaceAllUsesWith(output);
    core->erase();
    builder.setInsertionPointAfter(output.getDefiningOp());
    return again;
  }

  func::FuncOp function;
  const CascadePlan &plan;
  ArrayRef<sattn::AttentionOp> cores;
  OpBuilder builder;
  int64_t capacity = 0, allHeads = 0;
  bool prunesHeads = false;
  Value importance;     ///< of tokens, as accumulated so far; null: no tokens are pruned
  Value headImportance; ///< of all heads, living ones as of the last pruning
  Value livingScores;   ///< of living heads, as accumulated so far
  Value headIndices;    ///< living heads; null: all
};

} // namespace

LogicalResult applyDecodeCascade(func::FuncOp function, const CascadePlan &plan,
                                 ArrayRef<sattn::AttentionOp> cores) {
  return DecodeCascade(function, plan, cores).run();
}

} // namespace sparsam
