// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Causal.cpp - masks that hide the future ----------------------------===//

#include "Conversion/OnnxToSattn/Core.h"

using namespace mlir;

namespace sparsam {

namespace {

/// Where in a table of flags a value starts that was cut out of it.
struct CutOut {
  DenseElementsAttr table;
  SmallVector<int64_t> first;
};

/// Adds where a slice starts; fails if that is not constant or it leaves elements out.
LogicalResult addStart(onnx::SliceOp slice, SmallVectorImpl<int64_t> &first) {
  auto starts = onnx::getConstantIntegers(slice.getStarts());
  auto ends = onnx::getConstantIntegers(slice.getEnds());
  auto axes = onnx::getConstantIntegers(slice.getAxes());
  auto steps = onnx::getConstantIntegers(slice.getSteps());
  if (!starts || !ends || (!axes && !onnx::isNone(slice.getAxes())) ||
      (!steps && !onnx::isNone(slice.getSteps())))
    return failure();
  ArrayRef<int64_t> shape = shapeOf(slice.getData());
  for (size_t i = 0; i < starts->size(); ++i) {
    int64_t axis = axes ? (*axes)[i] : int64_t(i);
    axis += axis < 0 ? int64_t(shape.size()) : 0;
    onnx::shapes::SliceRange range =
        onnx::shapes::getSliceRange((*starts)[i], (*ends)[i], steps ? (*steps)[i] : 1, shape[axis]);
    if (range.step != 1)
      return failure();
    first[axis] += range.first;
  }
  return success();
}

std::optional<CutOut> trace(Value value) {
  CutOut result{{}, SmallVector<int64_t>(shapeOf(value).size(), 0)};
  while (auto slice = value.getDefiningOp<onnx::SliceOp>()) {
    if (failed(addStart(slice, result.first)))
      return std::nullopt;
    value = slice.getData();
  }
  if (!matchPattern(value, m_Constant(&result.table)) ||
      !result.table.getElementType().isInteger(1))
    return std::nullopt;
  return result;
}

} // namespace

bool hidesFuture(Value condition, bool hides, int64_t queries, int64_t keys) {
  ArrayRef<int64_t> shape = shapeOf(condition);
  const size_t rank = shape.size();
  if (rank < 2 || shape[rank - 2] != queries || shape[rank - 1] != keys ||
      ShapedType::getNumElements(shape) != queries * keys)
    return false;
  std::optional<CutOut> cut = trace(condition);
  if (!cut)
    return false;
  ArrayRef<int64_t> table = cut->table.getType().getShape();
  for (size_t d = 0; d + 2 < rank; ++d)
    if (table[d] != 1)
      return false;
  const int64_t width = table[rank - 1];
  auto flags = cut->table.getValues<bool>();
  for (int64_t i = 0; i < queries; ++i)
    for (int64_t j = 0; j < keys; ++j) {
      const int64_t at = (cut->first[rank - 2] + i) * width + cut->first[rank - 1] + j;
      if ((flags[at] != hides) != (j <= i + keys - queries))
        return false;
    }
  return true;
}

} // namespace sparsam
