// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SattnTokens.cpp - rank tokens, keep some, put results back ---------===//

#include "sattn/Semantics.h"
#include "sattn/ShapeChecks.h"

#include <cmath>

using namespace mlir;
using namespace sparsam::sattn;

//===-- progressive --------------------------------------------------------===//

LogicalResult ProgressiveAttr::verify(function_ref<InFlightDiagnostic()> emitError, int64_t msb,
                                      int64_t lsb, int64_t valueBits, Real threshold,
                                      int64_t values, Real qRange, Real kRange, Real vRange) {
  if (msb < 2 || lsb < 0 || msb + lsb > 16)
    return emitError() << "expects `msb` from 2 on, `lsb` from 0 on, and at most 16 together, got "
                       << msb << " and " << lsb;
  if (valueBits < 2 || valueBits > 16)
    return emitError() << "expects `value_bits` from 2 to 16, got " << valueBits;
  if (!(threshold >= 0 && threshold <= 1))
    return emitError() << "expects `threshold` in [0, 1], got " << double(threshold);
  if (values < 1)
    return emitError() << "expects `values` from 1 on, got " << values;
  for (auto [name, range] :
       {std::pair("q_range", double(qRange)), std::pair("k_range", double(kRange)),
        std::pair("v_range", double(vRange))})
    if (!(range >= 0) || !std::isfinite(range))
      return emitError() << "expects `" << name
                         << "` finite and > 0, or 0 if not calibrated yet, got " << range;
  return success();
}

LogicalResult ProgressiveAttr::verifyFor(Operation *) const { return success(); }

bool ProgressiveAttr::isDense() const { return false; }

StringRef ProgressiveAttr::missingCalibration() const {
  if (getQRange() == Real(0))
    return "q_range";
  if (getKRange() == Real(0))
    return "k_range";
  return getVRange() == Real(0) ? "v_range" : "";
}

Value ProgressiveAttr::buildSelection(OpBuilder &builder, Operation *attention) const {
  return DenseAttr::get(builder.getContext()).buildSelection(builder, attention);
}

Value ProgressiveAttr::buildValueSelection(OpBuilder &builder, Operation *attention,
                                           Value probabilities) const {
  auto type = cast<RankedTensorType>(probabilities.getType());
  if (getValues() >= type.getDimSize(3))
    return {};
  return SelectLargestOp::create(builder, attention->getLoc(), type.clone(builder.getI1Type()),
                                 probabilities, builder.getI64IntegerAttr(getValues()));
}

//===-- top_k, select_largest ----------------------------------------------===//

LogicalResult TopKOp::verify() {
  ArrayRef<int64_t> scores = shapeOf(getScores());
  const int64_t n = scores[1], k = getK();
  if (failed(expectShape(*this, "indices", shapeOf(getIndices()), {scores[0], k},
                         "rows of the scores, `k` each")))
    return failure();
  if (ShapedType::isDynamic(n))
    return success();
  if (k > n)
    return emitOpError() << "keeps " << k << " of " << n << " scores";
  llvm::SmallDenseSet<int64_t> positions;
  for (int64_t position : getProtect()) {
    if (position < -n || position >= n)
      return emitOpError() << "protects position " << position << " of " << n << " scores";
    positions.insert(position < 0 ? position + n : position);
  }
  if (int64_t(positions.size()) > k)
    return emitOpError() << "keeps " << k << " scores, but protects " << positions.size();
  return success();
}

OpFoldResult TopKOp::fold(FoldAdaptor adaptor) {
  auto scores = semantics::toFloats(adaptor.getScores());
  if (!scores)
    return {};
  return semantics::toAttr(semantics::topKRows(*scores, getK(), getProtect()),
                           getIndices().getType());
}

LogicalResult SelectLargestOp::verify() {
  return expectShape(*this, "selection", shapeOf(getSelection()), shapeOf(getProbabilities()),
                     "the probabilities");
}

OpFoldResult SelectLargestOp::fold(FoldAdaptor adaptor) {
  auto probabilities = semantics::toFloats(adaptor.getProbabilities());
  if (!probabilities || !semantics::fits(getSelection().getType(), kFoldLimit))
    return {};
  return semantics::toAttr(semantics::selectLargest(*probabilities, getK()),
                           getSelection().getType());
}

//===-- gather, scatter ----------------------------------------------------===//

/// What gather and scatter have in common: `wide` has all positions, `narrow` the kept ones.
static LogicalResult verifyKept(Operation *op, Value wide, Value narrow, Value indices,
                                int64_t dim) {
  auto wideType = cast<RankedTensorType>(wide.getType()),
       narrowType = cast<RankedTensorType>(narrow.getType());
  if (wideType.getElementType() != narrowType.getElementType())
    return op->emitOpError() << "expects one element type, got " << wideType.getElementType()
                             << " and " << narrowType.getElementType();
  const int64_t rank = wideType.getRank();
  if (dim >= rank || narrowType.getRank() != rank)
    return op->emitOpError() << "expects tensors of one rank above `dim` = " << dim << ", got "
                             << wideType << " and " << narrowType;
  ArrayRef<int64_t> kept = shapeOf(indices);
  if (dim == 0 && kept[0] != 1)
    return op->emitOpError() << "expects `dim` from 1 on, because there are " << kept[0]
                             << " batch entries";
  SmallVector<int64_t> shape(wideType.getShape());
  shape[dim] = kept[1];
  if (dim > 0)
    shape[0] = kept[0];
  if (failed(expectShape(op, "the kept positions", narrowType.getShape(), shape,
                         "batch and number of the indices, other sizes of the whole")))
    return failure();
  if (dim > 0 && wideType.getDimSize(0) != 1 && wideType.getDimSize(0) != kept[0] &&
      !wideType.isDynamicDim(0))
    return op->emitOpError() << "expects 1 or " << kept[0] << " batch entries, got " << wideType;
  if (!wideType.isDynamicDim(dim) && kept[1] > wideType.getDimSize(dim))
    return op->emitOpError() << "keeps " << kept[1] << " of " << wideType.getDimSize(dim)
                             << " positions";
  return success();
}

LogicalResult GatherOp::verify() {
  return verifyKept(*this, getInput(), getOutput(), getIndices(), getDim());
}

LogicalResult ScatterOp::verify() {
  if (failed(verifyKept(*this, getOutput(), getInput(), getIndices(), getDim())))
    return failure();
  if (getDim() > 0 && shapeOf(getOutput())[0] != shapeOf(getInput())[0])
    return emitOpError() << "expects one number of batch entries, got " << getInput().getType()
                         << " and " << getOutput().getType();
  return success();
}

/// Dimensions as of an array of four.
static int64_t toArrayDim(Value tensor, int64_t dim) {
  return dim + 4 - int64_t(shapeOf(tensor).size());
}

OpFoldResult GatherOp::fold(FoldAdaptor adaptor) {
  auto input = semantics::toFloats(adaptor.getInput());
  auto indices = semantics::toIndices(adaptor.getIndices());
  if (!input || !indices || !semantics::fits(getOutput().getType(), kFoldLimit))
    return {};
  auto result = semantics::gather(*input, *indices, toArrayDim(getInput(), 0),
                                  toArrayDim(getInput(), getDim()));
  return result ? semantics::toAttr(*result, getOutput().getType()) : OpFoldResult();
}

OpFoldResult ScatterOp::fold(FoldAdaptor adaptor) {
  auto input = semantics::toFloats(adaptor.getInput());
  auto indices = semantics::toIndices(adaptor.getIndices());
  if (!input || !indices || !semantics::fits(getOutput().getType(), kFoldLimit))
    return {};
  auto result =
      semantics::scatter(*input, *indices, toArrayDim(getInput(), 0),
                         toArrayDim(getInput(), getDim()), shapeOf(getOutput())[getDim()]);
  return result ? semantics::toAttr(*result, getOutput().getType()) : OpFoldResult();
}
