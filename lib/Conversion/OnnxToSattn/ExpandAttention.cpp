// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ExpandAttention.cpp - operators that are attention -----------------===//

#include "Conversion/OnnxToSattn/Core.h"

#include <cmath>
#include <limits>

using namespace mlir;

namespace sparsam {

static LogicalResult refuse(Operation *op, const Twine &reason) {
  return op->emitOpError() << "cannot be run: " << reason;
}

/// [batch, tokens, heads * size] as [batch, heads, tokens, size].
static Value splitHeads(OnnxBuilder &builder, Value value, int64_t heads) {
  ArrayRef<int64_t> shape = shapeOf(value);
  Value split = builder.reshape(value, {shape[0], shape[1], heads, shape[2] / heads});
  return builder.transpose(split, {0, 2, 1, 3});
}

static Value joinHeads(OnnxBuilder &builder, Value value) {
  ArrayRef<int64_t> shape = shapeOf(value);
  Value tokens = builder.transpose(value, {0, 2, 1, 3});
  return builder.reshape(tokens, {shape[0], shape[2], shape[1] * shape[3]});
}

/// A mask with dimensions of 1 in front, up to four.
static Value withFourDims(OnnxBuilder &builder, Value mask) {
  SmallVector<int64_t> shape(shapeOf(mask));
  if (shape.size() < 4)
    shape.insert(shape.begin(), 4 - shape.size(), 1);
  return builder.reshape(mask, shape);
}

/// Sum of two masks of which either may be null.
static Value addMasks(OnnxBuilder &builder, Value a, Value b) {
  return a && b ? builder.make<onnx::AddOp>(a, b) : a ? a : b;
}

/// 0 where key j <= query i, and what hides all later keys: causal with the two ends at the start.
static Value topLeftCausalMask(OnnxBuilder &builder, int64_t queries, int64_t keys) {
  SmallVector<float> values;
  for (int64_t i = 0; i < queries; ++i)
    for (int64_t j = 0; j < keys; ++j)
      values.push_back(j <= i ? 0.0f : -std::numeric_limits<float>::infinity());
  auto type = RankedTensorType::get({1, 1, queries, keys}, builder.builder.getF32Type());
  return onnx::ConstantOp::create(builder.builder, builder.loc, type,
                                  DenseElementsAttr::get(type, ArrayRef<float>(values)));
}

/// ONNX counts keys from the first one (there are no past keys), sattn from the last one.
static void alignCausal(OnnxBuilder &builder, Core &core) {
  const int64_t queries = shapeOf(core.query)[2], keys = shapeOf(core.key)[2];
  if (!core.causal || queries == keys)
    return;
  core.mask = addMasks(builder, core.mask, topLeftCausalMask(builder, queries, keys));
  core.causal = false;
}

static void replace(OnnxBuilder &builder, Operation *op, Core &core, StringRef name,
                    bool joinsHeads) {
  recogniseCausal(core);
  Value result = builder.attention(core, name);
  op->getResult(0).replaceAllUsesWith(joinsHeads ? joinHeads(builder, result) : result);
  op->erase();
}

/// Checks that tensors are static float32 of this rank, and that heads divide their last dimension.
static LogicalResult checkHidden(Operation *op, ValueRange tensors, int64_t heads) {
  for (Value tensor : tensors) {
    auto type = dyn_cast<RankedTensorType>(tensor.getType());
    if (!type || !type.hasStaticShape() || type.getRank() != 3 || !type.getElementType().isF32() ||
        heads < 1 || type.getDimSize(2) % heads != 0)
      return refuse(op, "expects float32 tensors [batch, tokens, hidden] whose hidden size is a "
                        "multiple of num_heads = " +
                            Twine(heads));
  }
  return success();
}

//===-- Masks of com.microsoft ---------------------------------------------===//

/// The default of com.microsoft for what padding hides.
static constexpr float kMaskFilter = -10000.0f;

/// 0 where flags [...] are 1, `hidden` where they are 0.
static Value maskOfFlags(OnnxBuilder &builder, Value flags, float hidden) {
  Value real = builder.make<onnx::CastOp>(flags, builder.builder.getI64IntegerAttr(1));
  Value inverse = builder.make<onnx::SubOp>(builder.real(1.0f), real);
  return builder.make<onnx::MulOp>(inverse, builder.real(hidden));
}

/// [batch, 1, 1, keys]: `hidden` for keys from the end of a batch on and, where there are starts,
/// before its start.
static Value maskOfBounds(OnnxBuilder &builder, Value bounds, int64_t batch, int64_t keys,
                          float hidden) {
  const bool hasStarts = shapeOf(bounds)[0] == 2 * batch;
  bounds = builder.make<onnx::CastOp>(bounds, builder.builder.getI64IntegerAttr(7));
  auto part = [&](int64_t first) {
    Value slice = builder.make<onnx::SliceOp>(bounds, builder.integers(first),
                                              builder.integers(first + batch), builder.integers(0),
                                              builder.none());
    return builder.reshape(slice, {batch, 1, 1, 1});
  };
  Value positions = builder.integers(llvm::to_vector(llvm::seq<int64_t>(0, keys)));
  Value ends = hasStarts ? part(0) : builder.reshape(bounds, {batch, 1, 1, 1});
  Value isHidden = builder.make<onnx::GreaterOrEqualOp>(positions, ends);
  if (hasStarts)
    isHidden =
        builder.make<onnx::OrOp>(isHidden, builder.make<onnx::LessOp>(positions, part(batch)));
  return builder.make<onnx::WhereOp>(isHidden, builder.real(hidden), builder.real(0.0f));
}

/// The mask of `core` from an operand `padding` called `name`, and from the bias of the scores;
/// either may be none. Only some operators take starts.
template <typename Op>
static LogicalResult setMask(OnnxBuilder &builder, Op op, Core &core, Value padding, StringRef name,
                             bool takesStarts) {
  const int64_t batch = shapeOf(core.query)[0], queries = shapeOf(core.query)[2],
                keys = shapeOf(core.key)[2];
  const float hidden =
      op.getMaskFilterValue() ? op.getMaskFilterValue()->convertToFloat() : kMaskFilter;
  if (!onnx::isNone(padding)) {
    ArrayRef<int64_t> shape = shapeOf(padding);
    if (shape == ArrayRef{batch} || (takesStarts && shape == ArrayRef{2 * batch}))
      core.mask = maskOfBounds(builder, padding, batch, keys, hidden);
    else if (shape == ArrayRef{batch, keys} || shape == ArrayRef{batch, queries, keys})
      core.mask = builder.reshape(maskOfFlags(builder, padding, hidden),
                                  {batch, 1, shape.size() == 2 ? 1 : queries, keys});
    else
      return refuse(op, "expects a " + name + " [batch], " + (takesStarts ? "[2 * batch], " : "") +
                            "[batch, keys] or [batch, queries, keys]");
  }
  if (Value bias = op.getAttentionBias(); !onnx::isNone(bias))
    core.mask = addMasks(builder, core.mask, withFourDims(builder, bias));
  return success();
}

//===-- Operators ----------------------------------------------------------===//

LogicalResult expandAttention(onnx::AttentionOp op, StringRef name) {
  OpBuilder base(op);
  OnnxBuilder builder(base, op.getLoc());
  if (op.getSoftcap().convertToFloat() != 0)
    return refuse(op, "softcap is not supported");
  auto type = dyn_cast<RankedTensorType>(op.getQ().getType());
  if (!type || !type.hasStaticShape() || !type.getElementType().isF32())
    return refuse(op, "expects static float32 tensors");
  Core core{op.getQ(), op.getK(), op.getV(), {}, 1, op.getIsCausal() != 0};
  const bool isJoined = type.getRank() == 3;
  if (isJoined) {
    const int64_t heads = op.getQNumHeads().value_or(0), kvHeads = op.getKvNumHeads().value_or(0);
    if (failed(checkHidden(op, op.getQ(), heads)) ||
        failed(checkHidden(op, {op.getK(), op.getV()}, kvHeads)))
      return failure();
    core.query = splitHeads(builder, core.query, heads);
    core.key = splitHeads(builder, core.key, kvHeads);
    core.value = splitHeads(builder, core.value, kvHeads);
  }
  if (shapeOf(core.query)[1] != shapeOf(core.key)[1])
    return refuse(op, "grouped queries (" + Twine(shapeOf(core.query)[1]) + " heads of Q, " +
                          Twine(shapeOf(core.key)[1]) + " of K) are not supported");
  core.scale = op.getScale() ? op.getScale()->convertToDouble()
                             : 1 / std::sqrt(double(shapeOf(core.query)[3]));
  if (Value mask = op.getAttnMask(); !onnx::isNone(mask)) {
    if (cast<ShapedType>(mask.getType()).getElementType().isInteger(1)) {
      float hidden = -std::numeric_limits<float>::infinity();
      mask = builder.make<onnx::WhereOp>(mask, builder.real(0.0f), builder.real(hidden));
    }
    core.mask = withFourDims(builder, mask);
  }
  alignCausal(builder, core);
  replace(builder, op, core, name, isJoined);
  return success();
}

LogicalResult expandAttention(onnx::MSAttentionOp op, StringRef name) {
  OpBuilder base(op);
  OnnxBuilder builder(base, op.getLoc());
  const int64_t heads = op.getNumHeads();
  if (failed(checkHidden(op, {op.getInput(), op.getOutput()}, heads)))
    return failure();
  const int64_t hidden = shapeOf(op.getOutput())[2];
  Value projected = builder.make<onnx::MatMulOp>(op.getInput(), op.getWeights());
  if (!onnx::isNone(op.getBias()))
    projected = builder.make<onnx::AddOp>(projected, op.getBias());
  SmallVector<Value> parts;
  for (int64_t part = 0; part < 3; ++part) {
    Value slice = builder.make<onnx::SliceOp>(projected, builder.integers(part * hidden),
                                              builder.integers((part + 1) * hidden),
                                              builder.integers(2), builder.none());
    parts.push_back(splitHeads(builder, slice, heads));
  }
  Core core{parts[0], parts[1], parts[2], {}, 0, op.getUnidirectional() != 0};
  core.scale =
      op.getScale() ? op.getScale()->convertToDouble() : 1 / std::sqrt(double(hidden / heads));
  if (failed(setMask(builder, op, core, op.getMaskIndex(), "mask_index", /*takesStarts=*/true)))
    return failure();
  replace(builder, op, core, name, true);
  return success();
}

LogicalResult expandAttention(onnx::MSMultiHeadAttentionOp op, StringRef name) {
  OpBuilder base(op);
  OnnxBuilder builder(base, op.getLoc());
  const int64_t heads = op.getNumHeads();
  SmallVector<Value> parts = {op.getQuery(), op.getKey(), op.getValue()};
  if (failed(checkHidden(op, parts, heads)))
    return failure();
  const int64_t queries = shapeOf(parts[0])[1], keys = shapeOf(parts[1])[1];
  if (op.getUnidirectional() && queries != keys)
    return refuse(op, "unidirectional attention of " + Twine(queries) + " queries and " +
                          Twine(keys) + " keys is not supported, it takes as many of both");
  int64_t offset = 0;
  for (Value &part : parts) {
    const int64_t hidden = shapeOf(part)[2];
    if (!onnx::isNone(op.getBias())) {
      Value bias = builder.make<onnx::SliceOp>(op.getBias(), builder.integers(offset),
                                               builder.integers(offset + hidden),
                                               builder.integers(0), builder.none());
      part = builder.make<onnx::AddOp>(part, bias);
    }
    offset += hidden;
    part = splitHeads(builder, part, heads);
  }
  Core core{parts[0], parts[1], parts[2], {}, 0, op.getUnidirectional() != 0};
  core.scale = op.getScale() ? op.getScale()->convertToDouble()
                             : 1 / std::sqrt(double(shapeOf(parts[0])[3]));
  if (failed(setMask(builder, op, core, op.getKeyPaddingMask(), "key_padding_mask",
                     /*takesStarts=*/false)))
    return failure();
  replace(builder, op, core, name, true);
  return success();
}

} // namespace sparsam
