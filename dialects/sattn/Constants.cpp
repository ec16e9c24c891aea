// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Constants.cpp - between constant attributes and plain arrays -------===//

#include "sattn/Semantics.h"

#include "mlir/IR/DialectResourceBlobManager.h"

#include <cstring>

namespace sparsam::sattn::semantics {
namespace {

using namespace mlir;

/// Numbers in a sattn.packed_constant.
constexpr int64_t kSubrowLimit = int64_t(1) << 28;

/// Copies a resource, such as a weight in a mapped file.
template <typename T, typename Stored>
std::optional<Array4<T>> toArray(DenseResourceElementsAttr attr, ArrayRef<int64_t> shape) {
  const AsmResourceBlob *blob = attr.getRawHandle().getBlob();
  if (!blob || std::is_same_v<Stored, bool>)
    return std::nullopt;
  Array4<T> result(shape);
  if (blob->getData().size() != result.data.size() * sizeof(Stored))
    return std::nullopt;
  const char *data = blob->getData().data(); // not aligned to anything
  for (T &element : result.data) {
    Stored stored;
    std::memcpy(&stored, data, sizeof stored);
    element = T(stored);
    data += sizeof stored;
  }
  return result;
}

/// Copies the elements of `attr`, whose element type is `Stored`, into an array of `T`.
template <typename T, typename Stored>
std::optional<Array4<T>> toArray(Attribute attr, int64_t limit, bool isElementType(Type)) {
  auto elements = dyn_cast_if_present<ElementsAttr>(attr);
  if (!elements || !isElementType(elements.getElementType()) ||
      elements.getShapedType().getRank() > 4 || !fits(elements.getShapedType(), limit))
    return std::nullopt;
  SmallVector<int64_t, 4> shape(4 - elements.getShapedType().getRank(), 1);
  llvm::append_range(shape, elements.getShapedType().getShape());
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attr))
    return toArray<T, Stored>(resource, shape);
  auto values = elements.tryGetValues<Stored>();
  if (!values)
    return std::nullopt;
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
  return toArray<int8_t, int8_t>(attr, limit, [](Type type) { return type.isSignlessInteger(8); });
}

std::optional<Mask> toMask(Attribute attr, int64_t limit) {
  return toArray<uint8_t, bool>(attr, limit, [](Type type) { return type.isInteger(1); });
}

std::optional<Indices> toIndices(Attribute attr, int64_t limit) {
  return toArray<int64_t, int64_t>(attr, limit, [](Type type) { return type.isInteger(64); });
}

std::optional<Integers> toIntegers(Attribute attr, int64_t limit) {
  if (auto words = toArray<int32_t, int16_t>(attr, limit,
                                             [](Type type) { return type.isSignlessInteger(16); }))
    return words;
  if (auto bitmaps = toArray<int32_t, uint16_t>(
          attr, limit, [](Type type) { return type.isUnsignedInteger(16); }))
    return bitmaps;
  return toArray<int32_t, uint8_t>(attr, limit,
                                   [](Type type) { return type.isUnsignedInteger(8); });
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
