// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ShapeRules.cpp - result types: elements, matrices, attention -------===//

#include "onnx/Onnx.h"
#include "onnx/ShapeRuleSupport.h"

#include "mlir/Dialect/Traits.h"

using namespace mlir;

namespace sparsam::onnx::shapes {

static Type unranked(Type element) { return UnrankedTensorType::get(element); }

FailureOr<int64_t> resolveAxis(Operation *op, int64_t axis, int64_t rank) {
  int64_t resolved = axis < 0 ? axis + rank : axis;
  if (resolved >= 0 && resolved < rank)
    return resolved;
  return op->emitOpError() << "has axis " << axis << ", but its tensor has " << rank
                           << " dimensions";
}

//===-- Element by element -------------------------------------------------===//

LogicalResult unary(Operation *op, Types &types) {
  types.push_back(op->getOperand(0).getType());
  return success();
}

LogicalResult unaryBool(Operation *op, Types &types) {
  types.push_back(typeOf(op, 0).clone(IntegerType::get(op->getContext(), 1)));
  return success();
}

LogicalResult cast(Operation *op, Types &types) {
  Builder builder(op->getContext());
  Type element;
  switch (int64_t to = integerOr(op, "to", 0)) {
  case 1:
    element = builder.getF32Type();
    break;
  case 2:
    element = builder.getIntegerType(8, /*isSigned=*/false);
    break;
  case 3:
    element = builder.getI8Type();
    break;
  case 6:
    element = builder.getI32Type();
    break;
  case 7:
    element = builder.getI64Type();
    break;
  case 9:
    element = builder.getI1Type();
    break;
  case 10:
    element = builder.getF16Type();
    break;
  case 11:
    element = builder.getF64Type();
    break;
  default:
    return op->emitOpError() << "cannot convert to ONNX type " << to;
  }
  types.push_back(typeOf(op, 0).clone(element));
  return success();
}

LogicalResult castLike(Operation *op, Types &types) {
  types.push_back(typeOf(op, 0).clone(typeOf(op, 1).getElementType()));
  return success();
}

/// The shape that operands [first, last) broadcast to.
static LogicalResult broadcastTo(Operation *op, unsigned first, unsigned last, Type element,
                                 Types &types) {
  SmallVector<int64_t> shape;
  for (unsigned i = first; i < last; ++i) {
    ShapedType type = typeOf(op, i);
    if (!type.hasRank()) {
      types.push_back(unranked(element));
      return success();
    }
    SmallVector<int64_t> joined;
    if (!OpTrait::util::getBroadcastedShape(shape, type.getShape(), joined))
      return op->emitOpError() << "cannot broadcast " << op->getOperand(i).getType()
                               << " with the operands before it, which have the shape [" << shape
                               << "]";
    shape = joined;
  }
  types.push_back(RankedTensorType::get(shape, element));
  return success();
}

static LogicalResult checkSameElements(Operation *op, unsigned first, unsigned last) {
  for (unsigned i = first + 1; i < last; ++i)
    if (typeOf(op, i).getElementType() != typeOf(op, first).getElementType())
      return op->emitOpError() << "mixes element types " << typeOf(op, first).getElementType()
                               << " and " << typeOf(op, i).getElementType();
  return success();
}

LogicalResult broadcast(Operation *op, Types &types) {
  if (failed(checkSameElements(op, 0, 2)))
    return failure();
  return broadcastTo(op, 0, 2, typeOf(op, 0).getElementType(), types);
}

LogicalResult broadcastBool(Operation *op, Types &types) {
  if (failed(checkSameElements(op, 0, 2)))
    return failure();
  return broadcastTo(op, 0, 2, IntegerType::get(op->getContext(), 1), types);
}

LogicalResult where(Operation *op, Types &types) {
  if (failed(checkSameElements(op, 1, 3)))
    return failure();
  return broadcastTo(op, 0, 3, typeOf(op, 1).getElementType(), types);
}

//===-- Matrices -----------------------------------------------------------===//

static bool mayEqual(int64_t a, int64_t b) {
  return a == b || ShapedType::isDynamic(a) || ShapedType::isDynamic(b);
}

LogicalResult matMul(Operation *op, Types &types) {
  ShapedType a = typeOf(op, 0), b = typeOf(op, 1);
  Type element = a.getElementType();
  if (failed(checkSameElements(op, 0, 2)))
    return failure();
  if (!a.hasRank() || !b.hasRank()) {
    types.push_back(unranked(element));
    return success();
  }
  auto refuse = [&] {
    return op->emitOpError() << "cannot multiply " << op->getOperand(0).getType() << " by "
                             << op->getOperand(1).getType();
  };
  if (a.getRank() == 0 || b.getRank() == 0)
    return refuse();
  SmallVector<int64_t> left(a.getShape()), right(b.getShape());
  if (a.getRank() == 1)
    left.insert(left.begin(), 1);
  if (b.getRank() == 1)
    right.push_back(1);
  if (!mayEqual(left.back(), right[right.size() - 2]))
    return refuse();
  SmallVector<int64_t> shape;
  if (!OpTrait::util::getBroadcastedShape(ArrayRef(left).drop_back(2), ArrayRef(right).drop_back(2),
                                          shape))
    return refuse();
  if (a.getRank() > 1)
    shape.push_back(left[left.size() - 2]);
  if (b.getRank() > 1)
    shape.push_back(right.back());
  types.push_back(RankedTensorType::get(shape, element));
  return success();
}

LogicalResult gemm(Operation *op, Types &types) {
  ShapedType a = typeOf(op, 0), b = typeOf(op, 1);
  if (!a.hasRank() || !b.hasRank()) {
    types.push_back(unranked(a.getElementType()));
    return success();
  }
  if (a.getRank() != 2 || b.getRank() != 2)
    return op->emitOpError() << "multiplies matrices, got " << op->getOperand(0).getType()
                             << " and " << op->getOperand(1).getType();
  const bool transA = integerOr(op, "transA", 0) != 0, transB = integerOr(op, "transB", 0) != 0;
  if (!mayEqual(a.getDimSize(transA ? 0 : 1), b.getDimSize(transB ? 1 : 0)))
    return op->emitOpError() << "cannot multiply " << op->getOperand(0).getType() << " by "
                             << op->getOperand(1).getType();
  types.push_back(RankedTensorType::get(
      {a.getDimSize(transA ? 1 : 0), b.getDimSize(transB ? 0 : 1)}, a.getElementType()));
  return success();
}

//===-- Along axes ---------------------------------------------------------===//

LogicalResult alongAxis(Operation *op, Types &types) {
  ShapedType type = typeOf(op, 0);
  if (type.hasRank() && failed(resolveAxis(op, integerOr(op, "axis", -1), type.getRank())))
    return failure();
  types.push_back(type);
  return success();
}

/// The type after reducing the dimensions in `reduced`.
static Type reduceDims(ShapedType type, ArrayRef<bool> reduced, bool keeps, Type element) {
  SmallVector<int64_t> shape;
  for (auto [size, isReduced] : llvm::zip(type.getShape(), reduced))
    if (!isReduced || keeps)
      shape.push_back(isReduced ? 1 : size);
  return RankedTensorType::get(shape, element);
}

LogicalResult reduce(Operation *op, Types &types) {
  ShapedType type = typeOf(op, 0);
  const bool keeps = integerOr(op, "keepdims", 1) != 0;
  std::optional<SmallVector<int64_t>> axes = SmallVector<int64_t>();
  if (!isNone(op->getOperand(1)))
    axes = getConstantIntegers(op->getOperand(1));
  if (!type.hasRank() || !axes) {
    types.push_back(unranked(type.getElementType()));
    return success();
  }
  bool all = axes->empty() && integerOr(op, "noop_with_empty_axes", 0) == 0;
  SmallVector<bool> reduced(type.getRank(), all);
  for (int64_t value : *axes) {
    FailureOr<int64_t> axis = resolveAxis(op, value, type.getRank());
    if (failed(axis))
      return failure();
    reduced[*axis] = true;
  }
  types.push_back(reduceDims(type, reduced, keeps, type.getElementType()));
  return success();
}

LogicalResult argMax(Operation *op, Types &types) {
  ShapedType type = typeOf(op, 0);
  Type element = IntegerType::get(op->getContext(), 64);
  if (!type.hasRank()) {
    types.push_back(unranked(element));
    return success();
  }
  FailureOr<int64_t> axis = resolveAxis(op, integerOr(op, "axis", 0), type.getRank());
  if (failed(axis))
    return failure();
  SmallVector<bool> reduced(type.getRank(), false);
  reduced[*axis] = true;
  types.push_back(reduceDims(type, reduced, integerOr(op, "keepdims", 1) != 0, element));
  return success();
}

//===-- Attention ----------------------------------------------------------===//

LogicalResult attention(Operation *op, Types &types) {
  ShapedType query = typeOf(op, 0), value = typeOf(op, 2);
  if (!query.hasRank() || !value.hasRank()) {
    types.push_back(unranked(query.getElementType()));
    return success();
  }
  SmallVector<int64_t> shape(query.getShape());
  if (query.getRank() != value.getRank() || (query.getRank() != 3 && query.getRank() != 4))
    return op->emitOpError() << "expects Q, K and V of three or four dimensions, got " << query
                             << " and " << value;
  if (query.getRank() == 4) {
    shape[3] = value.getDimSize(3);
  } else {
    int64_t heads = integerOr(op, "q_num_heads", 0), kvHeads = integerOr(op, "kv_num_heads", 0);
    if (heads < 1 || kvHeads < 1)
      return op->emitOpError("of three dimensions needs q_num_heads and kv_num_heads");
    shape[2] = ShapedType::isDynamic(value.getDimSize(2)) ? ShapedType::kDynamic
                                                          : value.getDimSize(2) / kvHeads * heads;
  }
  types.push_back(RankedTensorType::get(shape, query.getElementType()));
  return success();
}

LogicalResult msAttention(Operation *op, Types &types) {
  ShapedType input = typeOf(op, 0), weights = typeOf(op, 1);
  if (!input.hasRank() || !weights.hasRank()) {
    types.push_back(unranked(input.getElementType()));
    return success();
  }
  if (input.getRank() != 3 || weights.getRank() != 2 || weights.getDimSize(1) % 3 != 0)
    return op->emitOpError()
           << "expects input [batch, tokens, size] and weights [size, 3 * hidden], got " << input
           << " and " << weights;
  types.push_back(
      RankedTensorType::get({input.getDimSize(0), input.getDimSize(1), weights.getDimSize(1) / 3},
                            input.getElementType()));
  return success();
}

LogicalResult msMultiHeadAttention(Operation *op, Types &types) {
  ShapedType query = typeOf(op, 0), value = typeOf(op, 2);
  if (!query.hasRank() || !value.hasRank()) {
    types.push_back(unranked(query.getElementType()));
    return success();
  }
  if (query.getRank() != 3 || value.getRank() != 3)
    return op->emitOpError() << "expects query and value [batch, tokens, hidden], got " << query
                             << " and " << value;
  types.push_back(RankedTensorType::get(
      {query.getDimSize(0), query.getDimSize(1), value.getDimSize(2)}, query.getElementType()));
  return success();
}

//===-- Inference and verification -----------------------------------------===//

/// `inferred` with the extents of `declared` where it knows none; null if they contradict.
static Type join(Type declared, Type inferred) {
  auto from = dyn_cast<ShapedType>(declared), to = dyn_cast<ShapedType>(inferred);
  if (!from || !to)
    return declared == inferred ? inferred : Type();
  if (!from.hasRank())
    return inferred;
  if (!to.hasRank())
    return RankedTensorType::get(from.getShape(), to.getElementType());
  if (from.getRank() != to.getRank())
    return {};
  SmallVector<int64_t> shape(to.getShape());
  for (auto [size, known] : llvm::zip(shape, from.getShape())) {
    if (!mayEqual(size, known))
      return {};
    if (ShapedType::isDynamic(size))
      size = known;
  }
  return RankedTensorType::get(shape, to.getElementType());
}

static LogicalResult contradict(Operation *op, unsigned result, Type declared, Type inferred) {
  return op->emitOpError() << "result " << result << " is declared as " << declared
                           << ", but its operands make it " << inferred;
}

/// One type per result.
static LogicalResult inferAll(Operation *op, Types &types) {
  if (failed(::mlir::cast<ShapeInference>(op).inferTypes(types)))
    return failure();
  assert(types.size() == op->getNumResults() && "rules give one type per result");
  for (Type type : types)
    if (auto shaped = dyn_cast<RankedTensorType>(type))
      if (failed(checkExtents(op, shaped.getShape())))
        return failure();
  return success();
}

LogicalResult refineResultTypes(Operation *op) {
  SmallVector<Type> types;
  if (failed(inferAll(op, types)))
    return failure();
  for (auto [number, result, inferred] : llvm::enumerate(op->getResults(), types)) {
    Type type = join(result.getType(), inferred);
    if (!type)
      return contradict(op, number, result.getType(), inferred);
    result.setType(type);
  }
  return success();
}

LogicalResult verifyResultTypes(Operation *op) {
  SmallVector<Type> types;
  if (failed(inferAll(op, types)))
    return failure();
  for (auto [number, result, inferred] : llvm::enumerate(op->getResults(), types)) {
    auto shaped = dyn_cast<ShapedType>(result.getType());
    auto expected = dyn_cast<ShapedType>(inferred);
    bool sameElements = shaped && expected && shaped.getElementType() == expected.getElementType();
    if (!sameElements || !join(result.getType(), inferred))
      return contradict(op, number, result.getType(), inferred);
  }
  return success();
}

} // namespace sparsam::onnx::shapes
