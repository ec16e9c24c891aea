// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SattnPattern.cpp - windows, dilations and global tokens ------------===//

#include "sattn/Semantics.h"
#include "sattn/ShapeChecks.h"

using namespace mlir;
using namespace sparsam::sattn;

//===-- Policy -------------------------------------------------------------===//

/// True if two windows see a key at the same distance.
static bool share(const Window &a, const Window &b) {
  const Window &fewer = a.width < b.width ? a : b, &more = a.width < b.width ? b : a;
  for (int64_t m = 0; m < fewer.width; ++m)
    if (more.contains(fewer.offset + m * fewer.dilation))
      return true;
  return false;
}

LogicalResult PatternAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                  ArrayRef<Window> windows, ArrayRef<int64_t> globals,
                                  int64_t segments) {
  constexpr int64_t kMost = int64_t(1) << 31;
  for (const Window &w : windows)
    if (w.width < 1 || w.dilation < 1 || w.width > kMost || w.dilation > kMost ||
        std::abs(w.offset) > kMost)
      return emitError()
             << "expects windows (offset, width, dilation) with width and dilation of 1 "
                "or more, got ("
             << w.offset << ", " << w.width << ", " << w.dilation << ")";
  for (size_t i = 0; i < windows.size(); ++i)
    for (size_t j = 0; j < i; ++j) {
      const Window &a = windows[j], &b = windows[i];
      if (a.offset > b.offset)
        return emitError() << "expects windows in the order of their offsets, got " << a.offset
                           << " before " << b.offset;
      if (a.last() >= b.offset && share(a, b))
        return emitError() << "expects windows that share no offset; those at " << a.offset
                           << " and " << b.offset << " do";
    }
  for (size_t i = 0; i < globals.size(); ++i)
    if (globals[i] < 0 || (i > 0 && globals[i] <= globals[i - 1]))
      return emitError() << "expects globals of 0 or more in ascending order, got " << globals[i];
  if (segments < 1)
    return emitError() << "expects 1 or more segments, got " << segments;
  return success();
}

/// Checks that a pattern fits `queries` and `keys` tokens.
static LogicalResult verifyTokens(Operation *op, PatternAttr pattern, int64_t queries,
                                  int64_t keys) {
  if (ShapedType::isDynamic(queries) || ShapedType::isDynamic(keys))
    return op->emitOpError() << "expects a static number of tokens under a pattern";
  if (queries != keys && (pattern.getSegments() > 1 || !pattern.getGlobals().empty()))
    return op->emitOpError() << "expects as many queries as keys under a pattern with segments or "
                                "global tokens, got "
                             << queries << " and " << keys;
  if (queries % pattern.getSegments() != 0)
    return op->emitOpError() << "cannot cut " << queries << " tokens into " << pattern.getSegments()
                             << " equal segments";
  if (!pattern.getGlobals().empty() && pattern.getGlobals().back() >= queries)
    return op->emitOpError() << "has global token " << pattern.getGlobals().back() << ", but only "
                             << queries << " tokens";
  return success();
}

LogicalResult PatternAttr::verifyFor(Operation *attention) const {
  auto op = cast<AttentionOp>(attention);
  if (op.getCausal())
    return op.emitOpError() << "expects no `causal` under a pattern: windows with offsets up to 0 "
                               "say the same";
  return verifyTokens(op, *this, op.getQuery().getType().getDimSize(2),
                      op.getKey().getType().getDimSize(2));
}
bool PatternAttr::isDense() const { return false; }
bool PatternAttr::replacesMask() const { return true; }
StringRef PatternAttr::missingCalibration() const { return {}; }

Value PatternAttr::buildSelection(OpBuilder &builder, Operation *attention) const {
  auto op = cast<AttentionOp>(attention);
  ArrayRef<int64_t> query = shapeOf(op.getQuery()), key = shapeOf(op.getKey());
  auto type = RankedTensorType::get({query[0], query[1], query[2], key[2]}, builder.getI1Type());
  return PatternMaskOp::create(builder, op.getLoc(), type, *this);
}

//===-- Ops ----------------------------------------------------------------===//

LogicalResult PatternMaskOp::verify() {
  if (!getSelection().getType().hasStaticShape())
    return emitOpError() << "expects a static shape, got " << getSelection().getType();
  ArrayRef<int64_t> shape = shapeOf(getSelection());
  return verifyTokens(*this, getPattern(), shape[2], shape[3]);
}

OpFoldResult PatternMaskOp::fold(FoldAdaptor) {
  if (!semantics::fits(getSelection().getType(), kFoldLimit))
    return {};
  return semantics::toAttr(semantics::patternMask(getPattern(), shapeOf(getSelection())),
                           getSelection().getType());
}

LogicalResult ReorderOp::verify() {
  const int64_t tokens = getInput().getType().getDimSize(2);
  if (!ShapedType::isDynamic(tokens) && tokens % int64_t(getDilation()) != 0)
    return emitOpError() << "orders a multiple of " << getDilation() << " tokens, got " << tokens;
  return success();
}

OpFoldResult ReorderOp::fold(FoldAdaptor adaptor) {
  if (getDilation() == 1)
    return getInput();
  if (auto before = getInput().getDefiningOp<ReorderOp>())
    if (before.getDilation() == getDilation() && before.getInverse() != getInverse())
      return before.getInput();
  if (!semantics::fits(getInput().getType(), kFoldLimit))
    return {};
  auto input = semantics::toFloats(adaptor.getInput());
  if (!input)
    return {};
  return semantics::toAttr(semantics::reorder(*input, getDilation(), getInverse()),
                           getOutput().getType());
}
