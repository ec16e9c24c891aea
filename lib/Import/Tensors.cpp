// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Tensors.cpp - ONNX tensors as attributes ---------------------------===//

#include "Tensors.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/DialectResourceBlobManager.h"

#include "llvm/ADT/StringExtras.h"

#include <bit>
#include <cstring>

using namespace mlir;

namespace sparsam {

static_assert(std::endian::native == std::endian::little,
              "ONNX data is little-endian and is used in place");

/// Floats up to this size are dense elements: biases of small models and scalars, which folders and
/// patterns look into.
constexpr int64_t maxDenseFloatBytes = 1024;
/// Integers up to this size are dense elements: shapes, positions and indices take part in shape
/// arithmetic.
constexpr int64_t maxDenseIntegerBytes = 4 << 20;

//===-- Types ---------------------------------------------------------------===//

static std::string getDataTypeName(int32_t dataType) {
  static constexpr const char *names[] = {
      "UNDEFINED",      "FLOAT",    "UINT8",        "INT8",           "UINT16",
      "INT16",          "INT32",    "INT64",        "STRING",         "BOOL",
      "FLOAT16",        "DOUBLE",   "UINT32",       "UINT64",         "COMPLEX64",
      "COMPLEX128",     "BFLOAT16", "FLOAT8E4M3FN", "FLOAT8E4M3FNUZ", "FLOAT8E5M2",
      "FLOAT8E5M2FNUZ", "UINT4",    "INT4",         "FLOAT4E2M1",     "FLOAT8E8M0",
      "UINT2",          "INT2"};
  if (dataType < 0 || dataType >= static_cast<int32_t>(std::size(names)))
    return "number " + std::to_string(dataType);
  return names[dataType];
}

FailureOr<Type> getElementType(int32_t dataType, const Twine &what, Location loc) {
  Builder builder(loc.getContext());
  auto unsignedType = [&](unsigned bits) {
    return builder.getIntegerType(bits, /*isSigned=*/false);
  };
  switch (dataType) {
  case proto::TensorProto::FLOAT:
    return Type(builder.getF32Type());
  case proto::TensorProto::DOUBLE:
    return Type(builder.getF64Type());
  case proto::TensorProto::FLOAT16:
    return Type(builder.getF16Type());
  case proto::TensorProto::BFLOAT16:
    return Type(builder.getBF16Type());
  case proto::TensorProto::BOOL:
    return Type(builder.getI1Type());
  case proto::TensorProto::INT8:
    return Type(builder.getI8Type());
  case proto::TensorProto::INT16:
    return Type(builder.getIntegerType(16));
  case proto::TensorProto::INT32:
    return Type(builder.getI32Type());
  case proto::TensorProto::INT64:
    return Type(builder.getI64Type());
  case proto::TensorProto::UINT8:
    return Type(unsignedType(8));
  case proto::TensorProto::UINT16:
    return Type(unsignedType(16));
  case proto::TensorProto::UINT32:
    return Type(unsignedType(32));
  case proto::TensorProto::UINT64:
    return Type(unsignedType(64));
  default:
    return emitError(loc) << what << " has elements of data type " << getDataTypeName(dataType)
                          << ", which is not supported; supported are FLOAT, DOUBLE, FLOAT16, "
                             "BFLOAT16, BOOL and the "
                             "signed and unsigned integers of 8 to 64 bits";
  }
}

std::optional<int64_t> getElementCount(ArrayRef<int64_t> shape) {
  constexpr int64_t maxElements = int64_t(1) << 40;
  int64_t count = 1;
  bool empty = false;
  for (int64_t extent : shape) {
    if (extent < 0 || extent > maxElements)
      return std::nullopt;
    empty |= extent == 0;
    // Asked before it is multiplied: two extents within the limit can wrap around to a small count.
    if (extent > maxElements / count)
      return std::nullopt;
    count *= std::max<int64_t>(extent, 1);
  }
  return empty ? 0 : count;
}

static int64_t getElementBytes(Type type) {
  return llvm::divideCeil(type.getIntOrFloatBitWidth(), 8);
}

//===-- Data ----------------------------------------------------------------===//

/// Copies a repeated field of wider numbers into elements of type T.
template <typename T, typename Field> static std::vector<char> pack(const Field &field) {
  std::vector<char> bytes(field.size() * sizeof(T));
  for (int i = 0; i < field.size(); ++i) {
    T value = static_cast<T>(field.Get(i));
    std::memcpy(bytes.data() + i * sizeof(T), &value, sizeof(T));
  }
  return bytes;
}

/// The data of a tensor that is neither raw nor external, from the field that its data type
/// prescribes.
static std::vector<char> packTyped(const proto::TensorProto &tensor) {
  switch (tensor.data_type()) {
  case proto::TensorProto::FLOAT:
    return pack<float>(tensor.float_data());
  case proto::TensorProto::DOUBLE:
    return pack<double>(tensor.double_data());
  case proto::TensorProto::INT64:
    return pack<int64_t>(tensor.int64_data());
  case proto::TensorProto::UINT64:
    return pack<uint64_t>(tensor.uint64_data());
  case proto::TensorProto::UINT32:
    return pack<uint32_t>(tensor.uint64_data());
  case proto::TensorProto::INT32:
    return pack<int32_t>(tensor.int32_data());
  case proto::TensorProto::INT16:
  case proto::TensorProto::UINT16:
  case proto::TensorProto::FLOAT16:
  case proto::TensorProto::BFLOAT16:
    return pack<uint16_t>(tensor.int32_data());
  case proto::TensorProto::BOOL:
    return pack<bool>(tensor.int32_data());
  default:
    return pack<uint8_t>(tensor.int32_data());
  }
}

LogicalResult TensorReader::readRange(const proto::TensorProto &tensor, const DataRange &range,
                                      Data &data, const std::string &what, Location loc) {
  bool fits =
      range.field == DataField::raw ||
      (range.field == DataField::floats && tensor.data_type() == proto::TensorProto::FLOAT) ||
      (range.field == DataField::doubles && tensor.data_type() == proto::TensorProto::DOUBLE);
  if (!fits)
    return emitError(loc) << what
                          << " has its data in a field that is not the one of its data type "
                          << getDataTypeName(tensor.data_type());
  data.file = model;
  data.bytes = model->bytes().slice(range.offset, range.bytes);
  return success();
}

LogicalResult TensorReader::readData(const proto::TensorProto &tensor, RankedTensorType type,
                                     Data &data, const std::string &what, Location loc) {
  int64_t bytesNeeded = type.getNumElements() * getElementBytes(type.getElementType());
  if (tensor.data_location() == proto::TensorProto::EXTERNAL)
    return readExternal(tensor, bytesNeeded, data, what, loc);
  if (std::optional<DataRange> range = getDataRange(tensor.doc_string())) {
    if (failed(readRange(tensor, *range, data, what, loc)))
      return failure();
  } else if (tensor.has_raw_data()) {
    data.bytes = {tensor.raw_data().data(), tensor.raw_data().size()};
  } else {
    data.copy = packTyped(tensor);
    data.bytes = data.copy;
  }
  if (static_cast<int64_t>(data.bytes.size()) != bytesNeeded)
    return emitError(loc) << what << " has " << data.bytes.size() << " bytes of data, but its type "
                          << type << " needs " << bytesNeeded;
  return success();
}

static ElementsAttr getDense(RankedTensorType type, ArrayRef<char> bytes) {
  if (type.getNumElements() == 0)
    return DenseElementsAttr::get(type, ArrayRef<Attribute>());
  if (!type.getElementType().isInteger(1))
    return DenseElementsAttr::getFromRawBuffer(type, bytes);
  SmallVector<bool> values = llvm::map_to_vector(bytes, [](char byte) { return byte != 0; });
  return DenseElementsAttr::get(type, ArrayRef<bool>(values));
}

FailureOr<ElementsAttr> TensorReader::read(const proto::TensorProto &tensor,
                                           const std::string &what, Location loc) {
  FailureOr<Type> element = getElementType(tensor.data_type(), what, loc);
  if (failed(element))
    return failure();
  SmallVector<int64_t> shape(tensor.dims().begin(), tensor.dims().end());
  if (!getElementCount(shape))
    return emitError(loc) << what << " has the shape ["
                          << llvm::join(
                                 llvm::map_range(
                                     shape, [](int64_t extent) { return std::to_string(extent); }),
                                 ", ")
                          << "], which is negative or has more than 2^40 elements";
  if (tensor.has_segment())
    return emitError(loc) << what << " is a segment of a larger tensor, which is not supported";
  auto type = RankedTensorType::get(shape, *element);
  Data data;
  if (failed(readData(tensor, type, data, what, loc)))
    return failure();
  int64_t bytes = data.bytes.size();
  bool dense = element->isInteger(1) ||
               bytes <= (element->isInteger() ? maxDenseIntegerBytes : maxDenseFloatBytes);
  if (dense)
    return getDense(type, data.bytes);
  AsmResourceBlob blob = data.file ? getResource(data.file, data.bytes)
                                   : HeapAsmResourceBlob::allocateAndCopyWithAlign(data.bytes, 64);
  StringRef name = tensor.name().empty() ? StringRef("constant") : StringRef(tensor.name());
  return ElementsAttr(DenseResourceElementsAttr::get(type, name, std::move(blob)));
}

} // namespace sparsam
