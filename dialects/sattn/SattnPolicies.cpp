// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SattnPolicies.cpp - selection policies -----------------------------===//

#include "sattn/Sattn.h"

#include <cmath>

using namespace mlir;
using namespace sparsam::sattn;

//===-- dense --------------------------------------------------------------===//

LogicalResult DenseAttr::verifyFor(Operation *) const { return success(); }
bool DenseAttr::isDense() const { return true; }
StringRef DenseAttr::missingCalibration() const { return {}; }

Value DenseAttr::buildSelection(OpBuilder &builder, Operation *attention) const {
  auto op = cast<AttentionOp>(attention);
  ArrayRef<int64_t> query = op.getQuery().getType().getShape();
  auto type = RankedTensorType::get(
      {query[0], query[1], query[2], op.getKey().getType().getDimSize(2)}, builder.getI1Type());
  return SelectAllOp::create(builder, op.getLoc(), type, op.getCausal());
}

//===-- low_bit_threshold --------------------------------------------------===//

LogicalResult LowBitThresholdAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                          int64_t bits, Real threshold, bool, Real qRange,
                                          Real kRange, EmptyRow) {
  if (bits < 2 || bits > 8)
    return emitError() << "expects `bits` from 2 to 8, got " << bits;
  if (!(threshold > 0 && threshold < 1))
    return emitError() << "expects `threshold` in (0, 1), got " << double(threshold);
  for (auto [name, range] :
       {std::pair("q_range", double(qRange)), std::pair("k_range", double(kRange))})
    if (!(range >= 0) || !std::isfinite(range))
      return emitError() << "expects `" << name
                         << "` finite and > 0, or 0 if not calibrated yet, got " << range;
  return success();
}

LogicalResult LowBitThresholdAttr::verifyFor(Operation *) const { return success(); }
bool LowBitThresholdAttr::isDense() const { return false; }

StringRef LowBitThresholdAttr::missingCalibration() const {
  if (getQRange() == Real(0))
    return "q_range";
  return getKRange() == Real(0) ? "k_range" : "";
}

Value LowBitThresholdAttr::buildSelection(OpBuilder &builder, Operation *attention) const {
  auto op = cast<AttentionOp>(attention);
  auto quantize = [&](Value input, double range) {
    auto type = cast<RankedTensorType>(input.getType());
    ArrayRef<int64_t> shape = type.getShape();
    return QuantizeOp::create(builder, op.getLoc(), type.clone(builder.getI8Type()),
                              type.clone({shape[0], shape[1], shape[2], 1}), input,
                              builder.getI64IntegerAttr(getBits()), builder.getF64FloatAttr(range),
                              getNormalize() ? builder.getUnitAttr() : UnitAttr());
  };
  auto query = quantize(op.getQuery(), getQRange());
  auto key = quantize(op.getKey(), getKRange());
  const double qmax = double((1 << (getBits() - 1)) - 1);
  ArrayRef<int64_t> shape = op.getQuery().getType().getShape();
  auto type = RankedTensorType::get(
      {shape[0], shape[1], shape[2], op.getKey().getType().getDimSize(2)}, builder.getF32Type());
  auto predict = PredictOp::create(
      builder, op.getLoc(), type, query.getCodes(), query.getNorms(), key.getCodes(),
      key.getNorms(), op.getMask(), builder.getF64FloatAttr(qmax / getQRange()),
      builder.getF64FloatAttr(qmax / getKRange()), op.getScaleAttr(), op.getCausalAttr());
  return SelectOp::create(builder, op.getLoc(), type.clone(builder.getI1Type()),
                          predict.getProbabilities(), builder.getF64FloatAttr(getThreshold()),
                          EmptyRowAttr::get(builder.getContext(), getEmptyRow()));
}
