// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- WireFormat.cpp - find weights in a serialized model ----------------===//

#include "WireFormat.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"

#include <initializer_list>

using namespace llvm;

namespace sparsam {

namespace {

enum class Message { model, graph, node, attribute, tensor };

/// Messages that lead to a tensor: the field `number` of `parent` holds a `child`. Subgraphs are
/// not followed: no operator that is supported has one.
struct Path {
  Message parent;
  uint32_t number;
  Message child;
};
constexpr Path paths[] = {
    {Message::model, 7, Message::graph},      {Message::graph, 5, Message::tensor},
    {Message::graph, 1, Message::node},       {Message::node, 5, Message::attribute},
    {Message::attribute, 5, Message::tensor},
};
constexpr uint32_t docStringField = 12;
/// Data up to this size stays in the reduced model, where it costs less than a range.
constexpr uint64_t inlineBytes = 64;

enum WireType : uint32_t { varint = 0, fixed64 = 1, lengthDelimited = 2, fixed32 = 5 };

/// One field: the bytes from its tag to its end, and its payload.
struct Field {
  uint32_t number;
  WireType type;
  uint64_t begin;
  uint64_t payload;
  uint64_t end;
};

class Reducer {
public:
  explicit Reducer(ArrayRef<char> bytes) : bytes(bytes) {}

  /// Appends the reduced message in [begin, end) to `out`.
  Error reduce(Message message, uint64_t begin, uint64_t end, std::string &out);

private:
  Error readVarint(uint64_t &position, uint64_t end, uint64_t &value) const;
  Error readField(uint64_t position, uint64_t end, Field &field) const;
  Error reduceField(Message message, const Field &field, std::string &out);
  void reduceTensorField(const Field &field, std::string &out);
  void append(const Field &field, std::string &out) const {
    out.append(bytes.data() + field.begin, field.end - field.begin);
  }

  ArrayRef<char> bytes;
  /// Of the tensor being reduced: the data left out, and whether float_data or double_data
  /// occurred.
  std::optional<Field> held;
  bool seenTyped = false;
};

} // namespace

static void appendVarint(uint64_t value, std::string &out) {
  for (; value >= 0x80; value >>= 7)
    out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

static void appendBytes(uint32_t number, StringRef payload, std::string &out) {
  appendVarint(number << 3 | lengthDelimited, out);
  appendVarint(payload.size(), out);
  out.append(payload.data(), payload.size());
}

static Error makeError(const Twine &what, uint64_t offset) {
  return createStringError(what + " at byte " + Twine(offset));
}

Error Reducer::readVarint(uint64_t &position, uint64_t end, uint64_t &value) const {
  value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (position == end)
      return makeError("a number is cut off", position);
    auto byte = static_cast<uint8_t>(bytes[position++]);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (!(byte & 0x80))
      return Error::success();
  }
  return makeError("a number has more than 64 bits", position);
}

Error Reducer::readField(uint64_t position, uint64_t end, Field &field) const {
  field.begin = position;
  uint64_t tag, length;
  if (Error error = readVarint(position, end, tag))
    return error;
  field.type = static_cast<WireType>(tag & 7);
  if (tag >> 3 == 0 || tag >> 32 != 0)
    return makeError("an impossible field number", field.begin);
  field.number = static_cast<uint32_t>(tag >> 3);
  switch (tag & 7) {
  case varint:
    field.payload = position;
    if (Error error = readVarint(position, end, length))
      return error;
    length = 0;
    break;
  case fixed64:
    length = 8;
    break;
  case fixed32:
    length = 4;
    break;
  case lengthDelimited:
    if (Error error = readVarint(position, end, length))
      return error;
    break;
  default:
    return makeError("an unknown wire type", field.begin);
  }
  if (length > end - position)
    return makeError("field " + Twine(field.number) + " of " + Twine(length) + " bytes is cut off",
                     field.begin);
  if (field.type != varint)
    field.payload = position;
  field.end = position + length;
  return Error::success();
}

Error Reducer::reduceField(Message message, const Field &field, std::string &out) {
  const Path *path =
      field.type != lengthDelimited ? std::end(paths) : find_if(paths, [&](const Path &path) {
        return path.parent == message && path.number == field.number;
      });
  if (path != std::end(paths)) {
    std::string child;
    if (Error error = reduce(path->child, field.payload, field.end, child))
      return error;
    appendBytes(field.number, child, out);
    return Error::success();
  }
  if (message == Message::tensor)
    reduceTensorField(field, out);
  else
    append(field, out);
  return Error::success();
}

// Of `raw_data` the last one counts; the parts of a repeated field are concatenated, so only a
// single one is left out.
void Reducer::reduceTensorField(const Field &field, std::string &out) {
  bool raw = field.number == uint32_t(DataField::raw);
  bool typed =
      field.number == uint32_t(DataField::floats) || field.number == uint32_t(DataField::doubles);
  if (field.number == docStringField)
    return;
  if (held && (raw || typed)) {
    if (held->number != uint32_t(DataField::raw) || typed)
      append(*held, out);
    held.reset();
  }
  bool large = field.type == lengthDelimited && field.end - field.payload > inlineBytes;
  if (large && (raw || (typed && !seenTyped)))
    held = field;
  else
    append(field, out);
  seenTyped |= typed;
}

Error Reducer::reduce(Message message, uint64_t begin, uint64_t end, std::string &out) {
  held.reset();
  seenTyped = false;
  for (uint64_t position = begin; position < end;) {
    Field field;
    if (Error error = readField(position, end, field))
      return error;
    if (Error error = reduceField(message, field, out))
      return error;
    position = field.end;
  }
  if (message == Message::tensor && held) {
    uint64_t length = held->end - held->payload;
    std::string place =
        (Twine(held->number) + "," + Twine(held->payload) + "," + Twine(length)).str();
    appendBytes(docStringField, place, out);
  }
  return Error::success();
}

Expected<ReducedModel> reduceModel(ArrayRef<char> model) {
  ReducedModel reduced;
  if (Error error = Reducer(model).reduce(Message::model, 0, model.size(), reduced.bytes))
    return std::move(error);
  return reduced;
}

std::optional<DataRange> getDataRange(StringRef docString) {
  DataRange range;
  uint32_t field;
  auto [number, place] = docString.split(',');
  auto [offset, bytes] = place.split(',');
  if (number.getAsInteger(10, field) || offset.getAsInteger(10, range.offset) ||
      bytes.getAsInteger(10, range.bytes))
    return std::nullopt;
  range.field = static_cast<DataField>(field);
  return range;
}

} // namespace sparsam
