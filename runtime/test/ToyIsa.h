// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ToyIsa.h - a small instruction set and programs in it --------------===//
//
// Three instructions, as sparsam-tblgen would generate them: enough for every kind of operand.
//
#ifndef SPARSAM_RUNTIME_TEST_TOYISA_H
#define SPARSAM_RUNTIME_TEST_TOYISA_H

#include "runtime/kernel/Sequencer.h"
#include "runtime/program/Program.h"
#include "runtime/program/Program_generated.h"

#include <cstring>
#include <numeric>

namespace sparsam::runtime::toy {

/// word 0: opcode | 2 << 8; word 1: source | destination << 16.
struct Load {
  static constexpr uint8_t kOpcode = 0x10;
  uint16_t source, destination;
};
/// word 0: opcode | 1 << 8 | register << 16.
struct Count {
  static constexpr uint8_t kOpcode = 0x11;
  uint8_t result;
};
/// word 0: opcode | 2 << 8; word 1: buffer | number << 16; the number may be absent.
struct Use {
  static constexpr uint8_t kOpcode = 0x12;
  uint16_t buffer, number;
};

struct Isa {
  using Instruction = std::variant<Load, Count, Use>;

  static Status decode(std::span<const uint32_t> words, Instruction &out) {
    uint8_t opcode = words[0] & 0xff;
    size_t wanted = opcode == Count::kOpcode ? 1 : 2;
    if (opcode < Load::kOpcode || opcode > Use::kOpcode)
      return makeError("opcode ", int(opcode), " does not exist");
    if (words.size() != wanted)
      return makeError("opcode ", int(opcode), " takes ", wanted, " words");
    if (opcode == Load::kOpcode)
      out = Load{uint16_t(words[1]), uint16_t(words[1] >> 16)};
    else if (opcode == Count::kOpcode)
      out = Count{uint8_t(words[0] >> 16)};
    else
      out = Use{uint16_t(words[1]), uint16_t(words[1] >> 16)};
    return Status();
  }
  template <typename F> static void operands(const Instruction &instruction, F f) {
    if (const Load *load = std::get_if<Load>(&instruction)) {
      f(OperandKind::tile, "dram", load->source);
      f(OperandKind::tile, "buffer", load->destination);
    } else if (const Count *count = std::get_if<Count>(&instruction)) {
      f(OperandKind::counterResult, "", count->result);
    } else {
      f(OperandKind::tile, "buffer", std::get<Use>(instruction).buffer);
      f(OperandKind::index, "", std::get<Use>(instruction).number);
    }
  }
  static std::string disassemble(const Instruction &instruction) {
    if (const Load *load = std::get_if<Load>(&instruction))
      return "toy.load d" + std::to_string(load->source) + " to d" +
             std::to_string(load->destination);
    if (const Count *count = std::get_if<Count>(&instruction))
      return "toy.count to " + std::to_string(count->result);
    return "toy.use d" + std::to_string(std::get<Use>(instruction).buffer);
  }
};

//===-- Writing programs ---------------------------------------------------===//

inline std::vector<uint32_t> operator+(std::vector<uint32_t> a, const std::vector<uint32_t> &b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
using Words = std::vector<uint32_t>;
inline Words end() { return {0x0100}; }
inline Words loop(uint32_t count) { return {0x0201, count}; }
inline Words loopCounter(uint32_t reg) { return {0x0102 | reg << 16}; }
inline Words endLoop() { return {0x0103}; }
inline Words load(uint16_t source, uint16_t destination) {
  return {0x0210, source | uint32_t(destination) << 16};
}
inline Words count(uint8_t reg) { return {0x0111 | uint32_t(reg) << 16}; }
inline Words use(uint16_t buffer, uint16_t number = kAbsentOperand) {
  return {0x0212, buffer | uint32_t(number) << 16};
}

/// An address generator under construction.
struct Address {
  int64_t base = 0;
  uint32_t rows = 1, cols = 1;
  uint64_t rowStride = 0;
  int32_t rowBase = 0;
  uint32_t rowLimit = 1;
  uint16_t memory = 0, binding = 0;
  std::array<program::Term, 8> terms{};

  Address &term(unsigned level, int64_t stride, int32_t rowStep = 0, uint32_t modulus = 0) {
    terms[level] = program::Term(stride, rowStep, modulus);
    return *this;
  }
  program::Descriptor make() const {
    return program::Descriptor(base, rows, cols, rowStride, rowBase, rowLimit, memory, binding,
                               flatbuffers::span<const program::Term, 8>(terms));
  }
};
inline Address dram(uint16_t binding, uint32_t rows, uint32_t cols, uint32_t rowLimit) {
  return {0, rows, cols, cols, 0, rowLimit, 1, binding};
}
inline Address buffer(uint32_t rows, uint32_t cols) { return {0, rows, cols, cols, 0, rows, 2, 0}; }

/// One accelerator stage with two bindings and a memory "buffer" of 128 elements of 16 bits.
class StageBuilder {
public:
  Words words;
  std::vector<Address> addresses;
  uint64_t elements = 128;

  const program::AcceleratorStage &build() {
    builder_.Clear();
    builder_.Finish(write(builder_, {0, 1}));
    return *flatbuffers::GetRoot<program::AcceleratorStage>(builder_.GetBufferPointer());
  }
  flatbuffers::Offset<program::AcceleratorStage> write(flatbuffers::FlatBufferBuilder &builder,
                                                       std::vector<int32_t> bindings) const {
    std::vector<program::Descriptor> descriptors;
    for (const Address &address : addresses)
      descriptors.push_back(address.make());
    std::vector<flatbuffers::Offset<program::Memory>> memories{
        program::CreateMemoryDirect(builder, "buffer", 16, elements)};
    return program::CreateAcceleratorStageDirect(builder, "toy", "attention_0", &bindings, 1,
                                                 &memories, &descriptors, &words);
  }

private:
  flatbuffers::FlatBufferBuilder builder_;
};

/// Puts the frame around a finished table; the data sections are `data`.
inline std::vector<uint64_t> framed(const flatbuffers::FlatBufferBuilder &table,
                                    const std::vector<float> &data) {
  uint64_t tableBytes = table.GetSize(),
           dataOffset = (sizeof(ProgramHeader) + tableBytes + 63) / 64 * 64;
  uint64_t dataBytes = data.size() * sizeof(float);
  std::vector<uint64_t> file((dataOffset + dataBytes + 7) / 8);
  ProgramHeader header{
      {}, ProgramHeader::kVersion, 0, sizeof(ProgramHeader), tableBytes, dataOffset, dataBytes};
  std::memcpy(header.magic, ProgramHeader::kMagic, sizeof header.magic);
  char *bytes = reinterpret_cast<char *>(file.data());
  std::memcpy(bytes, &header, sizeof header);
  std::memcpy(bytes + sizeof header, table.GetBufferPointer(), tableBytes);
  if (!data.empty())
    std::memcpy(bytes + dataOffset, data.data(), dataBytes);
  return file;
}

/// A program file of one stage: input "x" [8, 4] -> kernel -> output "y" [8, 4], with a constant
/// and an activation.
inline std::vector<uint64_t> programFile(const StageBuilder &stage) {
  namespace p = program;
  flatbuffers::FlatBufferBuilder b;
  std::vector<int64_t> shape{8, 4};
  auto tensor = [&](const char *name, p::TensorKind kind) {
    return p::CreateTensorDirect(b, name, p::DType::f32, &shape, kind, 0, 128);
  };
  std::vector<flatbuffers::Offset<p::Tensor>> tensors{
      tensor("x", p::TensorKind::input), tensor("y", p::TensorKind::output),
      tensor("w", p::TensorKind::constant), tensor("t", p::TensorKind::activation)};
  std::vector<flatbuffers::Offset<p::Attribute>> arch{
      p::CreateAttributeDirect(b, "clock_mhz", p::AttributeKind::real, 0, 1000.0),
      p::CreateAttributeDirect(b, "pes", p::AttributeKind::integer, 16)};
  std::vector<int32_t> inputs{0}, outputs{1};
  std::vector<flatbuffers::Offset<p::Stage>> stages{p::CreateStage(b, 0, stage.write(b, {0, 1}))};
  b.Finish(p::CreateProgramDirect(b, "test", "toy", &arch, nullptr, &tensors, &inputs, &outputs,
                                  &stages, 128, 128),
           p::ProgramIdentifier());
  std::vector<float> data(32);
  std::iota(data.begin(), data.end(), 0.0f);
  return framed(b, data);
}

inline std::span<const uint8_t> bytesOf(const std::vector<uint64_t> &file) {
  return {reinterpret_cast<const uint8_t *>(file.data()), file.size() * sizeof(uint64_t)};
}

/// Loads tiles of x into two slots in turn, and uses each as often as the counter says.
inline StageBuilder exampleStage() {
  StageBuilder stage;
  stage.addresses = {dram(0, 4, 4, 8).term(0, 16, 4), buffer(4, 4).term(0, 16, 0, 2),
                     Address().term(0, 1)};
  stage.words =
      loop(2) + load(0, 1) + count(3) + loopCounter(3) + use(1, 2) + endLoop() + endLoop() + end();
  return stage;
}

} // namespace sparsam::runtime::toy

#endif // SPARSAM_RUNTIME_TEST_TOYISA_H
