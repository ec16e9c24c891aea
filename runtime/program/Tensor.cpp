// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Tensor.cpp - dense tensors in host memory --------------------------===//

#include "runtime/program/Tensor.h"

#include <cassert>
#include <cstdlib>
#include <new>

namespace sparsam::runtime {

/// Tensors start at such addresses, so that vector loads and oneDNN find them aligned.
static constexpr uint64_t kTensorAlignment = 64;
/// More than a host has: larger claims are refused without asking the allocator.
static constexpr uint64_t kMaxTensorBytes = uint64_t(1) << 39;

unsigned byteWidth(DType dtype) {
  constexpr unsigned widths[] = {4, 8, 4, 1, 1, 1, 2, 8, 2, 2};
  return widths[unsigned(dtype)];
}

const char *name(DType dtype) {
  constexpr const char *names[] = {"float32", "int64",   "int32",   "int8",  "uint8",
                                   "bool",    "float16", "float64", "int16", "uint16"};
  return names[unsigned(dtype)];
}

int64_t elementCount(const Shape &shape) {
  int64_t count = 1;
  for (int64_t dim : shape)
    count *= dim;
  return count;
}

std::optional<uint64_t> checkedBytes(DType dtype, const Shape &shape) {
  bool isEmpty = false;
  uint64_t bytes = byteWidth(dtype);
  for (int64_t dim : shape) {
    if (dim < 0)
      return std::nullopt;
    isEmpty |= dim == 0;
    if (dim > 0 && __builtin_mul_overflow(bytes, uint64_t(dim), &bytes))
      return std::nullopt;
  }
  if (bytes > uint64_t(1) << 62)
    return std::nullopt;
  return isEmpty ? 0 : bytes;
}

std::string toString(const Shape &shape) {
  std::string text;
  for (int64_t dim : shape)
    text += (text.empty() ? "" : "x") + std::to_string(dim);
  return text.empty() ? "scalar" : text;
}

Tensor::Tensor(DType dtype, Shape shape) {
  std::optional<Tensor> tensor = tryAllocate(dtype, std::move(shape));
  if (!tensor)
    throw std::bad_alloc();
  *this = std::move(*tensor);
}

std::optional<Tensor> Tensor::tryAllocate(DType dtype, Shape shape) {
  std::optional<uint64_t> bytes = checkedBytes(dtype, shape);
  if (!bytes || *bytes > kMaxTensorBytes)
    return std::nullopt;
  // calloc gives pages that are zero without being touched.
  void *block = std::calloc(*bytes + 2 * kTensorAlignment, 1);
  if (!block)
    return std::nullopt;
  uint64_t address =
      (reinterpret_cast<uint64_t>(block) + kTensorAlignment - 1) & ~(kTensorAlignment - 1);
  Tensor tensor;
  tensor.storage_ = std::shared_ptr<void>(block, std::free);
  tensor.view_ = {dtype, std::move(shape), reinterpret_cast<void *>(address)};
  return tensor;
}

} // namespace sparsam::runtime
