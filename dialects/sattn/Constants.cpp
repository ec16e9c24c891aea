// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Constants.cpp - between constant attributes and plain arrays -------===//

#include "sattn/Semantics.h"

namespace sparsam::sattn::semantics {
namespace {

using namespace mlir;

/// Numbers in a sattn.packed_constant.
constexpr int64_t kSubrowLimit = int64_t(1) << 28;

/// Copies the elements of `attr`, whose element type is `Stored`, into an array of `T`.
template <typename T, typename Stored>
std::optional<Array4<T>> toArray(Attribute attr, int64_t limit, bool isElementType(Type)) {
  auto elements = dyn_cast_if_present<ElementsAttr>(attr);
  if (!elements || !isElementType(elements.getElementType()) ||
      elements.getShapedType().getRank() > 4 || !fits(elements.getShapedType(), limit))
    return std::nullopt;
  auto values = elements.tryGetValues<Stored>();
  if (!values)
    return std::nullopt;
  SmallVector<int64_t, 4> shape(4 - elements.getShapedType().getRank(), 1);
  llvm::append_range(shape, elements.getShapedType().getShape());
  Array4<T> result(shape);
  llvm::copy(*values, result.data.begin());
  return result;
}

} // namespace

bool fits(ShapedType type, int64_t limit) {
  if (!type.hasStaticShape())
    return false;
  int64_t elements = 1;
  for (int64_t size : type.getShape()) {
    if (size > limit || elements * size > limit)
      return false;
    elements *= size;
  }
  return true;
}

std::optional<Floats> toFloats(Attribute attr, int64_t limit) {
  return toArray<float, float>(attr, limit, [](Type type) { return type.isF32(); });
}

std::optional<Codes> toCodes(Attribute attr, int64_t limit) {
  return toArray<int8_t, int8_t>(attr, limit, [](Type type) { return type.isInteger(8); });
}

std::optional<Mask> toMask(Attribute attr, int64_t limit) {
  return toArray<uint8_t, bool>(attr, limit, [](Type type) { return type.isInteger(1); });
}

std::optional<Indices> toIndices(Attribute attr, int64_t limit) {
  return toArray<int64_t, int64_t>(attr, limit, [](Type type) { return type.isInteger(64); });
}

std::optional<std::vector<int32_t>> toSubrows(Attribute attr) {
  auto array =
      toArray<int32_t, int32_t>(attr, kSubrowLimit, [](Type type) { return type.isInteger(32); });
  if (!array)
    return std::nullopt;
  return std::move(array->data);
}

DenseElementsAttr toAttr(const Floats &values, Type type) {
  return DenseElementsAttr::get(cast<ShapedType>(type), ArrayRef<float>(values.data));
}

DenseElementsAttr toAttr(const Codes &values, Type type) {
  return DenseElementsAttr::get(cast<ShapedType>(type), ArrayRef<int8_t>(values.data));
}

DenseElementsAttr toAttr(const Mask &values, Type type) {
  SmallVector<bool> bits(values.data.begin(), values.data.end());
  return DenseElementsAttr::get(cast<ShapedType>(type), ArrayRef<bool>(bits));
}

DenseElementsAttr toAttr(const Indices &values, Type type) {
  return DenseElementsAttr::get(cast<ShapedType>(type), ArrayRef<int64_t>(values.data));
}

DenseElementsAttr toAttr(ArrayRef<int32_t> subrows, PackedType type) {
  int64_t width = 4 + type.getPes();
  auto shape = RankedTensorType::get({int64_t(subrows.size()) / width, width},
                                     IntegerType::get(type.getContext(), 32));
  return DenseElementsAttr::get(shape, subrows);
}

} // namespace sparsam::sattn::semantics
