// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SattnWeights.cpp - weight encodings, and ops on encoded weights ----===//

#include "sattn/NmCodec.h"
#include "sattn/Semantics.h"

using namespace mlir;
using namespace sparsam::sattn;

/// Weights are folded up to this many elements: what is not compressed at compile time is not
/// compressed at all.
static constexpr int64_t kWeightFoldLimit = int64_t(1) << 30;

//===-- #sattn.nm ----------------------------------------------------------===//

static NmFormat formatOf(NmAttr encoding) {
  return {encoding.getN(), encoding.getM(), encoding.getBits(), encoding.getFraction()};
}

LogicalResult NmAttr::verify(function_ref<InFlightDiagnostic()> emitError, int64_t n, int64_t m,
                             int64_t bits, int64_t fraction) {
  std::string why = checkFormat({n, m, bits, fraction});
  return why.empty() ? success() : LogicalResult(emitError() << why);
}

std::string NmAttr::whyNot(int64_t, int64_t inputs) const {
  return checkInputs(formatOf(*this), inputs);
}
int64_t NmAttr::encodedBytes(int64_t outputs, int64_t inputs) const {
  return compressedBytes(formatOf(*this), outputs, inputs);
}
int64_t NmAttr::plainBytes(int64_t outputs, int64_t inputs) const {
  return denseBytes(formatOf(*this), outputs, inputs);
}

/// Types of the parts of an encoded matrix.
static SmallVector<Type> getPartTypes(NmAttr encoding, int64_t outputs, int64_t inputs) {
  MLIRContext *context = encoding.getContext();
  const int64_t groups = inputs / encoding.getM();
  Type word = encoding.getBits() == 32
                  ? Type(Float32Type::get(context))
                  : Type(IntegerType::get(context, unsigned(encoding.getBits())));
  SmallVector<Type> types = {RankedTensorType::get({outputs, groups * encoding.getN()}, word)};
  if (encoding.getN() < encoding.getM()) {
    Type bitmap = IntegerType::get(context, encoding.getM() <= 8 ? 8 : 16, IntegerType::Unsigned);
    types.push_back(RankedTensorType::get({outputs, groups}, bitmap));
  }
  return types;
}

/// Outputs and inputs of a weight matrix.
static std::pair<int64_t, int64_t> sidesOf(RankedTensorType weight, bool transposed) {
  return {weight.getDimSize(transposed ? 0 : 1), weight.getDimSize(transposed ? 1 : 0)};
}

SmallVector<Value> NmAttr::buildEncode(OpBuilder &builder, Location loc, Value weight,
                                       bool transposed) const {
  auto [outputs, inputs] = sidesOf(cast<RankedTensorType>(weight.getType()), transposed);
  OperationState state(loc, NmCompressOp::getOperationName());
  NmCompressOp::build(builder, state, getPartTypes(*this, outputs, inputs), weight, *this,
                      transposed ? builder.getUnitAttr() : UnitAttr());
  SmallVector<Value> parts;
  Operation *op = builder.create(state);
  if (failed(builder.tryFold(op, parts)) || parts.empty())
    return SmallVector<Value>(op->getResults());
  op->erase();
  return parts;
}

Value NmAttr::buildDecode(OpBuilder &builder, Location loc, ValueRange parts, RankedTensorType type,
                          bool transposed) const {
  return NmExpandOp::create(builder, loc, type, parts.front(),
                            parts.size() > 1 ? parts[1] : Value(), *this,
                            transposed ? builder.getUnitAttr() : UnitAttr());
}

//===-- Verifiers ----------------------------------------------------------===//

/// Checks the parts of an encoded matrix against the matrix.
static LogicalResult verifyParts(Operation *op, NmAttr encoding, Value weight, bool transposed,
                                 ValueRange parts) {
  auto type = cast<RankedTensorType>(weight.getType());
  if (type.getRank() != 2 || !type.hasStaticShape())
    return op->emitOpError() << "expects a weight of two static dimensions, got " << type;
  auto [outputs, inputs] = sidesOf(type, transposed);
  if (std::string why = encoding.whyNot(outputs, inputs); !why.empty())
    return op->emitOpError() << why << " (`encoding`)";
  SmallVector<Type> expected = getPartTypes(encoding, outputs, inputs);
  if (llvm::equal(TypeRange(parts), expected))
    return success();
  InFlightDiagnostic error = op->emitOpError() << "expects values and bitmaps of types ";
  llvm::interleaveComma(expected, error);
  error << " (weight " << type << " in " << encoding << "), got ";
  llvm::interleaveComma(TypeRange(parts), error);
  return error;
}

LogicalResult NmCompressOp::verify() {
  return verifyParts(*this, getEncoding(), getWeight(), getTransposeWeight(),
                     getOperation()->getResults());
}

LogicalResult NmExpandOp::verify() {
  return verifyParts(*this, getEncoding(), getWeight(), getTransposeWeight(),
                     getOperation()->getOperands());
}

//===-- Semantics ----------------------------------------------------------===//

semantics::NmParts semantics::nmCompress(const Floats &weight, NmAttr encoding, bool transposed) {
  const NmFormat format = formatOf(encoding);
  const int64_t outputs = weight.shape[transposed ? 2 : 3],
                inputs = weight.shape[transposed ? 3 : 2];
  const float *data = weight.data.data();
  NmCompressed compressed =
      transposed ? compress(format, outputs, inputs,
                            [&](int64_t o, int64_t i) { return data[o * inputs + i]; })
                 : compress(format, outputs, inputs,
                            [&](int64_t o, int64_t i) { return data[i * outputs + o]; });
  NmParts parts;
  const int64_t groups = inputs / format.m;
  parts.values = Floats({1, 1, outputs, groups * format.n});
  for (auto [value, kept] : llvm::zip_equal(parts.values.data, compressed.values))
    value = format.bits == 32 ? kept : float(toWord(kept, format.bits, format.fraction));
  if (!format.isDense()) {
    parts.bitmaps = Integers({1, 1, outputs, groups});
    llvm::copy(compressed.bitmaps, parts.bitmaps.data.begin());
  }
  return parts;
}

semantics::Floats semantics::nmExpand(const NmParts &parts, NmAttr encoding, bool transposed) {
  const NmFormat format = formatOf(encoding);
  const int64_t outputs = parts.values.shape[2],
                inputs = parts.values.shape[3] / format.n * format.m;
  Floats weight(transposed ? ArrayRef<int64_t>{1, 1, outputs, inputs}
                           : ArrayRef<int64_t>{1, 1, inputs, outputs});
  std::vector<uint16_t> bitmaps(parts.bitmaps.data.begin(), parts.bitmaps.data.end());
  forEachKept(format, outputs, inputs, bitmaps.data(), [&](int64_t o, int64_t i, int64_t index) {
    const float word = parts.values.data[size_t(index)];
    weight.data[size_t(transposed ? o * inputs + i : i * outputs + o)] =
        format.bits == 32 ? word : fromWord(int64_t(word), format.fraction);
  });
  return weight;
}

//===-- Folds --------------------------------------------------------------===//

/// `values`, whole numbers unless `type` is of floats, as a constant.
template <typename Stored>
static DenseElementsAttr toIntegerAttr(ArrayRef<float> values, ShapedType type) {
  return DenseElementsAttr::get(
      type, ArrayRef(llvm::map_to_vector(values, [](float value) { return Stored(value); })));
}

static DenseElementsAttr toWordsAttr(const semantics::Floats &values, ShapedType type) {
  if (type.getElementType().isF32())
    return DenseElementsAttr::get(type, ArrayRef<float>(values.data));
  return type.getElementType().isInteger(8) ? toIntegerAttr<int8_t>(values.data, type)
                                            : toIntegerAttr<int16_t>(values.data, type);
}

static DenseElementsAttr toBitmapsAttr(const semantics::Integers &bitmaps, ShapedType type) {
  if (type.getElementTypeBitWidth() == 16)
    return DenseElementsAttr::get(
        type, ArrayRef(SmallVector<uint16_t>(bitmaps.data.begin(), bitmaps.data.end())));
  return DenseElementsAttr::get(
      type, ArrayRef(SmallVector<uint8_t>(bitmaps.data.begin(), bitmaps.data.end())));
}

LogicalResult NmCompressOp::fold(FoldAdaptor adaptor, SmallVectorImpl<OpFoldResult> &results) {
  auto weight = semantics::toFloats(adaptor.getWeight(), kWeightFoldLimit);
  if (!weight)
    return failure();
  semantics::NmParts parts = semantics::nmCompress(*weight, getEncoding(), getTransposeWeight());
  results.push_back(toWordsAttr(parts.values, cast<ShapedType>(getValues().getType())));
  if (getBitmaps())
    results.push_back(toBitmapsAttr(parts.bitmaps, cast<ShapedType>(getBitmaps().getType())));
  return success();
}
