// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ProgramTest.cpp - program files, whole and hostile -----------------===//

#include "runtime/program/Program.h"

#include "runtime/test/TestFiles.h"
#include "runtime/test/ToyIsa.h"

#include <functional>
#include <random>

using namespace sparsam::runtime;
using namespace sparsam::runtime::toy;
namespace p = sparsam::program;

using ProgramFile = FileTest;

static Result<std::shared_ptr<const Program>> fromBytes(std::span<const uint8_t> bytes) {
  return Program::fromBytes(bytes, nullptr, "t.spx");
}

TEST_F(ProgramFile, is_mapped_with_its_constants) {
  std::vector<uint64_t> bytes = programFile(exampleStage());
  std::string text(reinterpret_cast<const char *>(bytes.data()), bytes.size() * 8);
  auto program = Program::load(write("t.spx", text));
  ASSERT_TRUE(program.ok()) << message(program);
  EXPECT_EQ((*program)->table().producer()->str(), "test");
  std::span<const uint8_t> constant = (*program)->constant(2);
  ASSERT_EQ(constant.size(), 128u);
  EXPECT_EQ(reinterpret_cast<const float *>(constant.data())[31], 31.0f);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(constant.data()) % 64, 0u);
}

TEST_F(ProgramFile, names_missing_files) {
  EXPECT_EQ(message(Program::load(path("none.spx"))),
            "cannot open " + path("none.spx") + ": No such file or directory");
}

/// A program whose header is edited.
struct ProgramFrame : testing::Test {
  std::string wrong(const std::function<void(ProgramHeader &)> &edit) const {
    std::vector<uint64_t> bytes = whole;
    edit(*reinterpret_cast<ProgramHeader *>(bytes.data()));
    return message(fromBytes(bytesOf(bytes)));
  }
  std::vector<uint64_t> whole = programFile(exampleStage());
  std::string prefix = "cannot load program t.spx: ";
  std::string size = std::to_string(whole.size() * 8);
};

TEST_F(ProgramFrame, is_identified) {
  EXPECT_EQ(message(fromBytes({})),
            prefix + "a program file has at least 48 bytes, this one has 0");
  EXPECT_EQ(wrong([](ProgramHeader &h) { h.magic[0] = 'X'; }),
            prefix + "it does not start as a program file");
  EXPECT_EQ(wrong([](ProgramHeader &h) { h.version = 9; }),
            prefix + "it has version 9, this build reads version 1; compile the model again");
  EXPECT_EQ(wrong([](ProgramHeader &h) { h.reserved = 1; }),
            prefix + "its reserved header field is not 0");
}

TEST_F(ProgramFrame, lies_inside_of_the_file) {
  EXPECT_EQ(wrong([](ProgramHeader &h) {
              h.tableOffset = uint64_t(-8);
              h.tableBytes = 16;
            }),
            prefix + "its table [18446744073709551608, +16) does not lie inside of its " + size +
                " bytes; the file is damaged or cut off");
  EXPECT_EQ(wrong([](ProgramHeader &h) { h.dataBytes = uint64_t(1) << 40; }),
            prefix + "its data sections [" + std::to_string(whole.size() * 8 - 128) +
                ", +1099511627776) do not lie inside of its " + size +
                " bytes; the file is damaged or cut off");
  EXPECT_EQ(wrong([](ProgramHeader &h) {
              h.dataOffset += 8;
              h.dataBytes -= 8;
            }),
            prefix + "its data sections start at " + std::to_string(whole.size() * 8 - 120) +
                ", which is no multiple of 64");
  EXPECT_EQ(wrong([](ProgramHeader &h) {
              h.tableOffset += 1;
              h.tableBytes -= 1;
            }),
            prefix + "its table starts at 49, which is no multiple of 8");
  EXPECT_EQ(wrong([](ProgramHeader &h) { h.tableBytes = 24; }), prefix + "its table is damaged");
  EXPECT_EQ(wrong([](ProgramHeader &h) { h.dataBytes = 64; }),
            prefix + "its table claims 128 bytes of data, the file has 64");
}

//===-- What the table claims ---------------------------------------------===//

namespace {

/// The parts of a table that tests spoil.
struct Spoiled {
  flatbuffers::FlatBufferBuilder b;
  std::vector<flatbuffers::Offset<p::Tensor>> tensors;
  std::vector<flatbuffers::Offset<p::Stage>> stages;
  std::vector<flatbuffers::Offset<p::Attribute>> arch;
  std::vector<int32_t> inputs{0}, outputs{1};
  uint64_t arenaBytes = 128;
  std::string target = "toy";

  void add(const char *name, p::TensorKind kind, std::vector<int64_t> shape = {8, 4},
           uint64_t bytes = 128, uint64_t offset = 0, p::DType dtype = p::DType::f32) {
    tensors.push_back(p::CreateTensorDirect(b, name, dtype, &shape, kind, offset, bytes));
  }
  void addHost(std::vector<int32_t> in, std::vector<int32_t> out) {
    stages.push_back(p::CreateStage(b, p::CreateHostKernelDirect(b, "onnx.Add", "n", &in, &out)));
  }
  void addKernel(std::vector<int32_t> bindings, uint32_t inputCount, const char *name = "k",
                 const char *target = "toy") {
    stages.push_back(p::CreateStage(
        b, 0, p::CreateAcceleratorStageDirect(b, target, name, &bindings, inputCount)));
  }
  /// A vector of `count` elements that are zero and lie at an odd multiple of 4 bytes. Tables are
  /// written from their end to their start, and begin at a multiple of 8.
  flatbuffers::uoffset_t addMisaligned(uint32_t count, size_t elementBytes) {
    b.Align(8);
    b.Pad(4 + count * elementBytes);
    return b.PushElement(count);
  }
  std::string error() {
    b.Finish(p::CreateProgramDirect(b, "test", target.c_str(), &arch, nullptr, &tensors, &inputs,
                                    &outputs, &stages, arenaBytes, 0),
             p::ProgramIdentifier());
    std::string text = message(fromBytes(bytesOf(framed(b, {}))));
    std::string prefix = "cannot load program t.spx: ";
    return text.substr(0, prefix.size()) == prefix ? text.substr(prefix.size()) : text;
  }
};

/// Input x, output y, activation t.
struct Sound : Spoiled {
  Sound() {
    add("x", p::TensorKind::input);
    add("y", p::TensorKind::output);
    add("t", p::TensorKind::activation);
  }
};

std::string spoil(const std::function<void(Spoiled &)> &edit) {
  Sound table;
  edit(table);
  return table.error();
}

} // namespace

TEST(ProgramTable, is_accepted_when_sound) {
  EXPECT_EQ(spoil([](Spoiled &s) {
              s.addHost({0, -1}, {2});
              s.addKernel({2, 1}, 1);
            }),
            "(no error)");
}

TEST(ProgramTable, has_possible_tensors) {
  using K = p::TensorKind;
  EXPECT_EQ(spoil([](Spoiled &s) { s.add("", K::activation); }), "a tensor has no name");
  EXPECT_EQ(spoil([](Spoiled &s) { s.add("a", K(7)); }), "tensor 'a' has an unknown type or kind");
  EXPECT_EQ(spoil([](Spoiled &s) { s.add("a", K::activation, {8, 4}, 128, 0, p::DType(99)); }),
            "tensor 'a' has an unknown type or kind");
  EXPECT_EQ(spoil([](Spoiled &s) { s.add("a", K::activation, {-1, 4}); }),
            "tensor 'a' has the impossible shape -1x4");
  EXPECT_EQ(
      spoil([](Spoiled &s) { s.add("a", K::activation, {int64_t(1) << 40, int64_t(1) << 40}); }),
      "tensor 'a' has the impossible shape 1099511627776x1099511627776");
  EXPECT_EQ(spoil([](Spoiled &s) { s.add("a", K::activation, {8, 5}); }),
            "tensor 'a' of shape 8x5 has 160 bytes, its table says 128");
  EXPECT_EQ(spoil([](Spoiled &s) { s.add("a", K::activation, {8, 4}, 128, 64); }),
            "tensor 'a' [64, +128) does not lie inside of the 128 bytes of the arena");
  EXPECT_EQ(
      spoil([](Spoiled &s) { s.add("a", K::activation, {8, 4}, 128, uint64_t(-64)); }),
      "tensor 'a' [18446744073709551552, +128) does not lie inside of the 128 bytes of the arena");
  EXPECT_EQ(spoil([](Spoiled &s) { s.add("a", K::constant); }),
            "tensor 'a' [0, +128) does not lie inside of the 0 bytes of data");
  EXPECT_EQ(spoil([](Spoiled &s) {
              s.arenaBytes = 256;
              s.add("a", K::activation, {8, 4}, 128, 8);
            }),
            "tensor 'a' lies at 8, which is no multiple of 64");
  EXPECT_EQ(spoil([](Spoiled &s) { s.add("a", K::activation, std::vector<int64_t>(40, 1), 4); }),
            "tensor 'a' has 40 dimensions; at most 32 are possible");
  EXPECT_EQ(spoil([](Spoiled &s) {
              flatbuffers::Offset<flatbuffers::Vector<int64_t>> shape(s.addMisaligned(2, 8));
              s.tensors.push_back(
                  p::CreateTensor(s.b, s.b.CreateString("a"), p::DType::f32, shape));
            }),
            "tensor 'a' has a misaligned shape");
}

TEST(ProgramTable, has_inputs_and_outputs_with_own_names) {
  EXPECT_EQ(spoil([](Spoiled &s) { s.inputs = {9}; }),
            "the program has tensor 9 as input; there are 3");
  EXPECT_EQ(spoil([](Spoiled &s) { s.inputs = {0, 2}; }),
            "tensor 't' is used as an input, but is none");
  EXPECT_EQ(spoil([](Spoiled &s) { s.inputs = {0, 0}; }), "two inputs have the name 'x'");
  EXPECT_EQ(spoil([](Spoiled &s) { s.outputs = {-1}; }),
            "the program has tensor -1 as output; there are 3");
  EXPECT_EQ(spoil([](Spoiled &s) { s.outputs = {1, 1}; }), "two outputs have the name 'y'");
  EXPECT_EQ(spoil([](Spoiled &s) { s.inputs = {}; }),
            "tensor 'x' is an input, but is not among the program's inputs");
}

TEST(ProgramTable, has_possible_stages) {
  EXPECT_EQ(spoil([](Spoiled &s) { s.stages.push_back(p::CreateStage(s.b)); }),
            "stage 0 must have either a host kernel or an accelerator kernel");
  EXPECT_EQ(spoil([](Spoiled &s) { s.addHost({5}, {2}); }),
            "stage 0 (onnx.Add) has tensor 5 as input; there are 3");
  EXPECT_EQ(spoil([](Spoiled &s) { s.addHost({0}, {-1}); }),
            "stage 0 (onnx.Add) has tensor -1 as output; there are 3");
  EXPECT_EQ(spoil([](Spoiled &s) { s.addHost({2}, {0}); }),
            "stage 0 (onnx.Add) writes tensor 'x', which is an input or a constant");
  EXPECT_EQ(spoil([](Spoiled &s) { s.addKernel({0, 1}, 3); }),
            "stage 0 (kernel 'k') has 3 inputs among 2 bindings");
  EXPECT_EQ(spoil([](Spoiled &s) { s.addKernel({0, -1}, 1); }),
            "stage 0 (kernel 'k') has tensor -1 as binding; there are 3");
  EXPECT_EQ(spoil([](Spoiled &s) { s.addKernel({2, 0}, 1); }),
            "stage 0 (kernel 'k') writes tensor 'x', which is an input or a constant");
  EXPECT_EQ(spoil([](Spoiled &s) { s.addKernel({0, 1}, 1, "k", "other"); }),
            "stage 0 (kernel 'k') is for target 'other', the program for 'toy'");
  EXPECT_EQ(spoil([](Spoiled &s) {
              s.target = "";
              s.addKernel({0, 1}, 1, "k", "");
            }),
            "stage 0 (kernel 'k') needs an accelerator, but the program names no target");
  EXPECT_EQ(spoil([](Spoiled &s) {
              s.addKernel({0, 1}, 1);
              s.addKernel({0, 1}, 1);
            }),
            "stage 1 (kernel 'k') has the name of another kernel");
  EXPECT_EQ(spoil([](Spoiled &s) {
              flatbuffers::Offset<flatbuffers::Vector<const p::Descriptor *>> descriptors(
                  s.addMisaligned(1, sizeof(p::Descriptor)));
              auto name = s.b.CreateString("k"), target = s.b.CreateString("toy");
              s.stages.push_back(p::CreateStage(
                  s.b, 0, p::CreateAcceleratorStage(s.b, target, name, 0, 0, 0, descriptors)));
            }),
            "stage 0 (kernel 'k') has misaligned address descriptors");
}

TEST(ProgramTable, has_readable_attributes) {
  EXPECT_EQ(spoil([](Spoiled &s) {
              s.arch = {p::CreateAttributeDirect(s.b, "a", p::AttributeKind::text)};
            }),
            "attribute 'a' of the program has no readable value");
  EXPECT_EQ(spoil([](Spoiled &s) {
              s.arch = {p::CreateAttributeDirect(s.b, "a", p::AttributeKind(88))};
            }),
            "attribute 'a' of the program has no readable value");
  EXPECT_EQ(spoil([](Spoiled &s) {
              s.arch = {p::CreateAttributeDirect(s.b, "a"), p::CreateAttributeDirect(s.b, "a")};
            }),
            "attribute 'a' of the program is there twice");
  EXPECT_EQ(spoil([](Spoiled &s) {
              flatbuffers::Offset<flatbuffers::Vector<int64_t>> ints(s.addMisaligned(2, 8));
              s.arch = {p::CreateAttribute(s.b, s.b.CreateString("a"), p::AttributeKind::integers,
                                           0, 0, 0, ints)};
            }),
            "attribute 'a' of the program has no readable value");
}

TEST(ProgramTable, survives_mutations) {
  std::vector<uint64_t> whole = programFile(exampleStage());
  size_t size = whole.size() * 8;
  std::mt19937 random(7);
  unsigned accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    std::vector<uint64_t> file = whole;
    uint8_t *bytes = reinterpret_cast<uint8_t *>(file.data());
    for (unsigned n = random() % 4 + 1; n-- > 0;) {
      // Edges of number ranges find more than noise.
      constexpr uint8_t edges[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
      bytes[random() % size] = random() % 2 ? edges[random() % 5] : uint8_t(random());
    }
    auto program = fromBytes({bytes, round % 7 ? size : random() % size});
    if (!program)
      continue;
    ++accepted;
    for (const p::Stage *stage : *(*program)->table().stages()) {
      auto loaded = Stage<toy::Isa>::load(*stage->accelerator());
      if (loaded)
        (void)loaded->disassemble();
    }
  }
  EXPECT_GT(accepted, 0u);
  EXPECT_LT(accepted, 20000u);
}
