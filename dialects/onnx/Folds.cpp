// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Folds.cpp - evaluation of small constants --------------------------===//

#include "onnx/Folds.h"

#include "onnx/Onnx.h"
#include "onnx/SmallTensor.h"

#include "mlir/IR/DialectResourceBlobManager.h"

#include <cmath>
#include <limits>

using namespace mlir;

namespace sparsam::onnx::folds {

namespace {

//===-- Element by element -------------------------------------------------===//

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
      result.floats.push_back(from.asFloat(i));
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

} // namespace sparsam::onnx::folds
