// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Generalize.cpp - a program for caches of any length ----------------===//

#include "Decode/Variants.h"

#include "onnx/Onnx.h"
#include "sattn/Sattn.h"

using namespace mlir;

namespace sparsam {

namespace {

/// The dimension of keys and values that counts tokens.
constexpr unsigned kTokens = 2;

class Generalizer {
public:
  Generalizer(Variants &variants, int64_t capacity, int64_t step)
      : variants(variants), base(variants.getBase()), capacity(capacity), step(step) {}

  LogicalResult run() {
    if (failed(addLength()))
      return failure();
    for (Operation &op : llvm::make_early_inc_range(base.front()))
      if (failed(rewrite(&op)))
        return failure();
    if (failed(pairOutputs()))
      return failure();
    markInputs();
    for (Operation *op : replaced)
      op->erase();
    Builder builder(base.getContext());
    base->setAttr(sattn::kCacheAttr,
                  builder.getDictionaryAttr(
                      {builder.getNamedAttr("capacity", builder.getI64IntegerAttr(capacity)),
                       builder.getNamedAttr("step", builder.getI64IntegerAttr(step))}));
    base.setFunctionType(builder.getFunctionType(base.front().getArgumentTypes(),
                                                 base.front().getTerminator()->getOperandTypes()));
    return success();
  }

private:
  InFlightDiagnostic refuse(Operation *op) {
    return op->emitOpError() << "cannot be compiled with a cache: ";
  }
  StringRef getName(BlockArgument argument) {
    auto name = base.getArgAttrOfType<StringAttr>(argument.getArgNumber(), onnx::kNameAttr);
    return name ? name.getValue() : "";
  }

  LogicalResult addLength() {
    OpBuilder builder(base.getContext());
    auto attributes = builder.getDictionaryAttr(
        {builder.getNamedAttr(onnx::kNameAttr, builder.getStringAttr("past length")),
         builder.getNamedAttr(sattn::kLengthAttr, builder.getUnitAttr())});
    const unsigned number = base.getNumArguments();
    if (failed(base.insertArgument(number, RankedTensorType::get({}, builder.getI64Type()),
                                   attributes, base.getLoc())))
      return failure();
    length = base.getArgument(number);
    return success();
  }

  //===-- Ops --------------------------------------------------------------===//

  LogicalResult rewrite(Operation *op) {
    if (op->hasTrait<OpTrait::ConstantLike>() || llvm::isa<onnx::NoneOp, func::ReturnOp>(op))
      return success();
    if (auto concat = dyn_cast<onnx::ConcatOp>(op); concat && isAppend(concat))
      return rewriteAppend(concat);
    if (failed(rewriteConstants(op)))
      return failure();
    if (auto attention = dyn_cast<sattn::AttentionOp>(op))
      return rewriteAttention(attention);
    if (grows(op) && !keepsTokensApart(op))
      return refuse(op) << "it reads the tokens of a cache; only sattn.attention may, and what "
                           "computes masks element by element";
    return success();
  }

  bool grows(Operation *op) {
    auto does = [&](Value value) {
      return appends.count(value) || variants.getGrowth(value).has_value();
    };
    return llvm::any_of(op->getOperands(), does) || llvm::any_of(op->getResults(), does);
  }

  /// True if what an op computes for one token does not depend on the others: entries that are not
  /// there yet then stay among themselves.
  bool keepsTokensApart(Operation *op) {
    if (llvm::isa<onnx::AddOp, onnx::SubOp, onnx::MulOp, onnx::DivOp, onnx::CastOp, onnx::WhereOp,
                  onnx::AndOp, onnx::OrOp, onnx::NotOp, onnx::EqualOp, onnx::LessOp,
                  onnx::LessOrEqualOp, onnx::GreaterOp, onnx::GreaterOrEqualOp, onnx::NegOp,
                  onnx::MinOp, onnx::MaxOp, onnx::ExpandOp, onnx::TransposeOp, onnx::IdentityOp>(
            op))
      return true;
    if (!llvm::isa<onnx::ReshapeOp, onnx::UnsqueezeOp, onnx::SqueezeOp>(op))
      return false;
    // Dimensions of 1 come and go, the others stay as they are.
    auto getLarge = [](Value value) {
      auto shape = cast<RankedTensorType>(value.getType()).getShape();
      return llvm::to_vector(llvm::make_filter_range(shape, [](int64_t d) { return d != 1; }));
    };
    return getLarge(op->getOperand(0)) == getLarge(op->getResult(0));
  }

  //===-- Caches -----------------------------------------------------------===//

  bool isAppend(onnx::ConcatOp op) {
    if (op.getInputs().size() != 2 || !llvm::isa<BlockArgument>(op.getInputs()[0]))
      return false;
    std::optional<Growth> past = variants.getGrowth(op.getInputs()[0]);
    return past && past->offset == 0 && !variants.getGrowth(op.getInputs()[1]);
  }

  LogicalResult rewriteAppend(onnx::ConcatOp op) {
    auto cache = cast<BlockArgument>(op.getInputs()[0]);
    Value tokens = op.getInputs()[1];
    auto type = cast<RankedTensorType>(op.getType());
    std::optional<Growth> growth = variants.getGrowth(op.getResult());
    if (type.getRank() != 4 || !type.getElementType().isF32() || growth->dim != kTokens)
      return refuse(op) << "expects caches of float32 [batch, heads, tokens, size], got " << type
                        << ", which grows in dimension " << growth->dim;
    if (!cache.hasOneUse())
      return refuse(op) << "its cache '" << getName(cache)
                        << "' is used by other nodes, too; only what is appended to may be";
    if (growth->offset != step)
      return refuse(op) << "it appends " << growth->offset << " tokens, others " << step;
    cache.setType(type);
    OpBuilder builder(op);
    Value appended =
        sattn::CacheAppendOp::create(builder, op.getLoc(), type, cache, tokens, length);
    appends.try_emplace(appended, cache);
    op.getResult().replaceAllUsesWith(appended);
    replaced.push_back(op);
    return success();
  }

  LogicalResult rewriteAttention(sattn::AttentionOp op) {
    auto type = op.getKey().getType();
    const bool hasCache = appends.count(op.getKey()) || appends.count(op.getValue());
    if (!hasCache && !grows(op))
      return success();
    if (!appends.count(op.getKey()) || !appends.count(op.getValue()))
      return refuse(op)
             << "expects keys and values to be caches with the new tokens appended, [batch, "
                "heads, tokens, size]; got keys of type "
             << type;
    op.getValidMutable().assign(getCount({1, step}, op));
    return success();
  }

  //===-- Arithmetic on the length -----------------------------------------===//

  Value createConstant(OpBuilder &builder, Location loc, RankedTensorType type,
                       ArrayRef<int64_t> values) {
    return onnx::ConstantOp::create(builder, loc, type, DenseElementsAttr::get(type, values));
  }

  Value getCount(ArrayRef<Affine> affines, RankedTensorType type, Operation *before) {
    OpBuilder builder(before);
    Location loc = before->getLoc();
    auto slopes = llvm::map_to_vector(affines, [](const Affine &a) { return a.slope; });
    auto offsets = llvm::map_to_vector(affines, [](const Affine &a) { return a.offset; });
    Value count = length;
    if (llvm::any_of(slopes, [](int64_t slope) { return slope != 1; }))
      count = onnx::MulOp::create(builder, loc, type, count,
                                  createConstant(builder, loc, type, slopes));
    return onnx::AddOp::create(builder, loc, type, count,
                               createConstant(builder, loc, type, offsets));
  }
  Value getCount(Affine affine, Operation *before) {
    return getCount(affine, RankedTensorType::get({}, IntegerType::get(base.getContext(), 64)),
                    before);
  }

  /// Operands that must be constant.
  bool isShapeOperand(OpOperand &operand) {
    return operand.getOperandNumber() > 0 &&
           llvm::isa<onnx::ReshapeOp, onnx::ExpandOp, onnx::UnsqueezeOp, onnx::SqueezeOp,
                     onnx::SliceOp, onnx::TileOp, onnx::SplitOp>(operand.getOwner());
  }

  LogicalResult rewriteConstants(Operation *op) {
    for (OpOperand &operand : op->getOpOperands()) {
      SmallVector<Affine> affines;
      FailureOr<Variants::Kind> kind = variants.classify(operand, affines);
      if (failed(kind))
        return failure();
      if (*kind != Variants::Kind::counted)
        continue;
      if (!isShapeOperand(operand)) {
        operand.set(getCount(affines, cast<RankedTensorType>(operand.get().getType()), op));
        continue;
      }
      // Where the result grows, the base has its largest shape already.
      if (!variants.getGrowth(op->getResult(0)))
        return refuse(op) << "its operand " << operand.getOperandNumber()
                          << " must be constant, but depends on the number of past tokens";
    }
    return success();
  }

  //===-- The function -----------------------------------------------------===//

  LogicalResult pairOutputs() {
    Operation *returned = base.front().getTerminator();
    SetVector<Value> continued;
    for (OpOperand &operand : returned->getOpOperands()) {
      auto append = appends.find(operand.get());
      auto name = base.getResultAttrOfType<StringAttr>(operand.getOperandNumber(), onnx::kNameAttr);
      if (append == appends.end() || !name || !continued.insert(append->second)) {
        if (append == appends.end() && !variants.getGrowth(operand.get()))
          continue;
        return emitError(base.getLoc())
               << "output '" << (name ? name.getValue() : "")
               << "' grows with the number of past tokens, but is not an input with the new tokens "
                  "appended";
      }
      auto cache = cast<BlockArgument>(append->second);
      base.setArgAttr(cache.getArgNumber(), sattn::kStateAttr, name);
      setTokens(cache, kTokens);
    }
    for (auto [append, cache] : appends)
      if (!continued.contains(cache))
        return emitError(base.getLoc()) << "input '" << getName(cast<BlockArgument>(cache))
                                        << "' is a cache, but no output continues it";
    return success();
  }

  void setTokens(BlockArgument argument, unsigned dim) {
    base.setArgAttr(argument.getArgNumber(), sattn::kTokensAttr,
                    Builder(base.getContext()).getI64IntegerAttr(dim));
  }

  /// Inputs beside the caches that are as long as they: masks.
  void markInputs() {
    for (BlockArgument argument : base.getArguments())
      if (std::optional<Growth> growth = variants.getGrowth(argument))
        setTokens(argument, growth->dim);
  }

  Variants &variants;
  func::FuncOp base;
  int64_t capacity, step;
  Value length;
  SmallVector<Operation *> replaced;     ///< erased last: growth is known by address
  llvm::MapVector<Value, Value> appends; ///< result of an append to its cache
};

} // namespace

LogicalResult generalize(Variants &variants, int64_t capacity, int64_t step) {
  return Generalizer(variants, capacity, step).run();
}

} // namespace sparsam
