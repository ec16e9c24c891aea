// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- MaskTrace.cpp - recorded selections and their file form ------------===//

#include "runtime/kernel/MaskTrace.h"

#include "runtime/io/File.h"
#include "runtime/io/Npy.h"

#include <algorithm>
#include <array>
#include <bit>

namespace sparsam::runtime {

BitTensor::BitTensor(int64_t batch, int64_t heads, int64_t queries, int64_t keys)
    : batch_(batch), heads_(heads), queries_(queries), keys_(keys), wordsPerRow_((keys + 63) / 64),
      words_(size_t(batch * heads * queries * wordsPerRow_)) {}

int64_t BitTensor::count() const {
  int64_t total = 0;
  for (uint64_t word : words_)
    total += std::popcount(word);
  return total;
}

using Dims = std::array<int64_t, 4>;

static std::string text(const Dims &dims) { return toString(Shape(dims.begin(), dims.end())); }

bool MaskTrace::isMask(const std::string &name) const {
  for (size_t dot = name.find('.'); dot != name.npos; dot = name.find('.', dot + 1))
    if (kernels.count(name.substr(0, dot)))
      return false;
  return true;
}

/// Refuses shapes whose bit tensor could not be held; `bytes` is what the file really has.
static Status checkDims(const Dims &dims, uint64_t bytes) {
  Shape shape(dims.begin(), dims.end());
  if (std::any_of(dims.begin(), dims.end(), [](int64_t d) { return d < 1; }) ||
      !checkedBytes(DType::f64, shape))
    return makeError("shape ", toString(shape),
                     " is not that of a mask [batch, heads, queries, keys]");
  // One file byte holds at most eight pairs.
  if (checkedBytes(DType::u8, shape).value() / 8 > bytes)
    return makeError("shape ", toString(shape), " has more pairs than the ", bytes,
                     " bytes of the array");
  return Status();
}

/// Bit i (counted from the most significant bit of each byte) of `bytes`.
static bool packedBit(const uint8_t *bytes, int64_t i) { return bytes[i / 8] >> (7 - i % 8) & 1; }

/// Reverses the bits of a byte: files are most significant bit first, words here are least
/// significant bit first.
static uint8_t reversed(uint8_t b) {
  b = uint8_t((b & 0xf0) >> 4 | (b & 0x0f) << 4);
  b = uint8_t((b & 0xcc) >> 2 | (b & 0x33) << 2);
  return uint8_t((b & 0xaa) >> 1 | (b & 0x55) << 1);
}

/// From rows padded to whole bytes.
static Result<BitTensor> fromPaddedRows(const Tensor &tensor, const Dims &dims) {
  if (Status status = checkDims(dims, tensor.bytes()); !status)
    return status.error();
  int64_t rowBytes = (dims[3] + 7) / 8;
  int64_t wanted = dims[0] * dims[1] * dims[2] * rowBytes;
  if (tensor.dtype() != DType::u8 || tensor.elements() != wanted)
    return makeError("a mask of shape ", text(dims), " needs ", wanted, " packed uint8, got ",
                     tensor.elements(), " ", name(tensor.dtype()));
  BitTensor bits(dims[0], dims[1], dims[2], dims[3]);
  const uint8_t *source = tensor.as<uint8_t>();
  for (int64_t head = 0; head < dims[0] * dims[1]; ++head)
    for (int64_t query = 0; query < dims[2]; ++query, source += rowBytes) {
      std::span<uint64_t> row = bits.row(head, query);
      for (int64_t b = 0; b < rowBytes; ++b)
        row[b / 8] |= uint64_t(reversed(source[b])) << (b % 8 * 8);
      if (dims[3] % 64)
        row.back() &= (uint64_t(1) << dims[3] % 64) - 1;
    }
  return bits;
}

/// From one byte per pair (bool), or bits without row padding.
template <typename IsSet> static BitTensor fromPairs(const Dims &dims, IsSet isSet) {
  BitTensor bits(dims[0], dims[1], dims[2], dims[3]);
  int64_t i = 0;
  for (int64_t head = 0; head < dims[0] * dims[1]; ++head)
    for (int64_t query = 0; query < dims[2]; ++query)
      for (int64_t key = 0; key < dims[3]; ++key)
        if (isSet(i++))
          bits.set(head, query, key);
  return bits;
}

static Result<BitTensor> fromBools(const Tensor &tensor) {
  Shape shape = tensor.shape();
  if (shape.size() == 3)
    shape.insert(shape.begin(), 1);
  if (shape.size() != 4)
    return makeError("masks must be [batch, heads, queries, keys] or [heads, queries, keys], got ",
                     toString(tensor.shape()));
  Dims dims{shape[0], shape[1], shape[2], shape[3]};
  if (Status status = checkDims(dims, tensor.bytes()); !status)
    return status.error();
  const uint8_t *source = tensor.as<uint8_t>();
  return fromPairs(dims, [&](int64_t i) { return source[i] != 0; });
}

static Result<BitTensor> fromPacked(const Tensor &tensor, const std::vector<int64_t> &shape) {
  if (shape.size() != 4)
    return makeError(
        "the packed shape must have four dimensions [batch, heads, queries, keys], got ",
        shape.size());
  Dims dims{shape[0], shape[1], shape[2], shape[3]};
  if (Status status = checkDims(dims, tensor.bytes()); !status)
    return status.error();
  int64_t wanted = (dims[0] * dims[1] * dims[2] * dims[3] + 7) / 8;
  if (tensor.dtype() != DType::u8 || tensor.elements() != wanted)
    return makeError("packed masks of shape ", text(dims), " need ", wanted, " uint8, got ",
                     tensor.elements(), " ", name(tensor.dtype()));
  const uint8_t *source = tensor.as<uint8_t>();
  return fromPairs(dims, [&](int64_t i) { return packedBit(source, i); });
}

static Result<BitTensor> fromNpy(const Tensor &tensor, const std::vector<int64_t> &packedShape) {
  if (!packedShape.empty())
    return fromPacked(tensor, packedShape);
  if (tensor.dtype() == DType::boolean)
    return fromBools(tensor);
  return makeError(
      "masks must be bool, got ", name(tensor.dtype()),
      "; bit-packed uint8 masks need their shape (--packed-shape batch,heads,queries,keys)");
}

static constexpr std::string_view kShapeSuffix = ".shape";

/// One array of a trace: padded rows with a `.shape` array beside, or plain bool.
static Result<BitTensor> fromTraceEntry(const std::string &name, const Tensor &tensor,
                                        const TensorMap &tensors) {
  auto shape = tensors.find(name + std::string(kShapeSuffix));
  if (shape == tensors.end() && tensor.dtype() == DType::boolean)
    return fromBools(tensor);
  if (shape == tensors.end() && std::string_view(name).ends_with(kShapeSuffix))
    return makeError("the archive has no array '",
                     name.substr(0, name.size() - kShapeSuffix.size()), "', whose shape this is");
  if (shape == tensors.end())
    return makeError("the archive has no array '", name, kShapeSuffix, "'");
  if (shape->second.dtype() != DType::i64 || shape->second.shape() != Shape{4})
    return makeError("array '", name, kShapeSuffix, "' must hold four int64");
  const int64_t *dims = shape->second.as<int64_t>();
  return fromPaddedRows(tensor, Dims{dims[0], dims[1], dims[2], dims[3]});
}

/// Arrays of an archive that `attention` wrote.
static const std::string kMask = "mask", kOut = "out";

static Result<MaskTrace> readTrace(const std::string &path) {
  Result<TensorMap> tensors = readNpz(path);
  if (!tensors)
    return tensors.error();
  MaskTrace trace;
  // What `attention -o` writes: the mask, and the output beside it.
  if (tensors->count(kMask) && tensors->count(kOut))
    tensors->erase(kOut);
  for (const auto &[name, tensor] : *tensors) {
    if (std::string_view(name).ends_with(kShapeSuffix) &&
        tensors->count(name.substr(0, name.size() - kShapeSuffix.size())))
      continue;
    auto bits = fromTraceEntry(name, tensor, *tensors);
    if (!bits)
      return makeError("cannot read masks '", name, "' of ", path, ": ", bits.error().message);
    trace.kernels[name] = bits.take();
  }
  return trace;
}

Result<MaskTrace> readMasks(const std::string &path, const std::vector<int64_t> &packedShape) {
  auto file = MappedFile::open(path);
  if (!file)
    return file.error();
  std::span<const uint8_t> bytes = (*file)->bytes();
  if (bytes.size() >= 2 && bytes[0] == 'P' && bytes[1] == 'K')
    return readTrace(path);
  Result<Tensor> tensor = readNpy(path);
  if (!tensor)
    return tensor.error();
  auto bits = fromNpy(*tensor, packedShape);
  if (!bits)
    return makeError("cannot read masks of ", path, ": ", bits.error().message);
  MaskTrace trace;
  trace.kernels["masks"] = bits.take();
  return trace;
}

Status writeMasks(const std::string &path, const MaskTrace &trace) {
  TensorMap tensors;
  for (const auto &[name, bits] : trace.kernels) {
    int64_t rowBytes = (bits.keys() + 7) / 8;
    Tensor packed(DType::u8, {bits.batch(), bits.heads(), bits.queries(), rowBytes});
    uint8_t *out = packed.as<uint8_t>();
    for (int64_t head = 0; head < bits.batch() * bits.heads(); ++head)
      for (int64_t query = 0; query < bits.queries(); ++query)
        for (int64_t b = 0; b < rowBytes; ++b)
          *out++ = reversed(uint8_t(bits.row(head, query)[b / 8] >> (b % 8 * 8)));
    Tensor shape(DType::i64, {4});
    int64_t *dims = shape.as<int64_t>();
    dims[0] = bits.batch(), dims[1] = bits.heads(), dims[2] = bits.queries(), dims[3] = bits.keys();
    tensors[name] = packed;
    tensors[name + std::string(kShapeSuffix)] = shape;
  }
  return writeNpz(path, tensors);
}

} // namespace sparsam::runtime
