// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Folds.cpp - evaluation of small constants --------------------------===//

#include "onnx/Folds.h"

#include "onnx/Onnx.h"

#include "mlir/IR/DialectResourceBlobManager.h"

#include <cmath>
#include <limits>

using namespace mlir;

namespace sparsam::onnx::folds {

namespace {

//===-- Small tensors ------------------------------------------------------===//

/// The elements of a constant: floats, or integers of any width as int64.
struct Data {
  RankedTensorType type;
  SmallVector<float> floats;
  SmallVector<int64_t> integers;

  bool isFloat() const { return type.getElementType().isF32(); }
  int64_t size() const { return isFloat() ? floats.size() : integers.size(); }
};

bool isSupported(Type element) { return element.isF32() || llvm::isa<IntegerType>(element); }

std::optional<Data> read(Attribute attribute) {
  auto dense = dyn_cast_if_present<DenseElementsAttr>(attribute);
  if (!dense || dense.getNumElements() > kMaxElements || !isSupported(dense.getElementType()))
    return std::nullopt;
  Data data{cast<RankedTensorType>(dense.getType()), {}, {}};
  if (data.isFloat()) {
    data.floats.assign(dense.getValues<float>().begin(), dense.getValues<float>().end());
    return data;
  }
  bool isBool = dense.getElementType().isInteger(1);
  bool isUnsigned = isBool || dense.getElementType().isUnsignedInteger();
  for (const APInt &value : dense.getValues<APInt>())
    data.integers.push_back(isUnsigned ? int64_t(value.getZExtValue()) : value.getSExtValue());
  return data;
}

OpFoldResult write(const Data &data) {
  if (data.isFloat())
    return DenseElementsAttr::get(data.type, ArrayRef<float>(data.floats));
  unsigned width = data.type.getElementType().getIntOrFloatBitWidth();
  SmallVector<APInt> values;
  for (int64_t value : data.integers)
    values.emplace_back(width, uint64_t(value), /*isSigned=*/true, /*implicitTrunc=*/true);
  return DenseElementsAttr::get(data.type, ArrayRef<APInt>(values));
}

/// The static result type of an op with one result, if it is small enough to be folded.
RankedTensorType smallResult(Operation *op) {
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!type || !type.hasStaticShape() || type.getNumElements() > kMaxElements ||
      !isSupported(type.getElementType()))
    return {};
  return type;
}

/// Calls f(linear index, index) for every element of a tensor of this shape.
void forElements(ArrayRef<int64_t> shape, function_ref<void(int64_t, ArrayRef<int64_t>)> f) {
  int64_t count = ShapedType::getNumElements(shape);
  SmallVector<int64_t> index(shape.size(), 0);
  for (int64_t i = 0; i < count; ++i) {
    f(i, index);
    for (size_t d = shape.size(); d-- > 0;) {
      if (++index[d] < shape[d])
        break;
      index[d] = 0;
    }
  }
}

/// Position of `index` (of a result) in an operand that broadcasts to it.
int64_t broadcastPosition(ArrayRef<int64_t> operand, ArrayRef<int64_t> index) {
  int64_t position = 0;
  for (size_t d = 0; d < operand.size(); ++d) {
    int64_t at = index[index.size() - operand.size() + d];
    position = position * operand[d] + (operand[d] == 1 ? 0 : at);
  }
  return position;
}

//===-- Element by element -------------------------------------------------===//

float convertToFloat(const Data &data, int64_t i) {
  return data.isFloat() ? data.floats[i] : float(data.integers[i]);
}

int64_t convertToInteger(const Data &data, int64_t i, Type element) {
  if (element.isInteger(1))
    return data.isFloat() ? data.floats[i] != 0 : data.integers[i] != 0;
  if (!data.isFloat())
    return data.integers[i];
  float value = data.floats[i];
  constexpr float kLimit = 9.2233720368547758e18f;
  if (std::isnan(value))
    return 0;
  return value >= kLimit    ? std::numeric_limits<int64_t>::max()
         : value <= -kLimit ? std::numeric_limits<int64_t>::min()
                            : int64_t(value);
}

std::optional<float> evaluate(StringRef op, float a, float b) {
  if (op == "Add")
    return a + b;
  if (op == "Sub")
    return a - b;
  if (op == "Mul")
    return a * b;
  if (op == "Div")
    return a / b;
  if (op == "Min")
    return b < a ? b : a;
  if (op == "Max")
    return a < b ? b : a;
  if (op == "Pow")
    return std::pow(a, b);
  if (op == "Abs")
    return std::fabs(a);
  if (op == "Neg")
    return -a;
  if (op == "Sqrt")
    return std::sqrt(a);
  if (op == "Reciprocal")
    return 1.0f / a;
  return std::nullopt;
}

std::optional<int64_t> evaluate(StringRef op, int64_t a, int64_t b) {
  auto wrapped = [](uint64_t value) { return int64_t(value); };
  if (op == "Add")
    return wrapped(uint64_t(a) + uint64_t(b));
  if (op == "Sub")
    return wrapped(uint64_t(a) - uint64_t(b));
  if (op == "Mul")
    return wrapped(uint64_t(a) * uint64_t(b));
  if (op == "Div" && b == -1)
    return wrapped(-uint64_t(a));
  if (op == "Div" && b != 0)
    return a / b;
  if (op == "Min" || op == "And")
    return std::min(a, b);
  if (op == "Max" || op == "Or")
    return std::max(a, b);
  if (op == "Abs")
    return a < 0 ? wrapped(-uint64_t(a)) : a;
  if (op == "Neg")
    return wrapped(-uint64_t(a));
  if (op == "Not")
    return a == 0;
  return std::nullopt;
}

template <typename T> std::optional<int64_t> compare(StringRef op, T a, T b) {
  if (op == "Equal")
    return a == b;
  if (op == "Less")
    return a < b;
  if (op == "LessOrEqual")
    return a <= b;
  if (op == "Greater")
    return a > b;
  if (op == "GreaterOrEqual")
    return a >= b;
  return std::nullopt;
}

/// One or two operands of one type.
OpFoldResult evaluateAll(StringRef name, const Data &a, const Data &b, RankedTensorType type) {
  Data result{type, {}, {}};
  bool isKnown = true;
  forElements(type.getShape(), [&](int64_t, ArrayRef<int64_t> index) {
    int64_t i = broadcastPosition(a.type.getShape(), index);
    int64_t j = broadcastPosition(b.type.getShape(), index);
    if (result.isFloat()) {
      auto value = evaluate(name, a.floats[i], b.floats[j]);
      result.floats.push_back(value.value_or(0));
      isKnown &= value.has_value();
      return;
    }
    auto value = a.isFloat() ? compare(name, a.floats[i], b.floats[j])
                             : compare(name, a.integers[i], b.integers[j]);
    if (!value && !a.isFloat())
      value = evaluate(name, a.integers[i], b.integers[j]);
    result.integers.push_back(value.value_or(0));
    isKnown &= value.has_value();
  });
  return isKnown ? write(result) : OpFoldResult();
}

OpFoldResult evaluateWhere(const Data &condition, const Data &x, const Data &y,
                           RankedTensorType type) {
  Data result{type, {}, {}};
  forElements(type.getShape(), [&](int64_t, ArrayRef<int64_t> index) {
    bool first = condition.integers[broadcastPosition(condition.type.getShape(), index)] != 0;
    const Data &from = first ? x : y;
    int64_t i = broadcastPosition(from.type.getShape(), index);
    if (result.isFloat())
      result.floats.push_back(from.floats[i]);
    else
      result.integers.push_back(from.integers[i]);
  });
  return write(result);
}

OpFoldResult convertAll(const Data &from, RankedTensorType type) {
  Data result{type, {}, {}};
  for (int64_t i = 0; i < from.size(); ++i)
    if (result.isFloat())
      result.floats.push_back(convertToFloat(from, i));
    else
      result.integers.push_back(convertToInteger(from, i, type.getElementType()));
  return write(result);
}

/// x * 1, 1 * x, x / 1: the other operand, if the result has its type.
Value withoutOne(Operation *op) {
  auto isOne = [&](unsigned operand) {
    auto scalar = getConstantScalar(op->getOperand(operand));
    return scalar && *scalar == 1.0;
  };
  Type type = op->getResult(0).getType();
  if (llvm::isa<MulOp, DivOp>(op) && isOne(1) && op->getOperand(0).getType() == type)
    return op->getOperand(0);
  if (llvm::isa<MulOp>(op) && isOne(0) && op->getOperand(1).getType() == type)
    return op->getOperand(1);
  return {};
}

} // namespace

OpFoldResult elementwise(Operation *op, ArrayRef<Attribute> operands) {
  StringRef name = op->getName().stripDialect();
  bool isCast = llvm::isa<CastOp, CastLikeOp>(op);
  if (isCast && op->getOperand(0).getType() == op->getResult(0).getType())
    return op->getOperand(0);
  if (Value other = withoutOne(op))
    return other;
  RankedTensorType type = smallResult(op);
  std::optional<Data> a = type ? read(operands[0]) : std::nullopt;
  if (!a)
    return {};
  if (isCast)
    return convertAll(*a, type);
  if (operands.size() == 1)
    return evaluateAll(name, *a, *a, type);
  std::optional<Data> b = read(operands[1]);
  if (!b)
    return {};
  if (operands.size() == 2)
    return evaluateAll(name, *a, *b, type);
  std::optional<Data> c = read(operands[2]);
  return c ? evaluateWhere(*a, *b, *c, type) : OpFoldResult();
}

//===-- The same elements --------------------------------------------------===//

OpFoldResult same(Operation *op, ArrayRef<Attribute> operands) {
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!type || !type.hasStaticShape())
    return {};
  if (op->getOperand(0).getType() == type)
    return op->getOperand(0);
  if (auto dense = dyn_cast_if_present<DenseElementsAttr>(operands[0]))
    return dense.getNumElements() == type.getNumElements() ? dense.reshape(type) : OpFoldResult();
  if (auto resource = dyn_cast_if_present<DenseResourceElementsAttr>(operands[0]))
    return DenseResourceElementsAttr::get(type, resource.getRawHandle());
  return {};
}

//===-- Other places -------------------------------------------------------===//

namespace {

SmallVector<int64_t> rowMajorStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (size_t d = shape.size(); d-- > 1;)
    strides[d - 1] = strides[d] * shape[d];
  return strides;
}

/// Picks for each element of the result an element of `from`; negative: zero. Nothing if a
/// position is out of range.
OpFoldResult pick(const Data &from, RankedTensorType type,
                  function_ref<int64_t(ArrayRef<int64_t>)> position) {
  Data result{type, {}, {}};
  bool isInside = true;
  forElements(type.getShape(), [&](int64_t, ArrayRef<int64_t> index) {
    int64_t at = position(index);
    isInside &= at < from.size();
    bool isZero = at < 0 || at >= from.size();
    if (result.isFloat())
      result.floats.push_back(isZero ? 0 : from.floats[at]);
    else
      result.integers.push_back(isZero ? 0 : from.integers[at]);
  });
  return isInside ? write(result) : OpFoldResult();
}

OpFoldResult foldTranspose(TransposeOp op, const Data &from, RankedTensorType type) {
  SmallVector<int64_t> strides = rowMajorStrides(from.type.getShape());
  const size_t rank = strides.size();
  return pick(from, type, [&](ArrayRef<int64_t> index) {
    int64_t at = 0;
    for (size_t d = 0; d < rank; ++d)
      at += index[d] * strides[op.getPerm() ? (*op.getPerm())[d] : int64_t(rank - 1 - d)];
    return at;
  });
}

OpFoldResult foldSlice(SliceOp op, const Data &from, RankedTensorType type) {
  auto starts = getConstantIntegers(op.getStarts()), ends = getConstantIntegers(op.getEnds());
  auto axes = getConstantIntegers(op.getAxes()), steps = getConstantIntegers(op.getSteps());
  if (!starts || !ends || (!axes && !isNone(op.getAxes())) || (!steps && !isNone(op.getSteps())))
    return {};
  ArrayRef<int64_t> shape = from.type.getShape();
  SmallVector<int64_t> strides = rowMajorStrides(shape), first(shape.size(), 0),
                       step(shape.size(), 1);
  for (size_t i = 0; i < starts->size(); ++i) {
    int64_t axis = axes ? (*axes)[i] : int64_t(i);
    axis += axis < 0 ? int64_t(shape.size()) : 0;
    shapes::SliceRange range = shapes::getSliceRange((*starts)[i], (*ends)[i],
                                                     steps ? (*steps)[i] : 1, shape[axis]);
    first[axis] = range.first;
    step[axis] = range.step;
  }
  return pick(from, type, [&](ArrayRef<int64_t> index) {
    int64_t at = 0;
    for (size_t d = 0; d < shape.size(); ++d)
      at += (first[d] + index[d] * step[d]) * strides[d];
    return at;
  });
}

OpFoldResult foldGather(GatherOp op, const Data &from, Attribute indices, RankedTensorType type) {
  std::optional<Data> picked = read(indices);
  if (!picked)
    return {};
  ArrayRef<int64_t> shape = from.type.getShape();
  int64_t axis = int64_t(op.getAxis());
  axis += axis < 0 ? int64_t(shape.size()) : 0;
  const int64_t rank = picked->type.getRank();
  SmallVector<int64_t> strides = rowMajorStrides(shape),
                       picks = rowMajorStrides(picked->type.getShape());
  return pick(from, type, [&](ArrayRef<int64_t> index) {
    int64_t which = 0, at = 0;
    for (int64_t d = 0; d < rank; ++d)
      which += index[axis + d] * picks[d];
    int64_t chosen = picked->integers[which];
    chosen += chosen < 0 ? shape[axis] : 0;
    if (chosen < 0 || chosen >= shape[axis])
      return std::numeric_limits<int64_t>::max(); // refused when the program runs
    for (int64_t d = 0; d < int64_t(shape.size()); ++d)
      at += (d < axis ? index[d] : d == axis ? chosen : index[d + rank - 1]) * strides[d];
    return at;
  });
}

OpFoldResult foldConcat(ConcatOp op, ArrayRef<Attribute> operands, RankedTensorType type) {
  int64_t axis = int64_t(op.getAxis());
  axis += axis < 0 ? type.getRank() : 0;
  Data all{type, {}, {}};
  SmallVector<Data> parts;
  for (Attribute operand : operands) {
    std::optional<Data> part = read(operand);
    if (!part)
      return {};
    parts.push_back(std::move(*part));
  }
  forElements(type.getShape(), [&](int64_t, ArrayRef<int64_t> index) {
    SmallVector<int64_t> local(index);
    const Data *part = parts.begin();
    for (; local[axis] >= part->type.getDimSize(axis); ++part)
      local[axis] -= part->type.getDimSize(axis);
    int64_t at = 0;
    for (auto [i, extent] : llvm::zip(local, part->type.getShape()))
      at = at * extent + i;
    if (all.isFloat())
      all.floats.push_back(part->floats[at]);
    else
      all.integers.push_back(part->integers[at]);
  });
  return write(all);
}

OpFoldResult foldTile(const Data &from, RankedTensorType type) {
  return pick(from, type, [&](ArrayRef<int64_t> index) {
    int64_t at = 0;
    for (auto [i, extent] : llvm::zip(index, from.type.getShape()))
      at = at * extent + i % extent;
    return at;
  });
}

OpFoldResult foldTrilu(TriluOp op, const Data &from, RankedTensorType type) {
  auto k = getConstantIntegers(op.getK());
  if (!k && !isNone(op.getK()))
    return {};
  const int64_t diagonal = k && !k->empty() ? k->front() : 0;
  SmallVector<int64_t> strides = rowMajorStrides(type.getShape());
  if (strides.size() < 2)
    return {};
  return pick(from, type, [&](ArrayRef<int64_t> index) {
    int64_t distance = index.back() - index[index.size() - 2];
    if (op.getUpper() ? distance < diagonal : distance > diagonal)
      return int64_t(-1);
    int64_t at = 0;
    for (auto [i, stride] : llvm::zip(index, strides))
      at += i * stride;
    return at;
  });
}

OpFoldResult foldCumSum(CumSumOp op, Data data) {
  auto axis = getConstantIntegers(op.getAxis());
  if (!axis || axis->size() != 1 || op.getExclusive() || op.getReverse() || data.isFloat())
    return {};
  int64_t rank = data.type.getRank(), a = axis->front() < 0 ? axis->front() + rank : axis->front();
  if (a < 0 || a >= rank)
    return {};
  SmallVector<int64_t> strides = rowMajorStrides(data.type.getShape());
  forElements(data.type.getShape(), [&](int64_t i, ArrayRef<int64_t> index) {
    if (index[a] > 0)
      data.integers[i] += data.integers[i - strides[a]];
  });
  return write(data);
}

/// Results that follow from types and attributes.
OpFoldResult foldFromTypes(Operation *op, ArrayRef<Attribute> operands, RankedTensorType type) {
  Data result{type, {}, {}};
  if (auto shape = dyn_cast<ShapeOp>(op)) {
    auto data = dyn_cast<RankedTensorType>(shape.getData().getType());
    if (!data || !data.hasStaticShape())
      return {};
    int64_t rank = data.getRank(), start = int64_t(shape.getStart());
    start += start < 0 ? rank : 0;
    start = std::clamp<int64_t>(start, 0, rank);
    for (int64_t i = 0; i < type.getNumElements(); ++i)
      result.integers.push_back(data.getDimSize(start + i));
    return write(result);
  }
  if (auto size = dyn_cast<SizeOp>(op)) {
    auto data = dyn_cast<RankedTensorType>(size.getData().getType());
    if (!data || !data.hasStaticShape())
      return {};
    result.integers.push_back(data.getNumElements());
    return write(result);
  }
  if (auto repeat = dyn_cast<ConstantOfShapeOp>(op)) {
    if (!getConstantIntegers(repeat.getInput()))
      return {};
    std::optional<Data> value =
        repeat.getValue() ? read(*repeat.getValue()) : Data{type, {0.0f}, {0}};
    if (!value || value->size() != 1)
      return {};
    result.floats.assign(result.isFloat() ? type.getNumElements() : 0, convertToFloat(*value, 0));
    if (!result.isFloat())
      result.integers.assign(type.getNumElements(), value->integers[0]);
    return write(result);
  }
  std::optional<Data> start = read(operands[0]), delta = read(operands[2]);
  if (!llvm::isa<RangeOp>(op) || !start || !delta || start->isFloat() || !read(operands[1]))
    return {};
  for (int64_t i = 0; i < type.getNumElements(); ++i)
    result.integers.push_back(start->integers[0] + i * delta->integers[0]);
  return write(result);
}

} // namespace

OpFoldResult move(Operation *op, ArrayRef<Attribute> operands) {
  if (op->getNumOperands() > 0 && llvm::isa<ExpandOp, TileOp, SliceOp>(op) &&
      op->getOperand(0).getType() == op->getResult(0).getType()) {
    // The whole, unless a slice runs backwards.
    auto slice = dyn_cast<SliceOp>(op);
    auto steps = slice ? getConstantIntegers(slice.getSteps()) : std::nullopt;
    if (!steps || llvm::all_of(*steps, [](int64_t step) { return step > 0; }))
      return op->getOperand(0);
  }
  RankedTensorType type = smallResult(op);
  if (!type)
    return {};
  if (llvm::isa<ShapeOp, SizeOp, ConstantOfShapeOp, RangeOp>(op))
    return foldFromTypes(op, operands, type);
  if (auto concat = dyn_cast<ConcatOp>(op))
    return foldConcat(concat, operands, type);
  std::optional<Data> data = read(operands[0]);
  if (!data)
    return {};
  if (auto transpose = dyn_cast<TransposeOp>(op))
    return foldTranspose(transpose, *data, type);
  if (auto slice = dyn_cast<SliceOp>(op))
    return foldSlice(slice, *data, type);
  if (auto gather = dyn_cast<GatherOp>(op))
    return foldGather(gather, *data, operands[1], type);
  if (auto trilu = dyn_cast<TriluOp>(op))
    return foldTrilu(trilu, *data, type);
  if (auto sum = dyn_cast<CumSumOp>(op))
    return foldCumSum(sum, *data);
  if (llvm::isa<TileOp>(op))
    return foldTile(*data, type);
  if (llvm::isa<ExpandOp>(op))
    return pick(*data, type, [&](ArrayRef<int64_t> index) {
      return broadcastPosition(data->type.getShape(), index);
    });
  return {};
}

} // namespace sparsam::onnx::folds
