// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SmallTensor.cpp - constants as lists of numbers --------------------===//

#include "onnx/SmallTensor.h"

#include "onnx/Folds.h"

using namespace mlir;

namespace sparsam::onnx::folds {

static bool isSupported(Type element) { return element.isF32() || llvm::isa<IntegerType>(element); }

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

RankedTensorType smallResult(Operation *op) {
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!type || !type.hasStaticShape() || type.getNumElements() > kMaxElements ||
      !isSupported(type.getElementType()))
    return {};
  return type;
}

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

int64_t broadcastPosition(ArrayRef<int64_t> operand, ArrayRef<int64_t> index) {
  int64_t position = 0;
  for (size_t d = 0; d < operand.size(); ++d) {
    int64_t at = index[index.size() - operand.size() + d];
    position = position * operand[d] + (operand[d] == 1 ? 0 : at);
  }
  return position;
}

} // namespace sparsam::onnx::folds
