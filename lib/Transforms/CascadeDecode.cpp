// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CascadeDecode.cpp - prune the cache that a decoder attends to ------===//
//
// With one query there is nothing to narrow: the cache keeps all tokens, and each layer attends to
// the survivors that the importance so far tells. What attention adds to it is added at the
// survivors' places, and kept for the next step.
//

#include "sparsam/Cascade.h"

#include "Transforms/CascadeSupport.h"

#include "isa/Isa.h"
#include "onnx/Onnx.h"
#include "sattn/Sattn.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace sparsam {

namespace {

class DecodeCascade {
public:
  DecodeCascade(func::FuncOp function, const CascadePlan &plan, ArrayRef<sattn::AttentionOp> cores)
      : function(function), plan(plan), cores(cores), builder(function.getContext()) {}

  LogicalResult run() {
    sattn::AttentionOp first = cores.front();
    capacity = typeOf(first.getKey()).getDimSize(2);
    bool prunes = false;
    for (size_t layer = 0; layer < cores.size(); ++layer) {
      if (failed(check(cores[layer], layer)))
        return failure();
      prunes |= tokensIn(layer) < capacity;
    }
    if (!prunes)
      return success();
    addState();
    for (size_t layer = 0; layer < cores.size(); ++layer)
      rewrite(cores[layer], tokensIn(layer));
    keepState();
    return success();
  }

private:
  static constexpr int64_t kFloatType = 1; // of ONNX's TensorProto.DataType
  int64_t tokensIn(size_t layer) const {
    return layer < plan.tokens.size() ? std::min(plan.tokens[layer], capacity) : capacity;
  }

  LogicalResult check(sattn::AttentionOp core, size_t layer) {
    auto refuse = [&] {
      return core.emitOpError() << "cannot be part of a cascade (" << plan.origin << "): ";
    };
    ArrayRef<int64_t> query = typeOf(core.getQuery()).getShape();
    if (tokensIn(layer) < 1)
      return refuse() << "keeps " << tokensIn(layer) << " of " << capacity
                      << " tokens; at least the newest must survive";
    if (query[0] != 1 || query[2] != 1 || typeOf(core.getKey()).getDimSize(2) != capacity)
      return refuse() << "a cache is pruned for one query of one sequence, all caches alike, got "
                      << core.getQuery().getType() << " and " << core.getKey().getType();
    return success();
  }

  /// The importance of all tokens, as an argument that is kept from step to step.
  void addState() {
    auto type = RankedTensorType::get({1, capacity}, builder.getF32Type());
    const unsigned number = function.getNumArguments();
    SmallVector<NamedAttribute> attributes = {
        builder.getNamedAttr(onnx::kNameAttr, builder.getStringAttr("sparsam.importance")),
        builder.getNamedAttr(sattn::kStateAttr, builder.getStringAttr("sparsam.new_importance")),
        builder.getNamedAttr(sattn::kTokensAttr, builder.getI64IntegerAttr(1))};
    (void)function.insertArgument(number, type, builder.getDictionaryAttr(attributes),
                                  function.getLoc());
    importance = function.getArgument(number);
  }
  void keepState() {
    const unsigned number = function.getNumResults();
    SmallVector<NamedAttribute> attributes = {
        builder.getNamedAttr(onnx::kNameAttr, builder.getStringAttr("sparsam.new_importance"))};
    (void)function.insertResult(number, importance.getType(),
                                builder.getDictionaryAttr(attributes));
    Operation *returnOp = function.getBody().front().getTerminator();
    returnOp->insertOperands(returnOp->getNumOperands(), importance);
  }

  Value zeros(int64_t count, Location loc) {
    auto type = RankedTensorType::get({1, count}, builder.getF32Type());
    return arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(type, 0.0f));
  }
  Value gather(Value value, Value indices, int64_t dim) {
    SmallVector<int64_t> shape(typeOf(value).getShape());
    shape[dim] = typeOf(indices).getDimSize(1);
    return sattn::GatherOp::create(builder, value.getLoc(), typeOf(value).clone(shape), value,
                                   indices, builder.getI64IntegerAttr(dim));
  }

  /// The importance, so that tokens that do not exist rank last, and the newest one first: nothing
  /// is known of it yet.
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
    Value existing = onnx::WhereOp::create(builder, loc, row, exists, importance, number(-1));
    constexpr float kMost = 3e38f;
    return onnx::WhereOp::create(builder, loc, row, isNewest, number(kMost), existing);
  }

  void rewrite(sattn::AttentionOp core, int64_t kept) {
    builder.setInsertionPoint(core);
    Location loc = core.getLoc();
    if (kept == capacity) {
      sattn::AttentionOp again =
          attend(core, core.getKey(), core.getValue(), core.getMask(), importance, core.getValid());
      importance = again.getNewTokenScores();
      return;
    }
    auto type = RankedTensorType::get({1, kept}, builder.getI64Type());
    auto ranking =
        sattn::TopKOp::create(builder, loc, type, amongExisting(core.getValid(), loc),
                              builder.getI64IntegerAttr(kept), builder.getDenseI64ArrayAttr({}));
    Value key = gather(core.getKey(), ranking, 2), value = gather(core.getValue(), ranking, 2);
    SmallVector<Operation *> together = {key.getDefiningOp(), value.getDefiningOp()};
    Value mask = core.getMask();
    if (mask && typeOf(mask).getDimSize(3) == capacity)
      mask = gather(mask, ranking, 3); // on the host, which hence needs the ranking before
    else
      together.push_back(ranking);
    auto scalar = RankedTensorType::get({}, builder.getI64Type());
    Value most =
        onnx::ConstantOp::create(builder, loc, scalar, DenseElementsAttr::get(scalar, kept));
    Value valid = onnx::MinOp::create(builder, loc, scalar, core.getValid(), most);
    sattn::AttentionOp again = attend(core, key, value, mask, zeros(kept, loc), valid);
    placeTogether(again, together);
    Value added =
        sattn::ScatterOp::create(builder, loc, importance.getType(), again.getNewTokenScores(),
                                 ranking, builder.getI64IntegerAttr(1));
    importance = onnx::AddOp::create(builder, loc, importance.getType(), importance, added);
  }

  sattn::AttentionOp attend(sattn::AttentionOp core, Value key, Value value, Value mask,
                            Value scores, Value valid) {
    auto again = sattn::AttentionOp::create(builder, core.getLoc(), core.getOutput().getType(),
                                            scores.getType(), Type(), core.getQuery(), key, value,
                                            mask, scores, Value(), valid, core.getScaleAttr(),
                                            core.getCausalAttr(), core.getPolicyAttr());
    again->setDiscardableAttrs(core->getDiscardableAttrDictionary());
    core.getOutput().replaceAllUsesWith(again.getOutput());
    core->erase();
    builder.setInsertionPointAfter(again);
    return again;
  }

  func::FuncOp function;
  const CascadePlan &plan;
  ArrayRef<sattn::AttentionOp> cores;
  OpBuilder builder;
  int64_t capacity = 0;
  Value importance; ///< as accumulated so far
};

} // namespace

LogicalResult applyDecodeCascade(func::FuncOp function, const CascadePlan &plan,
                                 ArrayRef<sattn::AttentionOp> cores) {
  return DecodeCascade(function, plan, cores).run();
}

} // namespace sparsam
