// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Npy.cpp - NumPy's .npy files, and conversion to float32 ------------===//

#include "runtime/io/Npy.h"

#include "runtime/io/File.h"
#include "runtime/io/NpyHeader.h"

#include <bit>
#include <cmath>
#include <cstring>

namespace sparsam::runtime {

Result<Tensor> readNpy(const std::string &path) {
  auto file = MappedFile::open(path);
  if (!file)
    return file.error();
  std::span<const uint8_t> bytes = (*file)->bytes();
  Result<NpyHeader> header = parseNpyHeader(bytes);
  if (!header)
    return makeError("cannot read array ", path, ": ", header.error().message);
  uint64_t available = bytes.size() - header->headerBytes;
  if (available != header->dataBytes)
    return makeError("cannot read array ", path, ": shape ", toString(header->shape), " of ",
                     name(header->dtype), " needs ", header->dataBytes,
                     " bytes of data, the file has ", available);
  std::optional<Tensor> tensor = Tensor::tryAllocate(header->dtype, header->shape);
  if (!tensor)
    return makeError("cannot read array ", path, ": not enough memory for ", header->dataBytes,
                     " bytes");
  if (available > 0)
    std::memcpy(tensor->as<uint8_t>(), bytes.data() + header->headerBytes, available);
  return header->isFortranOrder ? fromFortranOrder(*tensor) : std::move(*tensor);
}

Status writeNpy(const std::string &path, const Tensor &tensor) {
  auto file = OutputFile::create(path);
  if (!file)
    return file.error();
  if (Status status = (*file)->write(makeNpyHeader(tensor.dtype(), tensor.shape())); !status)
    return status;
  if (Status status = (*file)->write({tensor.as<uint8_t>(), size_t(tensor.bytes())}); !status)
    return status;
  return (*file)->commit();
}

/// IEEE half to single, exact.
static float fromHalf(uint16_t half) {
  uint32_t exponent = half >> 10 & 0x1f, fraction = half & 0x3ff;
  float magnitude;
  if (exponent == 0)
    magnitude = std::ldexp(float(fraction), -24);
  else
    magnitude =
        std::bit_cast<float>((exponent == 31 ? 255u : exponent + 112) << 23 | fraction << 13);
  return half & 0x8000 ? -magnitude : magnitude;
}

template <typename T> static void convert(const Tensor &from, Tensor &to) {
  const T *source = from.as<T>();
  float *destination = to.as<float>();
  for (int64_t i = 0, n = from.elements(); i < n; ++i)
    destination[i] = float(source[i]);
}

Tensor toFloat32(const Tensor &tensor) {
  if (tensor.dtype() == DType::f32)
    return tensor;
  Tensor result(DType::f32, tensor.shape());
  switch (tensor.dtype()) {
  case DType::f32:
    break;
  case DType::i64:
    convert<int64_t>(tensor, result);
    break;
  case DType::i32:
    convert<int32_t>(tensor, result);
    break;
  case DType::i16:
    convert<int16_t>(tensor, result);
    break;
  case DType::u16:
    convert<uint16_t>(tensor, result);
    break;
  case DType::i8:
    convert<int8_t>(tensor, result);
    break;
  case DType::u8:
  case DType::boolean:
    convert<uint8_t>(tensor, result);
    break;
  case DType::f64:
    convert<double>(tensor, result);
    break;
  case DType::f16:
    for (int64_t i = 0, n = tensor.elements(); i < n; ++i)
      result.as<float>()[i] = fromHalf(tensor.as<uint16_t>()[i]);
    break;
  }
  return result;
}

} // namespace sparsam::runtime
