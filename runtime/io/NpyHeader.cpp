// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- NpyHeader.cpp - the header of an array in .npy form ----------------===//
//
// The header's text is a Python literal, {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4),
// }. Only literals of this form are read; nothing is evaluated.
//

#include "runtime/io/NpyHeader.h"

#include "runtime/support/Text.h"

#include <array>
#include <cstring>
#include <optional>
#include <string_view>

namespace sparsam::runtime {

static constexpr uint8_t kMagic[6] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
static constexpr size_t kMaxDimensions = 32; // NumPy's own limit
static constexpr const char *kDescriptors[] = {"<f4", "<i8", "<i4", "|i1", "|u1",
                                               "|b1", "<f2", "<f8", "<i2", "<u2"};

Result<uint64_t> npyHeaderBytes(std::span<const uint8_t> preamble) {
  if (preamble.size() < 10 || std::memcmp(preamble.data(), kMagic, sizeof kMagic) != 0)
    return makeError("it does not start as a .npy array");
  unsigned major = preamble[6];
  if (major < 1 || major > 3)
    return makeError("format version ", major, " is not supported; versions 1 to 3 are");
  uint64_t length = preamble[8] | uint64_t(preamble[9]) << 8;
  if (major == 1)
    return 10 + length;
  if (preamble.size() < kNpyPreambleBytes)
    return makeError("it ends inside of the header");
  length |= uint64_t(preamble[10]) << 16 | uint64_t(preamble[11]) << 24;
  if (length > kNpyMaxHeaderBytes)
    return makeError("its header of ", length, " bytes is longer than the limit of ",
                     kNpyMaxHeaderBytes);
  return kNpyPreambleBytes + length;
}

namespace {

/// Reads the literal token by token; every function returns nothing at the first surprise.
class LiteralReader {
public:
  explicit LiteralReader(std::string_view text) : text_(text) {}

  bool accept(char c) {
    skipSpace();
    if (text_.empty() || text_.front() != c)
      return false;
    text_.remove_prefix(1);
    return true;
  }
  bool peek(char c) {
    skipSpace();
    return !text_.empty() && text_.front() == c;
  }
  bool atEnd() {
    skipSpace();
    return text_.empty();
  }
  std::optional<std::string> quoted() {
    skipSpace();
    if (text_.empty() || (text_.front() != '\'' && text_.front() != '"'))
      return std::nullopt;
    size_t end = text_.find(text_.front(), 1);
    if (end == text_.npos)
      return std::nullopt;
    std::string value(text_.substr(1, end - 1));
    text_.remove_prefix(end + 1);
    return value;
  }
  std::string_view word() {
    skipSpace();
    size_t end = text_.find_first_of(",:(){}[]'\" \t\n");
    std::string_view value = text_.substr(0, end);
    text_.remove_prefix(value.size());
    return value;
  }

private:
  void skipSpace() {
    size_t start = text_.find_first_not_of(" \t\n");
    text_.remove_prefix(start == text_.npos ? text_.size() : start);
  }
  std::string_view text_;
};

} // namespace

static Result<DType> parseDescriptor(LiteralReader &reader) {
  if (reader.peek('['))
    return makeError("structured arrays are not supported; save one plain array per field");
  std::optional<std::string> descr = reader.quoted();
  if (!descr)
    return makeError("its header has no readable 'descr'");
  std::string wanted = *descr;
  if (wanted.size() == 3 && wanted[0] == '=')
    wanted[0] = '<';
  for (unsigned i = 0; i < std::size(kDescriptors); ++i)
    if (wanted == kDescriptors[i] || (kDescriptors[i][0] == '|' && wanted.size() == 3 &&
                                      wanted.substr(1) == kDescriptors[i] + 1))
      return DType(i);
  if (wanted.find('O') != wanted.npos)
    return makeError(
        "it holds pickled Python objects, which are never loaded; save a plain numeric array");
  if (!wanted.empty() && wanted[0] == '>')
    return makeError("big-endian dtype '", printable(wanted),
                     "' is not supported; convert it to little-endian");
  return makeError("dtype '", printable(wanted),
                   "' is not supported; use float32, float64, float16, int64, int32, "
                   "int16, int8, uint16, uint8 or bool");
}

static Result<Shape> parseShape(LiteralReader &reader) {
  Error bad = makeError("its header has no readable 'shape'");
  if (!reader.accept('('))
    return bad;
  Shape shape;
  while (!reader.accept(')')) {
    std::optional<int64_t> dim = parseInteger(reader.word());
    if (!dim)
      return bad;
    if (*dim < 0)
      return makeError("its shape has the negative dimension ", *dim);
    shape.push_back(*dim);
    if (shape.size() > kMaxDimensions)
      return makeError("its shape has more than ", kMaxDimensions, " dimensions");
    if (!reader.accept(',') && !reader.peek(')'))
      return bad;
  }
  return shape;
}

/// Reads one `key: value` pair into `header`; `seen` has a flag per key.
static Status parseEntry(LiteralReader &reader, NpyHeader &header, std::array<bool, 3> &seen) {
  std::optional<std::string> key = reader.quoted();
  if (!key || !reader.accept(':'))
    return makeError("its header is not a dictionary literal");
  unsigned index = *key == "descr" ? 0 : *key == "fortran_order" ? 1 : *key == "shape" ? 2 : 3;
  if (index == 3 || seen[index])
    return makeError("its header has the unexpected key '", printable(*key), "'");
  seen[index] = true;
  if (index == 0) {
    auto dtype = parseDescriptor(reader);
    if (!dtype)
      return dtype.error();
    header.dtype = *dtype;
  } else if (index == 1) {
    std::string_view word = reader.word();
    if (word != "True" && word != "False")
      return makeError("its header has no readable 'fortran_order'");
    header.isFortranOrder = word == "True";
  } else {
    auto shape = parseShape(reader);
    if (!shape)
      return shape.error();
    header.shape = shape.take();
  }
  return Status();
}

Result<NpyHeader> parseNpyHeader(std::span<const uint8_t> bytes) {
  Result<uint64_t> length = npyHeaderBytes(bytes);
  if (!length)
    return length.error();
  if (bytes.size() < *length)
    return makeError("it ends inside of the header");
  NpyHeader header;
  header.headerBytes = *length;
  uint64_t textStart = bytes[6] == 1 ? 10 : kNpyPreambleBytes;
  LiteralReader reader(
      {reinterpret_cast<const char *>(bytes.data()) + textStart, size_t(*length - textStart)});
  if (!reader.accept('{'))
    return makeError("its header is not a dictionary literal");
  std::array<bool, 3> seen{};
  while (!reader.accept('}')) {
    if (Status status = parseEntry(reader, header, seen); !status)
      return status.error();
    if (!reader.accept(',') && !reader.peek('}'))
      return makeError("its header is not a dictionary literal");
  }
  if (!reader.atEnd())
    return makeError("its header has text after the dictionary");
  if (!seen[0] || !seen[1] || !seen[2])
    return makeError("its header lacks 'descr', 'fortran_order' or 'shape'");
  std::optional<uint64_t> dataBytes = checkedBytes(header.dtype, header.shape);
  if (!dataBytes)
    return makeError("its shape ", toString(header.shape), " is too large");
  header.dataBytes = *dataBytes;
  return header;
}

std::string makeNpyHeader(DType dtype, const Shape &shape) {
  std::string text = std::string("{'descr': '") + kDescriptors[unsigned(dtype)] +
                     "', 'fortran_order': False, 'shape': (";
  for (size_t i = 0; i < shape.size(); ++i)
    text += std::to_string(shape[i]) + (i + 1 < shape.size() ? ", " : shape.size() == 1 ? "," : "");
  text += "), }";
  // NumPy pads with blanks to a multiple of 64 and ends with a line feed.
  size_t total = (10 + text.size() + 1 + 63) / 64 * 64;
  text.append(total - 10 - text.size() - 1, ' ');
  text += '\n';
  std::string header(reinterpret_cast<const char *>(kMagic), sizeof kMagic);
  header += {char(1), char(0), char(text.size() & 0xff), char(text.size() >> 8)};
  return header + text;
}

Tensor fromFortranOrder(const Tensor &tensor) {
  Tensor result(tensor.dtype(), tensor.shape());
  const Shape &shape = tensor.shape();
  unsigned width = byteWidth(tensor.dtype());
  std::vector<int64_t> strides(shape.size()), index(shape.size());
  int64_t stride = 1;
  for (size_t d = 0; d < shape.size(); ++d) {
    strides[d] = stride;
    stride *= shape[d];
  }
  const char *source = tensor.as<char>();
  char *destination = result.as<char>();
  int64_t offset = 0;
  for (int64_t i = 0, n = tensor.elements(); i < n; ++i) {
    std::memcpy(destination + i * width, source + offset * width, width);
    for (size_t d = shape.size(); d-- > 0;) {
      offset += strides[d];
      if (++index[d] < shape[d])
        break;
      offset -= strides[d] * shape[d];
      index[d] = 0;
    }
  }
  return result;
}

} // namespace sparsam::runtime
