// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Sattn.cpp - the sattn dialect and the verifiers of its ops ---------===//

#include "sattn/Sattn.h"
#include "sattn/ShapeChecks.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace sparsam::sattn;

#include "sattn/SattnDialect.cpp.inc"
#include "sattn/SattnEnums.cpp.inc"

#include "sattn/SattnAttrInterfaces.cpp.inc"

//===-- Syntax of parameters -----------------------------------------------===//

static ParseResult parseReal(AsmParser &parser, Real &real) {
  return parser.parseFloat(real.value);
}
static void printReal(AsmPrinter &printer, const Real &real) { printer << real.value; }

static ParseResult parsePackedShape(AsmParser &parser, SmallVector<int64_t> &shape) {
  return parser.parseDimensionList(shape, /*allowDynamic=*/false, /*withTrailingX=*/false);
}
static void printPackedShape(AsmPrinter &printer, ArrayRef<int64_t> shape) {
  printer.printDimensionList(shape);
}

static ParseResult parseWindows(AsmParser &parser, SmallVector<Window> &windows) {
  return parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&]() -> ParseResult {
    Window &window = windows.emplace_back();
    return failure(parser.parseLParen() || parser.parseInteger(window.offset) ||
                   parser.parseComma() || parser.parseInteger(window.width) ||
                   parser.parseComma() || parser.parseInteger(window.dilation) ||
                   parser.parseRParen());
  });
}
static void printWindows(AsmPrinter &printer, ArrayRef<Window> windows) {
  printer << '[';
  llvm::interleaveComma(windows, printer, [&](const Window &w) {
    printer << '(' << w.offset << ", " << w.width << ", " << w.dilation << ')';
  });
  printer << ']';
}

static ParseResult parseGlobals(AsmParser &parser, SmallVector<int64_t> &globals) {
  return parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&]() -> ParseResult {
    return parser.parseInteger(globals.emplace_back());
  });
}
static void printGlobals(AsmPrinter &printer, ArrayRef<int64_t> globals) {
  printer << '[';
  llvm::interleaveComma(globals, printer);
  printer << ']';
}

#define GET_ATTRDEF_CLASSES
#include "sattn/SattnAttrs.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "sattn/SattnTypes.cpp.inc"

#define GET_OP_CLASSES
#include "sattn/SattnOps.cpp.inc"

void SattnDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "sattn/SattnAttrs.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "sattn/SattnTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "sattn/SattnOps.cpp.inc"
      >();
}

Operation *SattnDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type,
                                             Location loc) {
  if (auto packed = dyn_cast<PackedType>(type))
    return PackedConstantOp::create(builder, loc, packed, cast<ElementsAttr>(value));
  return arith::ConstantOp::materialize(builder, value, type, loc);
}

ArrayRef<int64_t> sparsam::sattn::getSelectionShape(Type selection) {
  if (auto packed = dyn_cast<PackedType>(selection))
    return packed.getShape();
  return cast<ShapedType>(selection).getShape();
}

//===-- Shape checks -------------------------------------------------------===//

static std::string toText(ArrayRef<int64_t> shape) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  llvm::interleave(
      shape, stream, [&](int64_t size) { size == kAny ? stream << "?" : stream << size; }, "x");
  return text;
}

LogicalResult sparsam::sattn::expectShape(Operation *op, StringRef what, ArrayRef<int64_t> actual,
                                          ArrayRef<int64_t> expected, StringRef why) {
  bool matches =
      actual.size() == expected.size() && llvm::all_of(llvm::zip(actual, expected), [](auto sizes) {
        auto [a, e] = sizes;
        return a == e || a == kAny || e == kAny;
      });
  if (matches)
    return success();
  return op->emitOpError() << "expects " << what << " of shape " << toText(expected) << " (" << why
                           << "), got " << toText(actual);
}

/// Expects every size of the additive mask `type` (may be null) to be 1 or that of `scores`.
static LogicalResult expectBroadcast(Operation *op, Value mask, ArrayRef<int64_t> scores) {
  if (!mask)
    return success();
  ArrayRef<int64_t> shape = cast<ShapedType>(mask.getType()).getShape();
  for (auto [size, full] : llvm::zip(shape, scores))
    if (size != 1 && size != full && size != kAny && full != kAny)
      return op->emitOpError() << "expects a mask that broadcasts to the scores, " << toText(scores)
                               << ", got " << toText(shape);
  return success();
}

//===-- High level ---------------------------------------------------------===//

/// Accumulated scores come in exactly where they go out.
static LogicalResult verifyScores(Operation *op, StringRef of, Value before, Value after,
                                  ArrayRef<int64_t> shape, StringRef why) {
  if (bool(before) != bool(after))
    return op->emitOpError() << "expects `" << of << "_scores` among its operands exactly when "
                             << "there is a result for them";
  if (!before)
    return success();
  if (failed(expectShape(op, (of + " scores").str(), shapeOf(before), shape, why)))
    return failure();
  return expectShape(op, ("new " + of + " scores").str(), shapeOf(after), shape, why);
}

LogicalResult AttentionOp::verify() {
  ArrayRef<int64_t> q = shapeOf(getQuery()), k = shapeOf(getKey()), v = shapeOf(getValue());
  if (failed(expectShape(*this, "key", k, {q[0], q[1], kAny, q[3]},
                         "batch, heads and head size of the query")) ||
      failed(expectShape(*this, "value", v, {q[0], q[1], k[2], kAny},
                         "batch, heads and tokens of the key")) ||
      failed(expectShape(*this, "output", shapeOf(getOutput()), {q[0], q[1], q[2], v[3]},
                         "batch, heads and tokens of the query, head size of the value")) ||
      failed(expectBroadcast(*this, getMask(), {q[0], q[1], q[2], k[2]})) ||
      failed(verifyScores(*this, "token", getTokenScores(), getNewTokenScores(), {q[0], k[2]},
                          "batch of the query, tokens of the key")) ||
      failed(verifyScores(*this, "head", getHeadScores(), getNewHeadScores(), {q[0], q[1]},
                          "batch and heads of the query")))
    return failure();
  return getPolicy().verifyFor(*this);
}

LogicalResult LinearOp::verify() {
  ArrayRef<int64_t> x = shapeOf(getInput()), w = shapeOf(getWeight());
  if (x.empty())
    return emitOpError() << "expects an input of rank 1 or more, got a scalar";
  if (w.size() != 2)
    return emitOpError() << "expects a weight of rank 2, got rank " << w.size();
  int64_t columns = w[getTransposeWeight() ? 0 : 1];
  SmallVector<int64_t> weight = {x.back(), columns};
  SmallVector<int64_t> output(x);
  output.back() = columns;
  if (getTransposeWeight())
    std::swap(weight[0], weight[1]);
  if (failed(expectShape(*this, "weight", w, weight, "last size of the input")) ||
      failed(expectShape(*this, "output", shapeOf(getOutput()), output,
                         "input and columns of the weight")))
    return failure();
  if (getBias() &&
      failed(expectShape(*this, "bias", shapeOf(getBias()), {columns}, "columns of the weight")))
    return failure();
  if (!getResidual())
    return success();
  return expectShape(*this, "residual", shapeOf(getResidual()), output, "the output");
}

LogicalResult CacheAppendOp::verify() {
  ArrayRef<int64_t> cache = shapeOf(getCache()), tokens = shapeOf(getTokens());
  if (failed(expectShape(*this, "tokens", tokens, {cache[0], cache[1], kAny, cache[3]},
                         "batch, heads and head size of the cache")))
    return failure();
  if (tokens[2] != kAny && cache[2] != kAny && tokens[2] > cache[2])
    return emitOpError() << "expects at most " << cache[2]
                         << " tokens, the capacity of the cache, got " << tokens[2];
  return success();
}

//===-- Making the mask ----------------------------------------------------===//

LogicalResult QuantizeOp::verify() {
  ArrayRef<int64_t> x = shapeOf(getInput());
  double range = getRange().convertToDouble();
  if (!(range > 0) || !std::isfinite(range))
    return emitOpError() << "expects a finite range > 0, got " << range
                         << "; ranges come from calibration";
  if (failed(expectShape(*this, "codes", shapeOf(getCodes()), x, "the input")))
    return failure();
  return expectShape(*this, "norms", shapeOf(getNorms()), {x[0], x[1], x[2], 1},
                     "one per token of the input");
}

LogicalResult PredictOp::verify() {
  ArrayRef<int64_t> q = shapeOf(getQuery()), k = shapeOf(getKey());
  for (double scale : {getQScale().convertToDouble(), getKScale().convertToDouble()})
    if (!(scale > 0) || !std::isfinite(scale))
      return emitOpError() << "expects finite scales > 0, got " << scale;
  SmallVector<int64_t> scores = {q[0], q[1], q[2], k[2]};
  if (failed(expectShape(*this, "query norms", shapeOf(getQueryNorms()), {q[0], q[1], q[2], 1},
                         "one per query")) ||
      failed(expectShape(*this, "key codes", k, {q[0], q[1], kAny, q[3]},
                         "batch, heads and head size of the query")) ||
      failed(expectShape(*this, "key norms", shapeOf(getKeyNorms()), {k[0], k[1], k[2], 1},
                         "one per key")) ||
      failed(expectShape(*this, "probabilities", shapeOf(getProbabilities()), scores,
                         "queries x keys")))
    return failure();
  return expectBroadcast(*this, getMask(), scores);
}

LogicalResult SelectOp::verify() {
  double threshold = getThreshold().convertToDouble();
  if (!(threshold >= 0 && threshold < 1))
    return emitOpError() << "expects a threshold in [0, 1), got " << threshold;
  return expectShape(*this, "selection", shapeOf(getSelection()), shapeOf(getProbabilities()),
                     "the probabilities");
}

LogicalResult SelectAllOp::verify() {
  if (!getSelection().getType().hasStaticShape())
    return emitOpError() << "expects a static shape, got " << getSelection().getType();
  return success();
}

LogicalResult PackSplitOp::verify() {
  return expectShape(*this, "mask", shapeOf(getMask()), getPacked().getType().getShape(),
                     "the packed type");
}

LogicalResult UnpackOp::verify() {
  return expectShape(*this, "mask", shapeOf(getMask()), getPacked().getType().getShape(),
                     "the packed type");
}

//===-- Over the mask ------------------------------------------------------===//

LogicalResult SddmmOp::verify() {
  ArrayRef<int64_t> q = shapeOf(getQuery()), k = shapeOf(getKey());
  SmallVector<int64_t> scores = {q[0], q[1], q[2], k[2]};
  if (failed(expectShape(*this, "key", k, {q[0], q[1], kAny, q[3]},
                         "batch, heads and head size of the query")) ||
      failed(expectShape(*this, "selection", getSelectionShape(getSelection().getType()), scores,
                         "queries x keys")) ||
      failed(expectShape(*this, "scores", shapeOf(getScores()), scores, "queries x keys")))
    return failure();
  return expectBroadcast(*this, getMask(), scores);
}

LogicalResult SoftmaxOp::verify() {
  ArrayRef<int64_t> scores = shapeOf(getScores());
  if (failed(expectShape(*this, "selection", getSelectionShape(getSelection().getType()), scores,
                         "the scores")))
    return failure();
  return expectShape(*this, "probabilities", shapeOf(getProbabilities()), scores, "the scores");
}

LogicalResult SpmmOp::verify() {
  ArrayRef<int64_t> p = shapeOf(getProbabilities()), v = shapeOf(getValue());
  if (failed(expectShape(*this, "value", v, {p[0], p[1], p[3], kAny},
                         "batch, heads and keys of the probabilities")) ||
      failed(expectShape(*this, "selection", getSelectionShape(getSelection().getType()), p,
                         "the probabilities")))
    return failure();
  return expectShape(*this, "output", shapeOf(getOutput()), {p[0], p[1], p[2], v[3]},
                     "queries of the probabilities, head size of the value");
}
