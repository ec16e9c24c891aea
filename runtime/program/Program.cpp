// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Program.cpp - loads and validates a program file -------------------===//

#include "runtime/program/Program.h"

#include "runtime/program/ProgramChecker.h"
#include "runtime/program/Program_generated.h"

#include <cstring>

namespace sparsam::runtime {

/// FlatBuffers reads 64-bit numbers in place.
static constexpr uint64_t kTableAlignment = 8;
/// Deeper tables than the schema has are hostile.
static constexpr flatbuffers::uoffset_t kMaxTableDepth = 16, kMaxTables = 10'000'000;

/// True if [offset, offset + bytes) lies inside of a file of `size` bytes.
static bool isInside(uint64_t offset, uint64_t bytes, uint64_t size) {
  return offset <= size && bytes <= size - offset;
}

/// Reads and checks the frame; the message does not name the file.
static Result<ProgramHeader> readHeader(std::span<const uint8_t> bytes) {
  ProgramHeader header;
  if (bytes.size() < sizeof header)
    return makeError("a program file has at least ", sizeof header, " bytes, this one has ",
                     bytes.size());
  std::memcpy(&header, bytes.data(), sizeof header);
  if (std::memcmp(header.magic, ProgramHeader::kMagic, sizeof header.magic) != 0)
    return makeError("it does not start as a program file");
  if (header.version != ProgramHeader::kVersion)
    return makeError("it has version ", header.version, ", this build reads version ",
                     ProgramHeader::kVersion, "; compile the model again");
  if (header.reserved != 0)
    return makeError("its reserved header field is not 0");
  if (header.tableOffset < sizeof header ||
      !isInside(header.tableOffset, header.tableBytes, bytes.size()))
    return makeError("its table [", header.tableOffset, ", +", header.tableBytes,
                     ") does not lie inside of its ", bytes.size(),
                     " bytes; the file is damaged or cut off");
  if (!isInside(header.dataOffset, header.dataBytes, bytes.size()))
    return makeError("its data sections [", header.dataOffset, ", +", header.dataBytes,
                     ") do not lie inside of its ", bytes.size(),
                     " bytes; the file is damaged or cut off");
  if (header.dataOffset % ProgramHeader::kAlignment != 0)
    return makeError("its data sections start at ", header.dataOffset, ", which is no multiple of ",
                     ProgramHeader::kAlignment);
  if ((reinterpret_cast<uintptr_t>(bytes.data()) + header.tableOffset) % kTableAlignment != 0)
    return makeError("its table starts at ", header.tableOffset, ", which is no multiple of ",
                     kTableAlignment);
  return header;
}

Result<std::shared_ptr<const Program>> Program::load(const std::string &path) {
  auto file = MappedFile::open(path);
  if (!file)
    return file.error();
  std::span<const uint8_t> bytes = (*file)->bytes();
  return fromBytes(bytes, file.take(), path);
}

Result<std::shared_ptr<const Program>> Program::fromBytes(std::span<const uint8_t> bytes,
                                                          std::shared_ptr<void> owner,
                                                          const std::string &name) {
  Result<ProgramHeader> header = readHeader(bytes);
  if (!header)
    return makeError("cannot load program ", name, ": ", header.error().message);
  const uint8_t *table = bytes.data() + header->tableOffset;
  flatbuffers::Verifier verifier(table, header->tableBytes, kMaxTableDepth, kMaxTables);
  if (header->tableBytes >= FLATBUFFERS_MAX_BUFFER_SIZE || !program::VerifyProgramBuffer(verifier))
    return makeError("cannot load program ", name, ": its table is damaged");
  std::shared_ptr<Program> result(new Program());
  result->table_ = program::GetProgram(table);
  result->data_ = bytes.subspan(header->dataOffset, header->dataBytes);
  result->owner_ = std::move(owner);
  result->name_ = name;
  if (Status status = checkProgram(*result->table_, header->dataBytes); !status)
    return makeError("cannot load program ", name, ": ", status.error().message);
  return std::shared_ptr<const Program>(std::move(result));
}

std::span<const uint8_t> Program::constant(unsigned index) const {
  const program::Tensor *tensor = table_->tensors()->Get(index);
  assert(tensor->kind() == program::TensorKind::constant && "only constants have data in the file");
  return data_.subspan(tensor->offset(), tensor->bytes());
}

TensorView viewOf(const program::Tensor &tensor) {
  TensorView view{DType(tensor.dtype()), {}, nullptr};
  if (tensor.shape())
    view.shape.assign(tensor.shape()->begin(), tensor.shape()->end());
  return view;
}

} // namespace sparsam::runtime
