// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Npy.cpp - tensors in .npy files ------------------------------------===//
//
// The compiler does not link with the runtime, whose reader takes every form of the format; what
// the interpreter is given is written by numpy.save.

#include "Reference/Npy.h"

#include "mlir/IR/BuiltinTypes.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace sparsam::reference {

namespace {

struct NpyFile {
  StringRef description; ///< of the elements, such as "<f4"
  bool isFortran = false;
  SmallVector<int64_t> shape;
  ArrayRef<char> data;
};

} // namespace

/// What follows "'key': " in a header; empty if the key is not there.
static StringRef findValue(StringRef header, StringRef key) {
  size_t at = header.find(("'" + key + "':").str());
  return at == StringRef::npos ? StringRef() : header.drop_front(at + key.size() + 3).ltrim();
}

static std::optional<SmallVector<int64_t>> parseShape(StringRef text) {
  SmallVector<int64_t> shape;
  if (!text.consume_front("(") || !text.contains(')'))
    return std::nullopt;
  for (StringRef part : llvm::split(text.take_until([](char c) { return c == ')'; }), ',')) {
    int64_t extent = 0;
    if (part.trim().empty())
      continue; // behind the last comma
    if (part.trim().getAsInteger(10, extent) || extent < 0)
      return std::nullopt;
    shape.push_back(extent);
  }
  return shape;
}

/// Takes a file apart: 6 bytes of magic, 2 of version, the header's length in 2 or 4, header, data.
static std::optional<NpyFile> parse(StringRef bytes) {
  if (bytes.size() < 12 || !bytes.starts_with("\x93NUMPY"))
    return std::nullopt;
  const size_t field = bytes[6] == 1 ? 2 : 4;
  const uint64_t length = field == 2 ? llvm::support::endian::read16le(bytes.data() + 8)
                                     : llvm::support::endian::read32le(bytes.data() + 8);
  if (length > bytes.size() - 8 - field)
    return std::nullopt;
  StringRef header = bytes.substr(8 + field, length), rest = bytes.drop_front(8 + field + length);
  NpyFile file;
  StringRef description = findValue(header, "descr");
  std::optional<SmallVector<int64_t>> shape = parseShape(findValue(header, "shape"));
  if (!shape || !description.consume_front("'"))
    return std::nullopt;
  file.description = description.take_until([](char c) { return c == '\''; });
  file.isFortran = findValue(header, "fortran_order").starts_with("True");
  file.shape = std::move(*shape);
  file.data = ArrayRef<char>(rest.data(), rest.size());
  return file;
}

/// The description of elements of a type, as numpy.save writes it; empty if there is none.
static std::string describe(Type element) {
  if (element.isF32())
    return "<f4";
  auto integer = dyn_cast<IntegerType>(element);
  if (!integer || (integer.getWidth() != 1 && integer.getWidth() % 8 != 0))
    return "";
  if (integer.getWidth() == 1)
    return "|b1";
  const unsigned bytes = integer.getWidth() / 8;
  return (bytes == 1 ? "|" : "<") + std::string(integer.isUnsigned() ? "u" : "i") +
         std::to_string(bytes);
}

static std::string toText(ArrayRef<int64_t> shape) {
  return "(" +
         llvm::join(llvm::map_range(shape, [](int64_t extent) { return std::to_string(extent); }),
                    ", ") +
         ")";
}

static DenseElementsAttr toAttribute(RankedTensorType type, ArrayRef<char> bytes) {
  if (!type.getElementType().isInteger(1))
    return DenseElementsAttr::getFromRawBuffer(type, bytes);
  return DenseElementsAttr::get(type,
                                llvm::map_to_vector(bytes, [](char byte) { return byte != 0; }));
}

FailureOr<DenseElementsAttr> readNpy(const std::string &path, Type type, Location loc) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  const std::string expected = tensor ? describe(tensor.getElementType()) : "";
  if (expected.empty() || !tensor.hasStaticShape())
    return emitError(loc) << "cannot read " << path << ": there are no files of " << type;
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
  if (!buffer)
    return emitError(loc) << "cannot read " << path << ": " << buffer.getError().message();
  std::optional<NpyFile> file = parse((*buffer)->getBuffer());
  if (!file)
    return emitError(loc) << path << " is no .npy file";
  if (file->description != expected || file->shape != tensor.getShape() || file->isFortran)
    return emitError(loc) << path << " holds '" << file->description << "' of shape "
                          << toText(file->shape) << (file->isFortran ? " in Fortran order" : "")
                          << ", but " << type << " needs '" << expected << "' of shape "
                          << toText(tensor.getShape());
  const unsigned bits = tensor.getElementTypeBitWidth();
  const uint64_t needed = uint64_t(tensor.getNumElements()) * llvm::divideCeil(bits, 8);
  if (file->data.size() != needed)
    return emitError(loc) << path << " has " << file->data.size()
                          << " bytes of data, but its shape "
                          << "needs " << needed;
  return toAttribute(tensor, file->data);
}

/// The elements of `data`, `bytes` each, little-endian.
static std::string toBytes(const Data &data, unsigned bytes) {
  std::string result;
  auto append = [&](auto value) {
    result.append(reinterpret_cast<const char *>(&value), std::min<size_t>(bytes, sizeof value));
  };
  std::visit(
      [&](const auto &values) {
        if constexpr (std::is_same_v<std::decay_t<decltype(values)>, sattn::semantics::Floats>)
          llvm::for_each(values.data, append);
        else if constexpr (!std::is_same_v<std::decay_t<decltype(values)>, Packed>)
          for (auto value : values.data)
            append(int64_t(value));
      },
      data);
  return result;
}

LogicalResult writeNpy(const std::string &path, const Data &data, Type type, Location loc) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  const std::string description = tensor ? describe(tensor.getElementType()) : "";
  if (description.empty())
    return emitError(loc) << "cannot write " << path << ": there are no files of " << type;
  std::string header = "{'descr': '" + description + "', 'fortran_order': False, 'shape': (";
  for (int64_t extent : tensor.getShape())
    header += std::to_string(extent) + ", ";
  header += "), }";
  // The data begins at a multiple of 64 bytes, behind 10 of magic, version and length.
  constexpr size_t kBefore = 10, kAlignment = 64;
  header.resize(llvm::alignTo(kBefore + header.size() + 1, kAlignment) - kBefore - 1, ' ');
  header += '\n';
  std::error_code error;
  llvm::raw_fd_ostream file(path, error);
  if (!error) {
    file << StringRef("\x93NUMPY\x01\x00", 8) << char(header.size() % 256)
         << char(header.size() / 256) << header
         << toBytes(data, llvm::divideCeil(tensor.getElementTypeBitWidth(), 8));
    file.close();
    error = file.error();
    file.clear_error();
  }
  if (error)
    return emitError(loc) << "cannot write " << path << ": " << error.message();
  return success();
}

} // namespace sparsam::reference
