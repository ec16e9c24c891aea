// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Causal.cpp - masks that hide the future ----------------------------===//

#include "Conversion/OnnxToSattn/Core.h"

#include "sattn/Semantics.h"

using namespace mlir;

namespace sparsam {

namespace {

/// A value that was cut out of a table of flags, and where it starts there.
struct CutOut {
  SmallVector<bool> flags;
  ArrayRef<int64_t> table; ///< its shape
  SmallVector<int64_t> first;

  bool at(ArrayRef<int64_t> index) const {
    int64_t offset = 0;
    for (auto [i, start, extent] : llvm::zip(index, first, table))
      offset = offset * extent + start + i;
    return flags[offset];
  }
};

/// Whether each element of a constant is true or 1; fails if one is neither 0 nor 1.
LogicalResult readFlags(ElementsAttr constant, SmallVectorImpl<bool> &flags) {
  const int64_t elements = constant.getNumElements();
  if (auto mask = sattn::semantics::toMask(constant, elements)) {
    flags.append(mask->data.begin(), mask->data.end());
    return success();
  }
  auto numbers = sattn::semantics::toFloats(constant, elements);
  if (!numbers || llvm::any_of(numbers->data, [](float x) { return x != 0 && x != 1; }))
    return failure();
  llvm::append_range(flags, llvm::map_range(numbers->data, [](float x) { return x == 1; }));
  return success();
}

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
  CutOut result{{}, {}, SmallVector<int64_t>(shapeOf(value).size(), 0)};
  while (auto slice = value.getDefiningOp<onnx::SliceOp>()) {
    if (failed(addStart(slice, result.first)))
      return std::nullopt;
    value = slice.getData();
  }
  ElementsAttr constant;
  if (!matchPattern(value, m_Constant(&constant)) || failed(readFlags(constant, result.flags)))
    return std::nullopt;
  result.table = shapeOf(value);
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
  SmallVector<int64_t> index(rank, 0);
  for (int64_t i = 0; i < queries; ++i)
    for (int64_t j = 0; j < keys; ++j) {
      index[rank - 2] = i;
      index[rank - 1] = j;
      if ((cut->at(index) != hides) != (j <= i + keys - queries))
        return false;
    }
  return true;
}

bool showsKeyInEachRow(Value flags) {
  std::optional<CutOut> cut = trace(flags);
  ArrayRef<int64_t> shape = shapeOf(flags);
  if (!cut || shape.empty())
    return false;
  const int64_t rows = ShapedType::getNumElements(shape.drop_back());
  for (int64_t row = 0; row < rows; ++row) {
    SmallVector<int64_t> index(shape.size(), 0);
    for (int64_t rest = row, d = int64_t(shape.size()) - 2; d >= 0; rest /= shape[d], --d)
      index[d] = rest % shape[d];
    auto isShown = [&](int64_t key) {
      index.back() = key;
      return cut->at(index);
    };
    if (llvm::none_of(llvm::seq<int64_t>(0, shape.back()), isShown))
      return false;
  }
  return true;
}

} // namespace sparsam
