// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Cascade.cpp - prune tokens and heads across layers -----------------===//
//
// Behind an attention core whose tokens are ranked, everything that works token by token runs on
// the survivors: ops are made again with smaller types, and whatever else they use is gathered.
// Where an op needs all positions, and at the function's results, survivors are scattered back. A
// second ranking works on the program of the first, so that its survivors are numbered among those
// of the first.
//

#include "sparsam/Cascade.h"

#include "Transforms/CascadeSupport.h"
#include "Transforms/TokenDims.h"

#include "sparsam/Transforms.h"

#include "isa/Isa.h"
#include "onnx/Onnx.h"
#include "sattn/Sattn.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace sparsam {
#define GEN_PASS_DEF_CASCADE
#include "sparsam/SattnPasses.h.inc"

namespace {

/// `type` with `size` positions in dimension `dim`, and `batch` entries where the first dimension
/// is another one.
RankedTensorType resized(RankedTensorType type, int64_t dim, int64_t size, int64_t batch) {
  SmallVector<int64_t> shape(type.getShape());
  shape[dim] = size;
  if (dim > 0)
    shape[0] = batch;
  return type.clone(shape);
}

//===-- Narrowing ----------------------------------------------------------===//

/// Restricts what follows an attention core to the tokens in `indices`, [batch, k].
class Narrower {
public:
  Narrower(Value indices, int64_t tokens)
      : indices(indices), batch(typeOf(indices).getDimSize(0)), kept(typeOf(indices).getDimSize(1)),
        tokens(tokens), builder(indices.getContext()) {}

  /// `seed` has its tokens in `dim`; all ops behind the definition of `indices` are looked at.
  void run(Value seed, int64_t dim) {
    SmallVector<Operation *> ops;
    for (Operation *op = indices.getDefiningOp()->getNextNode(); op; op = op->getNextNode())
      ops.push_back(op);
    builder.setInsertionPointAfterValue(indices);
    narrow[seed] = {gather(seed, dim), dim};
    for (Operation *op : ops)
      visit(op);
    for (Operation *op : llvm::reverse(ops))
      if (op->getNumResults() > 0 && isMemoryEffectFree(op) && op->use_empty())
        op->erase();
  }
  /// What has become of an op that was made again; itself otherwise.
  Operation *replacementOf(Operation *op) const {
    auto it = replacements.find(op);
    return it == replacements.end() ? op : it->second;
  }

private:
  struct Kept {
    Value value;
    int64_t dim = TokenDims::kNone;
  };

  void visit(Operation *op) {
    SmallVector<int64_t> known;
    for (Value operand : op->getOperands())
      known.push_back(narrow.lookup(operand).dim);
    if (llvm::all_of(known, [](int64_t dim) { return dim == TokenDims::kNone; }))
      return;
    builder.setInsertionPoint(op);
    std::optional<TokenDims> dims = findTokenDims(op, known, tokens);
    if (dims && isBatchAligned(op, *dims))
      return makeAgain(op, *dims);
    for (OpOperand &operand : op->getOpOperands())
      if (narrow.count(operand.get()))
        operand.set(scatter(operand.get()));
  }

  /// Tokens lie behind the batch entries, so that each entry can keep its own, or there is one
  /// entry.
  bool isBatchAligned(Operation *op, const TokenDims &dims) const {
    auto isAligned = [this](Value value, int64_t dim) {
      if (dim == TokenDims::kNone)
        return true;
      const int64_t first = typeOf(value).getDimSize(0);
      return dim == 0 ? batch == 1 : first == 1 || first == batch;
    };
    return llvm::all_of(
               llvm::zip(op->getOperands(), dims.operands),
               [&](auto pair) { return isAligned(std::get<0>(pair), std::get<1>(pair)); }) &&
           llvm::all_of(llvm::zip(op->getResults(), dims.results),
                        [&](auto pair) { return isAligned(std::get<0>(pair), std::get<1>(pair)); });
  }

  void makeAgain(Operation *op, const TokenDims &dims) {
    SmallVector<Value> operands(op->getOperands());
    for (auto [operand, dim] : llvm::zip(operands, dims.operands))
      if (dim != TokenDims::kNone)
        operand = keptOf(operand, dim);
    if (auto attention = dyn_cast<sattn::AttentionOp>(op); attention && attention.getMask())
      operands[3] = gatherMask(attention, operands[3], dims.operands);
    Operation *again = builder.clone(*op);
    again->setOperands(operands);
    for (auto [result, old, dim] : llvm::zip(again->getResults(), op->getResults(), dims.results)) {
      if (dim == TokenDims::kNone)
        continue;
      result.setType(resized(typeOf(old), dim, kept, batch));
      narrow[old] = {result, dim};
    }
    builder.setInsertionPoint(again);
    if (auto reshape = dyn_cast<onnx::ReshapeOp>(again))
      reshape->setOperand(1, shapeConstant(typeOf(again->getResult(0))));
    replacements[op] = again;
  }

  /// A mask over queries and keys is gathered in both dimensions; `mask` is gathered along keys
  /// already.
  Value gatherMask(sattn::AttentionOp attention, Value mask, ArrayRef<int64_t> dims) {
    const bool alongQueries = typeOf(attention.getMask()).getDimSize(2) == tokens && tokens != 1;
    if (dims[3] == 3 && alongQueries)
      return gather(mask, 2);
    return mask;
  }

  Value shapeConstant(RankedTensorType shape) {
    auto type = RankedTensorType::get({shape.getRank()}, builder.getI64Type());
    return onnx::ConstantOp::create(builder, indices.getLoc(), type,
                                    DenseElementsAttr::get(type, shape.getShape()));
  }

  Value keptOf(Value value, int64_t dim) {
    auto it = narrow.find(value);
    if (it != narrow.end())
      return it->second.value;
    Value &gathered = others[{value, dim}];
    if (!gathered)
      gathered = gather(value, dim);
    return gathered;
  }
  Value gather(Value value, int64_t dim) {
    return sattn::GatherOp::create(builder, indices.getLoc(),
                                   resized(typeOf(value), dim, kept, batch), value, indices,
                                   builder.getI64IntegerAttr(dim));
  }
  /// All positions of `value` again, zeros where tokens were pruned.
  Value scatter(Value value) {
    const Kept &part = narrow[value];
    return sattn::ScatterOp::create(builder, indices.getLoc(), typeOf(value), part.value, indices,
                                    builder.getI64IntegerAttr(part.dim));
  }

  Value indices;
  int64_t batch, kept, tokens;
  OpBuilder builder;
  llvm::DenseMap<Value, Kept> narrow; ///< by the value with all tokens
  llvm::DenseMap<std::pair<Value, int64_t>, Value>
      others; ///< gathered, because ops made again use them
  llvm::DenseMap<Operation *, Operation *> replacements;
};

//===-- Layers -------------------------------------------------------------===//

class Cascade {
public:
  Cascade(func::FuncOp function, const CascadePlan &plan)
      : function(function), plan(plan), builder(function.getContext()), cores(coresOf(function)) {}

  LogicalResult run() {
    if (cores.empty() || !prunes())
      return success();
    if (failed(readProtected()) || failed(check()))
      return failure();
    for (size_t layer = 0; layer < cores.size(); ++layer)
      if (failed(runLayer(layer)))
        return failure();
    return success();
  }

private:
  static int64_t countOf(ArrayRef<int64_t> counts, size_t layer, int64_t all) {
    if (counts.empty())
      return all;
    return std::min(counts[std::min(layer, counts.size() - 1)], all);
  }
  int64_t tokensIn(size_t layer) const { return countOf(plan.tokens, layer, allTokens()); }
  int64_t headsIn(size_t layer) const { return countOf(plan.heads, layer, allHeads()); }
  int64_t allTokens() const { return tokens; }
  int64_t allHeads() const { return heads; }
  /// True if something is pruned behind core `layer`, or behind a later one.
  bool prunesTokensFrom(size_t layer) const {
    return layer + 1 < cores.size() && tokensIn(cores.size() - 1) < tokensIn(layer);
  }
  bool prunesHeadsFrom(size_t layer) const {
    return layer + 1 < cores.size() && headsIn(cores.size() - 1) < headsIn(layer);
  }
  bool prunes() {
    tokens = typeOf(cores.front().getKey()).getDimSize(2);
    heads = typeOf(cores.front().getKey()).getDimSize(1);
    return prunesTokensFrom(0) || prunesHeadsFrom(0);
  }

  static StringRef nameOf(sattn::AttentionOp core) {
    auto name = dyn_cast_if_present<StringAttr>(core->getDiscardableAttr(sattn::kNameAttr));
    return name ? name.getValue() : "attention";
  }
  InFlightDiagnostic refuse(sattn::AttentionOp core) {
    return core.emitOpError() << "cannot be part of a cascade (" << plan.origin << "): ";
  }

  LogicalResult check() {
    for (size_t layer = 0; layer < cores.size(); ++layer) {
      sattn::AttentionOp core = cores[layer];
      if (core->getBlock() != &function.getBody().front())
        return refuse(core) << "expects it in the function's one block";
      if (!typeOf(core.getQuery()).hasStaticShape() || !typeOf(core.getKey()).hasStaticShape())
        return refuse(core) << "expects static shapes, got " << core.getQuery().getType();
      if (failed(checkShapes(core)) || failed(checkCounts(core, layer)))
        return failure();
    }
    return success();
  }
  LogicalResult checkShapes(sattn::AttentionOp core) {
    ArrayRef<int64_t> query = typeOf(core.getQuery()).getShape();
    const int64_t keys = typeOf(core.getKey()).getDimSize(2);
    if (core.getTokenScores() || core.getHeadScores())
      return refuse(core) << "it is part of one already";
    if (query[1] != heads)
      return refuse(core) << "it has " << query[1] << " heads, the first core " << heads;
    if (prunesTokensFrom(0) && (query[2] != keys || keys != tokens))
      return refuse(core) << "tokens are pruned in self-attention over one sequence, but it has "
                          << query[2] << " queries and " << keys << " keys, the first core "
                          << tokens << " keys";
    return success();
  }
  LogicalResult checkCounts(sattn::AttentionOp core, size_t layer) {
    for (auto [what, counts, all] : {std::tuple("tokens", ArrayRef<int64_t>(plan.tokens), tokens),
                                     std::tuple("heads", ArrayRef<int64_t>(plan.heads), heads)}) {
      const int64_t now = countOf(counts, layer, all);
      if (now < 1)
        return refuse(core) << "keeps " << now << " of " << all << " " << what
                            << "; at least one must survive";
      if (layer > 0 && now > countOf(counts, layer - 1, all))
        return refuse(core) << "has " << now << " " << what << " after a core with "
                            << countOf(counts, layer - 1, all) << "; what is pruned stays pruned";
      if (layer == 0 && now < all)
        return refuse(core) << "keeps " << now << " of " << all << " " << what
                            << " in the first core, where nothing is ranked yet";
    }
    if (tokensIn(layer) < protectedFirst + protectedLast)
      return refuse(core) << "keeps " << tokensIn(layer) << " of " << tokens << " tokens, but "
                          << protectedFirst + protectedLast << " are protected";
    return success();
  }

  LogicalResult readProtected() {
    sattn::AttentionOp core = cores.front();
    SmallVector<int64_t> positions;
    for (int64_t position : plan.protect) {
      if (position < -tokens || position >= tokens)
        return refuse(core) << "protects position " << position << " of " << tokens;
      positions.push_back(position < 0 ? position + tokens : position);
    }
    llvm::sort(positions);
    positions.erase(llvm::unique(positions), positions.end());
    while (protectedFirst < int64_t(positions.size()) &&
           positions[protectedFirst] == protectedFirst)
      ++protectedFirst;
    protectedLast = int64_t(positions.size()) - protectedFirst;
    if (protectedLast > 0 && positions[protectedFirst] != tokens - protectedLast)
      return refuse(core) << "protects position " << positions[protectedFirst]
                          << "; the first and the last tokens can be protected, because they stay "
                             "first and last";
    return success();
  }

  //===-- Rewriting --------------------------------------------------------===//

  /// `core` on the living heads, with scores that go in and come out.
  sattn::AttentionOp withScores(sattn::AttentionOp core, bool ofTokens, bool ofHeads) {
    builder.setInsertionPoint(core);
    const int64_t batch = typeOf(core.getQuery()).getDimSize(0);
    auto living = [&](Value value) -> Value {
      if (!headIndices || !value || typeOf(value).getDimSize(1) == 1)
        return value;
      return sattn::GatherOp::create(
          builder, core.getLoc(),
          resized(typeOf(value), 1, typeOf(headIndices).getDimSize(1), batch), value, headIndices,
          builder.getI64IntegerAttr(1));
    };
    if (ofTokens && !tokenScores)
      tokenScores = zeroScores(builder, core.getLoc(), batch, tokens);
    if (ofHeads && !headScores)
      headScores = zeroScores(builder, core.getLoc(), batch, heads);
    Value query = living(core.getQuery());
    Type output = typeOf(core.getOutput());
    if (headIndices)
      output = resized(typeOf(core.getOutput()), 1, typeOf(headIndices).getDimSize(1), batch);
    auto again = sattn::AttentionOp::create(
        builder, core.getLoc(), output, ofTokens ? tokenScores.getType() : Type(),
        ofHeads ? headScores.getType() : Type(), query, living(core.getKey()),
        living(core.getValue()), living(core.getMask()), ofTokens ? tokenScores : Value(),
        ofHeads ? headScores : Value(), core.getValid(), core.getScaleAttr(), core.getCausalAttr(),
        core.getPolicyAttr());
    again->setDiscardableAttrs(core->getDiscardableAttrDictionary());
    placeZeros(again, {ofTokens ? tokenScores : Value(), ofHeads ? headScores : Value()});
    Value result = again.getOutput();
    if (headIndices)
      result = sattn::ScatterOp::create(builder, core.getLoc(), core.getOutput().getType(), result,
                                        headIndices, builder.getI64IntegerAttr(1));
    core.getOutput().replaceAllUsesWith(result);
    core->erase();
    return again;
  }

  Value rank(sattn::AttentionOp core, Value scores, int64_t k, ArrayRef<int64_t> protect) {
    auto type = RankedTensorType::get({typeOf(scores).getDimSize(0), k}, builder.getI64Type());
    auto ranking =
        sattn::TopKOp::create(builder, core.getLoc(), type, scores, builder.getI64IntegerAttr(k),
                              builder.getDenseI64ArrayAttr(protect));
    placeTogether(core, {ranking.getOperation()});
    return ranking;
  }
  Value gatherRow(Value row, Value indices) {
    return sattn::GatherOp::create(
        builder, row.getLoc(),
        typeOf(row).clone({typeOf(row).getDimSize(0), typeOf(indices).getDimSize(1)}), row, indices,
        builder.getI64IntegerAttr(1));
  }

  LogicalResult runLayer(size_t layer) {
    const bool ofTokens = prunesTokensFrom(layer), ofHeads = prunesHeadsFrom(layer);
    if (!ofTokens && !ofHeads && !headIndices)
      return success();
    sattn::AttentionOp core = withScores(cores[layer], ofTokens, ofHeads);
    Operation *last = core;
    if (headIndices)
      last = core->getNextNode(); // the scatter
    Value output = headIndices ? last->getResult(0) : Value(core.getOutput());
    builder.setInsertionPointAfter(last);
    if (ofHeads) {
      headScores = core.getNewHeadScores();
      if (headsIn(layer + 1) < headsIn(layer))
        pruneHeads(core, headsIn(layer + 1));
    }
    if (!ofTokens)
      return success();
    tokenScores = core.getNewTokenScores();
    return tokensIn(layer + 1) < tokensIn(layer) ? pruneTokens(core, output, layer) : success();
  }

  void pruneHeads(sattn::AttentionOp core, int64_t k) {
    Value indices = rank(core, headScores, k, {});
    headScores = gatherRow(headScores, indices);
    headIndices = headIndices ? gatherRow(headIndices, indices) : indices;
  }

  LogicalResult pruneTokens(sattn::AttentionOp core, Value output, size_t layer) {
    const int64_t k = tokensIn(layer + 1), n = tokensIn(layer);
    Value indices = rank(core, tokenScores, k, protectedAmong(n));
    Narrower narrower(indices, n);
    narrower.run(output, 2);
    builder.setInsertionPointAfterValue(indices);
    tokenScores = gatherRow(tokenScores, indices);
    for (size_t later = layer + 1; later < cores.size(); ++later) {
      cores[later] = cast<sattn::AttentionOp>(narrower.replacementOf(cores[later]));
      if (typeOf(cores[later].getKey()).getDimSize(2) != k)
        return refuse(cores[later])
               << "the tokens of " << nameOf(core) << " cannot be followed up to here";
    }
    return success();
  }
  /// The protected ones of `n` survivors: the first stay first and the last last.
  SmallVector<int64_t> protectedAmong(int64_t n) const {
    SmallVector<int64_t> positions;
    for (int64_t i = 0; i < protectedFirst; ++i)
      positions.push_back(i);
    for (int64_t i = protectedLast; i > 0; --i)
      positions.push_back(-i);
    return positions;
  }

  func::FuncOp function;
  const CascadePlan &plan;
  OpBuilder builder;
  SmallVector<sattn::AttentionOp> cores;
  int64_t tokens = 0, heads = 0, protectedFirst = 0, protectedLast = 0;
  Value tokenScores, headScores; ///< as accumulated so far, of what lives
  Value headIndices;             ///< living heads, among all
};

struct CascadePass : impl::CascadeBase<CascadePass> {
  using CascadeBase::CascadeBase;

  void runOnOperation() override {
    CascadePlan plan;
    plan.tokens.assign(tokens.begin(), tokens.end());
    plan.heads.assign(heads.begin(), heads.end());
    plan.protect.assign(protect.begin(), protect.end());
    plan.origin = "options of sattn-cascade";
    for (auto function : llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>()))
      if (!function.isExternal() && failed(applyCascade(function, plan)))
        return signalPassFailure();
  }
};

} // namespace

void placeTogether(sattn::AttentionOp core, ArrayRef<Operation *> others) {
  auto arch = core->getParentOfType<ModuleOp>()->getAttrOfType<isa::ArchAttr>(isa::kArchAttr);
  auto name = dyn_cast_if_present<StringAttr>(core->getDiscardableAttr(sattn::kNameAttr));
  if (!arch || !name)
    return;
  core->setDiscardableAttr(kKernelAttr, name);
  for (Operation *op : others) {
    op->setDiscardableAttr(kTargetAttr, StringAttr::get(core.getContext(), arch.getTarget()));
    op->setDiscardableAttr(kKernelAttr, name);
  }
}

Value zeroScores(OpBuilder &builder, Location loc, int64_t batch, int64_t count) {
  auto type = RankedTensorType::get({batch, count}, builder.getF32Type());
  return arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(type, 0.0f));
}

void placeZeros(sattn::AttentionOp core, ArrayRef<Value> scores) {
  SmallVector<Operation *> constants;
  for (Value value : scores)
    if (value && value.getDefiningOp<arith::ConstantOp>())
      constants.push_back(value.getDefiningOp());
  if (!constants.empty())
    placeTogether(core, constants);
}

LogicalResult applyCascade(func::FuncOp function, const CascadePlan &plan) {
  SmallVector<sattn::AttentionOp> cores = coresOf(function);
  if (!cores.empty() && llvm::all_of(cores, [](sattn::AttentionOp op) { return op.getValid(); }))
    return applyDecodeCascade(function, plan, cores);
  return Cascade(function, plan).run();
}

} // namespace sparsam
