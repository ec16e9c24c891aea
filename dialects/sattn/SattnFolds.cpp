// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SattnFolds.cpp - encoding steps on constants -----------------------===//

#include "sattn/Semantics.h"

using namespace mlir;
using namespace sparsam::sattn;

/// True if a folder may make a constant of `type`.
static bool isFoldable(Type type) { return semantics::fits(cast<ShapedType>(type), kFoldLimit); }

LogicalResult QuantizeOp::fold(FoldAdaptor adaptor, SmallVectorImpl<OpFoldResult> &results) {
  if (!isFoldable(getCodes().getType()) || !isFoldable(getNorms().getType()))
    return failure();
  auto input = semantics::toFloats(adaptor.getInput());
  if (!input)
    return failure();
  auto [codes, norms] =
      semantics::quantize(*input, getBits(), getRange().convertToDouble(), getNormalize());
  results.push_back(semantics::toAttr(codes, getCodes().getType()));
  results.push_back(semantics::toAttr(norms, getNorms().getType()));
  return success();
}

OpFoldResult PredictOp::fold(FoldAdaptor adaptor) {
  if (!isFoldable(getProbabilities().getType()))
    return {};
  auto query = semantics::toCodes(adaptor.getQuery()), key = semantics::toCodes(adaptor.getKey());
  auto queryNorms = semantics::toFloats(adaptor.getQueryNorms()),
       keyNorms = semantics::toFloats(adaptor.getKeyNorms());
  auto mask = semantics::toFloats(adaptor.getMask());
  if (!query || !key || !queryNorms || !keyNorms || (getMask() && !mask))
    return {};
  semantics::PredictSettings settings{getQScale().convertToDouble(), getKScale().convertToDouble(),
                                      getScale().convertToFloat(), getCausal()};
  auto result =
      semantics::predict(*query, *queryNorms, *key, *keyNorms, mask ? &*mask : nullptr, settings);
  return semantics::toAttr(result, getProbabilities().getType());
}

OpFoldResult SelectOp::fold(FoldAdaptor adaptor) {
  auto probabilities = semantics::toFloats(adaptor.getProbabilities());
  if (!probabilities || !isFoldable(getSelection().getType()))
    return {};
  auto mask = semantics::select(*probabilities, getThreshold().convertToDouble(), getEmptyRow());
  return semantics::toAttr(mask, getSelection().getType());
}

OpFoldResult PackSplitOp::fold(FoldAdaptor adaptor) {
  auto unpack = getMask().getDefiningOp<UnpackOp>();
  if (unpack && unpack.getPacked().getType() == getPacked().getType())
    return unpack.getPacked();
  if (!isFoldable(getMask().getType()))
    return {};
  auto mask = semantics::toMask(adaptor.getMask());
  if (!mask)
    return {};
  return semantics::toAttr(semantics::packSplit(*mask, getPacked().getType()),
                           getPacked().getType());
}

OpFoldResult UnpackOp::fold(FoldAdaptor adaptor) {
  auto packSplit = getPacked().getDefiningOp<PackSplitOp>();
  if (packSplit && packSplit.getMask().getType() == getMask().getType())
    return packSplit.getMask();
  auto subrows = semantics::toSubrows(adaptor.getPacked());
  if (!subrows || !isFoldable(getMask().getType()))
    return {};
  return semantics::toAttr(semantics::unpack(*subrows, getPacked().getType()), getMask().getType());
}

OpFoldResult PackedConstantOp::fold(FoldAdaptor) { return getSubrows(); }
