// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- FoldsMove.cpp - constants whose elements move ----------------------===//

#include "onnx/Folds.h"

#include "onnx/Onnx.h"
#include "onnx/SmallTensor.h"

#include <limits>

using namespace mlir;

namespace sparsam::onnx::folds {

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

/// Where a constant slice of a tensor of `shape` starts and how it steps; nothing if it is not
/// constant.
struct Cut {
  SmallVector<int64_t> first, step;
};
std::optional<Cut> getCut(SliceOp op, ArrayRef<int64_t> shape) {
  auto starts = getConstantIntegers(op.getStarts()), ends = getConstantIntegers(op.getEnds());
  auto axes = getConstantIntegers(op.getAxes()), steps = getConstantIntegers(op.getSteps());
  if (!starts || !ends || (!axes && !isNone(op.getAxes())) || (!steps && !isNone(op.getSteps())))
    return std::nullopt;
  Cut cut{SmallVector<int64_t>(shape.size(), 0), SmallVector<int64_t>(shape.size(), 1)};
  for (size_t i = 0; i < starts->size(); ++i) {
    int64_t axis = axes ? (*axes)[i] : int64_t(i);
    axis += axis < 0 ? int64_t(shape.size()) : 0;
    shapes::SliceRange range =
        shapes::getSliceRange((*starts)[i], (*ends)[i], steps ? (*steps)[i] : 1, shape[axis]);
    cut.first[axis] = range.first;
    cut.step[axis] = range.step;
  }
  return cut;
}

int64_t getPosition(const Cut &cut, ArrayRef<int64_t> strides, ArrayRef<int64_t> index) {
  int64_t at = 0;
  for (size_t d = 0; d < strides.size(); ++d)
    at += (cut.first[d] + index[d] * cut.step[d]) * strides[d];
  return at;
}

OpFoldResult foldSlice(SliceOp op, const Data &from, RankedTensorType type) {
  std::optional<Cut> cut = getCut(op, from.type.getShape());
  if (!cut)
    return {};
  SmallVector<int64_t> strides = rowMajorStrides(from.type.getShape());
  return pick(from, type,
              [&](ArrayRef<int64_t> index) { return getPosition(*cut, strides, index); });
}

/// A small part of a large table of flags, such as the lower triangle that decoders cut their
/// causal mask from.
OpFoldResult foldSliceOfFlags(SliceOp op, Attribute operand, RankedTensorType type) {
  auto flags = dyn_cast_if_present<DenseElementsAttr>(operand);
  if (!flags || !flags.getElementType().isInteger(1))
    return {};
  std::optional<Cut> cut = getCut(op, flags.getType().getShape());
  if (!cut)
    return {};
  SmallVector<int64_t> strides = rowMajorStrides(flags.getType().getShape());
  auto values = flags.getValues<bool>();
  SmallVector<bool> result;
  forElements(type.getShape(), [&](int64_t, ArrayRef<int64_t> index) {
    result.push_back(values[getPosition(*cut, strides, index)]);
  });
  return DenseElementsAttr::get(type, ArrayRef<bool>(result));
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

/// The one operand that is not empty.
Value withoutEmpty(ConcatOp op) {
  Value whole;
  for (Value operand : op.getInputs()) {
    auto type = dyn_cast<RankedTensorType>(operand.getType());
    if (type && type.hasStaticShape() && type.getNumElements() == 0)
      continue;
    if (whole)
      return {};
    whole = operand;
  }
  return whole && whole.getType() == op.getType() ? whole : Value();
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
    result.floats.assign(result.isFloat() ? type.getNumElements() : 0, value->asFloat(0));
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

/// True where the result is all of the first operand.
bool isWhole(Operation *op) {
  if (op->getNumOperands() == 0 || !llvm::isa<ExpandOp, TileOp, SliceOp>(op) ||
      op->getOperand(0).getType() != op->getResult(0).getType())
    return false;
  // Unless a slice runs backwards.
  auto slice = dyn_cast<SliceOp>(op);
  auto steps = slice ? getConstantIntegers(slice.getSteps()) : std::nullopt;
  return !steps || llvm::all_of(*steps, [](int64_t step) { return step > 0; });
}

} // namespace

OpFoldResult move(Operation *op, ArrayRef<Attribute> operands) {
  if (isWhole(op))
    return op->getOperand(0);
  if (auto concat = dyn_cast<ConcatOp>(op))
    if (Value whole = withoutEmpty(concat))
      return whole;
  RankedTensorType type = smallResult(op);
  if (!type)
    return {};
  if (llvm::isa<ShapeOp, SizeOp, ConstantOfShapeOp, RangeOp>(op))
    return foldFromTypes(op, operands, type);
  if (auto concat = dyn_cast<ConcatOp>(op))
    return foldConcat(concat, operands, type);
  std::optional<Data> data = read(operands[0]);
  if (auto slice = dyn_cast<SliceOp>(op); slice && !data)
    return foldSliceOfFlags(slice, operands[0], type);
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
