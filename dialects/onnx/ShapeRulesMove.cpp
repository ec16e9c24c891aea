// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ShapeRulesMove.cpp - result types of what moves elements -----------===//

#include "onnx/Onnx.h"
#include "onnx/ShapeRuleSupport.h"

#include "mlir/Dialect/Traits.h"

#include <algorithm>

using namespace mlir;

namespace sparsam::onnx::shapes {

static Type elementOf(Operation *op) { return typeOf(op, 0).getElementType(); }

static LogicalResult pushUnknown(Type element, Types &types) {
  types.push_back(UnrankedTensorType::get(element));
  return success();
}
static LogicalResult push(ArrayRef<int64_t> shape, Type element, Types &types) {
  types.push_back(RankedTensorType::get(shape, element));
  return success();
}

/// More elements than any tensor has.
constexpr int64_t kMaxElements = int64_t(1) << 40;

/// Refuses constant operands that are no extents: the number that stands for a dynamic one is a
/// constant like any other here.
static LogicalResult checkConstantExtents(Operation *op, ArrayRef<int64_t> extents,
                                          int64_t lowest) {
  for (int64_t extent : extents)
    if (extent < lowest || extent > kMaxElements)
      return op->emitOpError() << "makes a tensor with an extent of " << extent;
  return success();
}

LogicalResult checkExtents(Operation *op, ArrayRef<int64_t> shape) {
  int64_t elements = 1;
  for (int64_t extent : shape) {
    if (extent < 0 && !ShapedType::isDynamic(extent))
      return op->emitOpError() << "makes a tensor with an extent of " << extent;
    if (!ShapedType::isDynamic(extent) && extent > 0 && elements > kMaxElements / extent)
      return op->emitOpError() << "makes a tensor of more than " << kMaxElements << " elements";
    elements *= ShapedType::isDynamic(extent) || extent == 0 ? 1 : extent;
  }
  return success();
}

//===-- Shapes as values ---------------------------------------------------===//

LogicalResult constantOfShape(Operation *op, Types &types) {
  Type element = Float32Type::get(op->getContext());
  if (auto value = op->getAttrOfType<ElementsAttr>("value")) {
    if (value.getNumElements() != 1)
      return op->emitOpError() << "repeats one value, got " << value.getNumElements();
    element = value.getElementType();
  }
  auto shape = getConstantIntegers(op->getOperand(0));
  if (!shape)
    return pushUnknown(element, types);
  if (failed(checkConstantExtents(op, *shape, 0)))
    return failure();
  return push(*shape, element, types);
}

LogicalResult range(Operation *op, Types &types) {
  auto start = getConstantIntegers(op->getOperand(0)),
       limit = getConstantIntegers(op->getOperand(1)),
       delta = getConstantIntegers(op->getOperand(2));
  if (!start || !limit || !delta)
    return push({ShapedType::kDynamic}, elementOf(op), types);
  if (start->size() != 1 || limit->size() != 1 || delta->size() != 1 || delta->front() == 0)
    return op->emitOpError("counts from one start to one limit in steps that are not 0");
  for (int64_t bound : {start->front(), limit->front(), delta->front()})
    if (bound > kMaxElements || bound < -kMaxElements)
      return op->emitOpError() << "counts with " << bound << ", beyond " << kMaxElements;
  int64_t span = limit->front() - start->front(), step = delta->front();
  int64_t count = std::max<int64_t>(0, (span + step - (step > 0 ? 1 : -1)) / step);
  return push(count, elementOf(op), types);
}

LogicalResult shape(Operation *op, Types &types) {
  ShapedType type = typeOf(op, 0);
  Type element = IntegerType::get(op->getContext(), 64);
  if (!type.hasRank())
    return push({ShapedType::kDynamic}, element, types);
  const int64_t rank = type.getRank();
  auto clamp = [rank](int64_t v) { return std::clamp<int64_t>(v < 0 ? v + rank : v, 0, rank); };
  int64_t start = clamp(integerOr(op, "start", 0)), end = clamp(integerOr(op, "end", rank));
  return push(std::max<int64_t>(0, end - start), element, types);
}

LogicalResult size(Operation *op, Types &types) {
  return push({}, IntegerType::get(op->getContext(), 64), types);
}

//===-- The same elements --------------------------------------------------===//

/// The type of `shape`, which was asked for as `wanted`, if it has as many elements as the operand.
static LogicalResult pushReshaped(Operation *op, ArrayRef<int64_t> wanted, ArrayRef<int64_t> shape,
                                  Types &types) {
  if (failed(checkExtents(op, shape)))
    return failure();
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  if (count != typeOf(op, 0).getNumElements())
    return op->emitOpError() << "cannot turn " << op->getOperand(0).getType() << " into shape ["
                             << wanted << "]";
  return push(shape, elementOf(op), types);
}

LogicalResult reshape(Operation *op, Types &types) {
  auto wanted = getConstantIntegers(op->getOperand(1));
  if (!wanted)
    return pushUnknown(elementOf(op), types);
  ShapedType type = typeOf(op, 0);
  if (failed(checkConstantExtents(op, *wanted, -1)))
    return failure();
  SmallVector<int64_t> shape(*wanted);
  int64_t inferred = -1, product = 1;
  for (auto [d, extent] : llvm::enumerate(shape)) {
    if (extent == 0 && integerOr(op, "allowzero", 0) == 0) {
      if (!type.hasRank())
        return pushUnknown(elementOf(op), types);
      if (int64_t(d) >= type.getRank())
        return op->emitOpError() << "keeps dimension " << d << " of an operand that has "
                                 << type.getRank() << " dimensions";
      extent = type.getDimSize(d);
    }
    if (extent == -1) {
      if (inferred >= 0)
        return op->emitOpError("has more than one -1 in its shape");
      inferred = int64_t(d);
      extent = ShapedType::kDynamic;
    } else if (!ShapedType::isDynamic(extent)) {
      if (extent > 0 && product > kMaxElements / extent)
        return op->emitOpError() << "makes a tensor of more than " << kMaxElements << " elements";
      product *= extent;
    }
  }
  if (!type.hasStaticShape())
    return push(shape, elementOf(op), types);
  if (inferred >= 0 && product != 0)
    shape[inferred] = type.getNumElements() / product;
  return pushReshaped(op, *wanted, shape, types);
}

/// The axes of operand 1, resolved against `rank`, as flags.
static FailureOr<SmallVector<bool>> readAxes(Operation *op, ArrayRef<int64_t> axes, int64_t rank) {
  SmallVector<bool> flags(rank, false);
  for (int64_t value : axes) {
    FailureOr<int64_t> axis = resolveAxis(op, value, rank);
    if (failed(axis))
      return failure();
    if (flags[*axis])
      return op->emitOpError() << "has axis " << *axis << " twice";
    flags[*axis] = true;
  }
  return flags;
}

LogicalResult squeeze(Operation *op, Types &types) {
  ShapedType type = typeOf(op, 0);
  bool hasAxes = !isNone(op->getOperand(1));
  auto axes = hasAxes ? getConstantIntegers(op->getOperand(1)) : SmallVector<int64_t>();
  if (!type.hasRank() || !axes || (!hasAxes && !type.hasStaticShape()))
    return pushUnknown(elementOf(op), types);
  if (!hasAxes)
    for (auto [d, extent] : llvm::enumerate(type.getShape()))
      if (extent == 1)
        axes->push_back(int64_t(d));
  FailureOr<SmallVector<bool>> flags = readAxes(op, *axes, type.getRank());
  if (failed(flags))
    return failure();
  SmallVector<int64_t> shape;
  for (auto [extent, isRemoved] : llvm::zip(type.getShape(), *flags)) {
    if (isRemoved && extent != 1 && !ShapedType::isDynamic(extent))
      return op->emitOpError() << "removes a dimension of " << extent << " elements";
    if (!isRemoved)
      shape.push_back(extent);
  }
  return push(shape, elementOf(op), types);
}

LogicalResult unsqueeze(Operation *op, Types &types) {
  ShapedType type = typeOf(op, 0);
  auto axes = getConstantIntegers(op->getOperand(1));
  if (!type.hasRank() || !axes)
    return pushUnknown(elementOf(op), types);
  FailureOr<SmallVector<bool>> flags = readAxes(op, *axes, type.getRank() + int64_t(axes->size()));
  if (failed(flags))
    return failure();
  SmallVector<int64_t> shape;
  const int64_t *next = type.getShape().begin();
  for (bool isNew : *flags)
    shape.push_back(isNew ? 1 : *next++);
  return push(shape, elementOf(op), types);
}

LogicalResult flatten(Operation *op, Types &types) {
  ShapedType type = typeOf(op, 0);
  if (!type.hasRank())
    return push({ShapedType::kDynamic, ShapedType::kDynamic}, elementOf(op), types);
  int64_t value = integerOr(op, "axis", 1), axis = type.getRank();
  if (value != axis) {
    FailureOr<int64_t> resolved = resolveAxis(op, value, type.getRank());
    if (failed(resolved))
      return failure();
    axis = *resolved;
  }
  auto product = [](ArrayRef<int64_t> extents) {
    int64_t result = 1;
    for (int64_t extent : extents)
      result = ShapedType::isDynamic(extent) || ShapedType::isDynamic(result) ? ShapedType::kDynamic
                                                                              : result * extent;
    return result;
  };
  return push(
      {product(type.getShape().take_front(axis)), product(type.getShape().drop_front(axis))},
      elementOf(op), types);
}

//===-- Other places -------------------------------------------------------===//

LogicalResult transpose(Operation *op, Types &types) {
  ShapedType type = typeOf(op, 0);
  if (!type.hasRank())
    return pushUnknown(elementOf(op), types);
  SmallVector<int64_t> perm;
  if (auto attribute = op->getAttrOfType<DenseI64ArrayAttr>("perm"))
    perm.assign(attribute.asArrayRef().begin(), attribute.asArrayRef().end());
  else
    for (int64_t d = type.getRank(); d-- > 0;)
      perm.push_back(d);
  SmallVector<int64_t> sorted(perm);
  llvm::sort(sorted);
  bool isPermutation = int64_t(perm.size()) == type.getRank();
  for (auto [d, value] : llvm::enumerate(sorted))
    isPermutation &= value == int64_t(d);
  if (!isPermutation)
    return op->emitOpError() << "has a perm [" << perm << "] that is no permutation of "
                             << type.getRank() << " dimensions";
  SmallVector<int64_t> shape;
  for (int64_t d : perm)
    shape.push_back(type.getDimSize(d));
  return push(shape, elementOf(op), types);
}

LogicalResult expand(Operation *op, Types &types) {
  ShapedType type = typeOf(op, 0);
  auto wanted = getConstantIntegers(op->getOperand(1));
  if (!type.hasRank() || !wanted)
    return pushUnknown(elementOf(op), types);
  SmallVector<int64_t> shape;
  if (failed(checkConstantExtents(op, *wanted, 0)) || failed(checkExtents(op, *wanted)))
    return failure();
  if (!OpTrait::util::getBroadcastedShape(type.getShape(), *wanted, shape))
    return op->emitOpError() << "cannot expand " << op->getOperand(0).getType() << " to shape ["
                             << *wanted << "]";
  return push(shape, elementOf(op), types);
}

LogicalResult tile(Operation *op, Types &types) {
  ShapedType type = typeOf(op, 0);
  auto repeats = getConstantIntegers(op->getOperand(1));
  if (!type.hasRank() || !repeats)
    return pushUnknown(elementOf(op), types);
  if (int64_t(repeats->size()) != type.getRank())
    return op->emitOpError() << "has " << repeats->size() << " repeats for " << type.getRank()
                             << " dimensions";
  SmallVector<int64_t> shape(type.getShape());
  for (auto [extent, repeat] : llvm::zip(shape, *repeats)) {
    constexpr int64_t kMaxRepeat = int64_t(1) << 31;
    if (repeat < 0 || repeat > kMaxRepeat)
      return op->emitOpError() << "repeats " << repeat << " times";
    if (!ShapedType::isDynamic(extent) && extent <= kMaxRepeat)
      extent *= repeat;
  }
  return push(shape, elementOf(op), types);
}

SliceRange getSliceRange(int64_t start, int64_t end, int64_t step, int64_t size) {
  auto wrap = [size](int64_t bound) {
    return bound < 0 ? std::max<int64_t>(bound, -size - 1) + size : std::min(bound, size);
  };
  int64_t first = wrap(start), last = wrap(end);
  if (step > 0) {
    first = std::clamp<int64_t>(first, 0, size);
    last = std::clamp<int64_t>(last, 0, size);
  } else {
    first = std::clamp<int64_t>(first, -1, size - 1);
    last = std::clamp<int64_t>(last, -1, size - 1);
  }
  int64_t span = step > 0 ? last - first : first - last;
  uint64_t width = step > 0 ? uint64_t(step) : -uint64_t(step);
  return {first, span <= 0 ? 0 : int64_t((uint64_t(span) + width - 1) / width), step};
}

LogicalResult slice(Operation *op, Types &types) {
  ShapedType type = typeOf(op, 0);
  auto starts = getConstantIntegers(op->getOperand(1)),
       ends = getConstantIntegers(op->getOperand(2));
  if (!type.hasRank() || !starts || !ends)
    return pushUnknown(elementOf(op), types);
  SmallVector<int64_t> axes, steps(starts->size(), 1);
  for (size_t i = 0; i < starts->size(); ++i)
    axes.push_back(int64_t(i));
  for (auto [operand, list] : {std::pair(3u, &axes), {4u, &steps}}) {
    if (isNone(op->getOperand(operand)))
      continue;
    auto given = getConstantIntegers(op->getOperand(operand));
    if (!given)
      return pushUnknown(elementOf(op), types);
    *list = *given;
  }
  if (ends->size() != starts->size() || axes.size() != starts->size() ||
      steps.size() != starts->size())
    return op->emitOpError() << "has " << starts->size() << " starts, " << ends->size() << " ends, "
                             << axes.size() << " axes and " << steps.size() << " steps";
  SmallVector<int64_t> shape(type.getShape());
  for (size_t i = 0; i < axes.size(); ++i) {
    FailureOr<int64_t> axis = resolveAxis(op, axes[i], type.getRank());
    if (failed(axis))
      return failure();
    if (steps[i] == 0)
      return op->emitOpError("has a step of 0");
    if (!ShapedType::isDynamic(shape[*axis]))
      shape[*axis] = getSliceRange((*starts)[i], (*ends)[i], steps[i], shape[*axis]).count;
  }
  return push(shape, elementOf(op), types);
}

LogicalResult gather(Operation *op, Types &types) {
  ShapedType data = typeOf(op, 0), indices = typeOf(op, 1);
  if (!data.hasRank() || !indices.hasRank())
    return pushUnknown(elementOf(op), types);
  FailureOr<int64_t> axis = resolveAxis(op, integerOr(op, "axis", 0), data.getRank());
  if (failed(axis))
    return failure();
  SmallVector<int64_t> shape(data.getShape().take_front(*axis));
  llvm::append_range(shape, indices.getShape());
  llvm::append_range(shape, data.getShape().drop_front(*axis + 1));
  return push(shape, elementOf(op), types);
}

LogicalResult concat(Operation *op, Types &types) {
  if (op->getNumOperands() == 0)
    return op->emitOpError("joins at least one tensor");
  ShapedType first = typeOf(op, 0);
  for (unsigned i = 0; i < op->getNumOperands(); ++i)
    if (!typeOf(op, i).hasRank())
      return pushUnknown(elementOf(op), types);
  FailureOr<int64_t> axis = resolveAxis(op, integerOr(op, "axis", 0), first.getRank());
  if (failed(axis))
    return failure();
  SmallVector<int64_t> shape(first.getShape());
  for (unsigned i = 1; i < op->getNumOperands(); ++i) {
    ShapedType next = typeOf(op, i);
    bool fits = next.getRank() == first.getRank() && next.getElementType() == elementOf(op);
    for (int64_t d = 0; fits && d < first.getRank(); ++d) {
      int64_t &extent = shape[d], other = next.getDimSize(d);
      bool isUnknown = ShapedType::isDynamic(extent) || ShapedType::isDynamic(other);
      if (d == *axis)
        extent = isUnknown ? ShapedType::kDynamic : extent + other;
      else if (isUnknown)
        extent = ShapedType::isDynamic(extent) ? other : extent;
      else
        fits &= extent == other;
    }
    if (!fits)
      return op->emitOpError() << "cannot join " << op->getOperand(0).getType() << " and "
                               << op->getOperand(i).getType() << " along axis " << *axis;
  }
  return push(shape, elementOf(op), types);
}

LogicalResult split(Operation *op, Types &types) {
  ShapedType type = typeOf(op, 0);
  const unsigned parts = op->getNumResults();
  auto sizes =
      isNone(op->getOperand(1)) ? SmallVector<int64_t>() : getConstantIntegers(op->getOperand(1));
  if (!type.hasRank() || !sizes) {
    for (unsigned i = 0; i < parts; ++i)
      (void)pushUnknown(elementOf(op), types);
    return success();
  }
  FailureOr<int64_t> axis = resolveAxis(op, integerOr(op, "axis", 0), type.getRank());
  if (failed(axis))
    return failure();
  const int64_t whole = type.getDimSize(*axis);
  if (isNone(op->getOperand(1))) {
    // Equal parts; the last one may be smaller.
    int64_t part =
        ShapedType::isDynamic(whole) ? ShapedType::kDynamic : (whole + parts - 1) / int64_t(parts);
    for (unsigned i = 0; i < parts; ++i)
      sizes->push_back(ShapedType::isDynamic(whole)
                           ? ShapedType::kDynamic
                           : std::clamp<int64_t>(whole - i * part, 0, part));
  }
  if (!isNone(op->getOperand(1)) && failed(checkConstantExtents(op, *sizes, 0)))
    return failure();
  int64_t sum = 0;
  for (int64_t size : *sizes)
    sum += size;
  if (sizes->size() != parts || (!ShapedType::isDynamic(whole) && sum != whole))
    return op->emitOpError() << "cannot cut " << whole << " elements into " << parts
                             << " parts of [" << *sizes << "]";
  for (int64_t size : *sizes) {
    SmallVector<int64_t> shape(type.getShape());
    shape[*axis] = size;
    (void)push(shape, elementOf(op), types);
  }
  return success();
}

} // namespace sparsam::onnx::shapes
