// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- MachineTest.cpp - one tile by hand, and programs it refuses --------===//

#include "runtime/kernel/Machine.h"
#include "runtime/program/Program_generated.h"
#include "targets/template/TemplateIsa.h"
#include "targets/template/TemplateYaml.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

namespace sparsam::template_ {

void registerTemplateModel(runtime::ModelRegistry &registry);

namespace {

using namespace runtime;

constexpr uint32_t kTokens = 4, kDims = 2;

/// Tiles of the program, by descriptor.
enum : uint16_t { dramQuery, dramOutput, query, key, value, bias, number, accumulators, result };

struct Tile2d {
  uint32_t rows, cols;
  uint16_t memory, binding = 0;
  int64_t base = 0;
  uint64_t stride = 0; ///< 0: cols
};

/// One tile of self-attention: the input is queries, keys and values.
struct Example {
  std::vector<Tile2d> tiles{{kTokens, kDims, 1, 0},
                            {kTokens, kDims, 1, 1},
                            {kTokens, kDims, 2},
                            {kTokens, kDims, 2},
                            {kTokens, kDims, 2},
                            {1, kTokens, 2},
                            {0, 0, 0},
                            {kTokens, kDims + 2, 3},
                            {kTokens, kDims, 3, 0, 0, kDims + 2}};
  insn::Load load{dramQuery, query};
  insn::Attend attend;
  insn::Store store{result, dramOutput};
  std::vector<std::tuple<std::string, unsigned, uint64_t>> memories{{"input", 32, 64},
                                                                    {"output", 32, 64}};
  std::vector<float> input{1, 0, 0, 1, 1, 1, -1, 0.5f}, output = std::vector<float>(8);
  std::unique_ptr<Machine> machine;
  flatbuffers::FlatBufferBuilder builder;

  explicit Example(const std::vector<std::string> &settings = {}) {
    attend.query = query;
    attend.key = key;
    attend.value = value;
    attend.first_query = attend.first_key = number;
    attend.output = accumulators;
    attend.queries = attend.keys = kTokens;
    attend.scale = 1;
    Arch arch(ArchSpec::parse(kArchYaml, "arch.yaml").take());
    for (const std::string &setting : settings)
      EXPECT_TRUE(arch.applySetting(setting).ok()) << setting;
    ModelRegistry models;
    registerTemplateModel(models);
    machine = models.find("template")->createMachine(arch).take();
  }

  Status loadProgram() {
    std::vector<uint32_t> words;
    for (const Isa::Instruction &insn :
         std::initializer_list<Isa::Instruction>{load, attend, store})
      Isa::encode(insn, words);
    words.push_back(0x0100); // end
    std::array<program::Term, 8> terms{};
    std::vector<program::Descriptor> descriptors;
    for (const Tile2d &t : tiles)
      descriptors.emplace_back(t.base, t.rows, t.cols, t.stride ? t.stride : t.cols, 0, t.rows,
                               t.memory, t.binding,
                               flatbuffers::span<const program::Term, 8>(terms));
    std::vector<flatbuffers::Offset<program::Memory>> tables;
    for (const auto &[name, bits, elements] : memories)
      tables.push_back(program::CreateMemoryDirect(builder, name.c_str(), bits, elements));
    std::vector<int32_t> bindings{0, 1};
    builder.Finish(program::CreateAcceleratorStageDirect(
        builder, "template", "attention_0", &bindings, 1, &tables, &descriptors, &words));
    return machine->load(
        *flatbuffers::GetRoot<program::AcceleratorStage>(builder.GetBufferPointer()), 0);
  }

  LaunchReport run(RunMode mode = RunMode::full) {
    Status status = loadProgram();
    EXPECT_TRUE(status.ok()) << (status ? "" : status.error().message);
    LaunchContext context;
    context.mode = mode;
    for (std::vector<float> *data : {&input, &output})
      context.bindings.push_back({DType::f32, {kTokens, kDims}, data->data()});
    Result<LaunchReport> report = machine->launch(0, context);
    EXPECT_TRUE(report.ok()) << (report ? "" : report.error().message);
    return report ? report.take() : LaunchReport();
  }
};

/// What is said about a program that `change` made wrong.
std::string loadError(const std::function<void(Example &)> &change,
                      const std::vector<std::string> &settings = {}) {
  Example example(settings);
  change(example);
  Status status = example.loadProgram();
  return status ? "no error" : status.error().message;
}

TEST(TemplateMachine, attends) {
  Example example;
  example.run();
  for (uint32_t i = 0; i < kTokens; ++i) {
    double sum = 0, expected[kDims] = {};
    for (uint32_t j = 0; j < kTokens; ++j) {
      double dot = 0;
      for (uint32_t x = 0; x < kDims; ++x)
        dot += double(example.input[i * kDims + x]) * example.input[j * kDims + x];
      sum += std::exp(dot);
      for (uint32_t x = 0; x < kDims; ++x)
        expected[x] += std::exp(dot) * example.input[j * kDims + x];
    }
    for (uint32_t x = 0; x < kDims; ++x)
      EXPECT_NEAR(example.output[i * kDims + x], expected[x] / sum, 1e-6) << i << ", " << x;
  }
}

TEST(TemplateMachine, sees_no_key_behind_itself_with_causal) {
  Example example;
  example.attend.causal = true;
  example.run();
  EXPECT_EQ(example.output[0], example.input[0]); // the first token sees itself alone
  EXPECT_EQ(example.output[1], example.input[1]);
}

TEST(TemplateMachine, gives_zero_to_rows_that_see_no_key) {
  Example example;
  example.attend.causal = true;
  example.attend.queries = kTokens + 2; // query i sees keys up to i - 2
  example.run();
  EXPECT_EQ(example.output[0], 0);
  EXPECT_EQ(example.output[3], 0);
  EXPECT_EQ(example.output[4], example.input[0]);
}

TEST(TemplateMachine, says_what_is_no_number) {
  Example example;
  example.input[2] = NAN;
  LaunchReport report = example.run();
  EXPECT_EQ(report.metrics["warnings"][0],
            "there are values that are NaN or infinite (1 in input 0); results that they enter are "
            "wrong, though they may be finite");
}

TEST(TemplateMachine, takes_the_cycles_of_its_instructions) {
  Example example({"dram_channels=1", "dram_row_miss_ns=0", "dram_latency_ns=7"});
  LaunchReport report = example.run(RunMode::timing);
  const int64_t bytes = kTokens * kDims * 4, bytesPerCycle = 128, latency = 7;
  const int64_t transfer = (bytes + bytesPerCycle - 1) / bytesPerCycle + latency;
  const int64_t attend = 2 * kDims + 4 + 64 + 64; // exp_cycles, rows, cols
  EXPECT_EQ(report.cycles, Cycle(transfer + attend + transfer));
  EXPECT_EQ(report.dramRead, Bytes(bytes));
  EXPECT_EQ(report.dramWritten, Bytes(bytes));
  EXPECT_EQ(report.metrics["macs"], 2 * kTokens * kTokens * kDims);
}

TEST(TemplateMachine, refuses_what_the_hardware_cannot_do) {
  EXPECT_EQ(loadError([](Example &e) { e.tiles[query].rows = 3; }),
            "kernel 'attention_0', instruction 0: expects tiles of one shape, got 4x2 and 3x2");
  EXPECT_EQ(loadError([](Example &) {}, {"rows=3"}),
            "kernel 'attention_0', instruction 1: expects at most 3 query rows (parameter 'rows'), "
            "got 4");
  EXPECT_EQ(
      loadError([](Example &) {}, {"cols=3"}),
      "kernel 'attention_0', instruction 1: expects at most 3 keys (parameter 'cols'), got 4");
  EXPECT_EQ(loadError([](Example &e) { e.tiles[value].rows = 3; }),
            "kernel 'attention_0', instruction 1: expects tiles of one shape, got 4x2 and 3x2");
  EXPECT_EQ(
      loadError([](Example &e) { e.tiles[key].cols = e.tiles[value].cols = 3; }),
      "kernel 'attention_0', instruction 1: expects columns of queries = 3 (columns of keys), "
      "got 2");
  EXPECT_EQ(loadError([](Example &e) { e.tiles[accumulators].cols = 3; }),
            "kernel 'attention_0', instruction 1: expects accumulators of 4x4, got 4x3");
  EXPECT_EQ(loadError([](Example &e) {
              e.attend.bias = bias;
              e.tiles[bias].rows = 2;
            }),
            "kernel 'attention_0', instruction 1: expects a bias of 1 or 4 rows and 4 columns, got "
            "2x4");
  EXPECT_EQ(loadError([](Example &e) { e.attend.scale = std::numeric_limits<float>::infinity(); }),
            "kernel 'attention_0', instruction 1: expects a finite scale, got inf");
  EXPECT_EQ(loadError([](Example &e) { e.tiles[dramOutput].binding = 0; }),
            "kernel 'attention_0', instruction 2: binding 0 is an input and cannot be stored to");
}

TEST(TemplateMachine, refuses_to_read_what_nothing_has_written) {
  Example example;
  example.tiles[value].base = 32;
  ASSERT_TRUE(example.loadProgram().ok());
  LaunchContext context;
  for (std::vector<float> *data : {&example.input, &example.output})
    context.bindings.push_back({DType::f32, {kTokens, kDims}, data->data()});
  EXPECT_EQ(example.machine->launch(0, context).error().message,
            "kernel 'attention_0': 'attend' reads memory 'input' where no instruction has written");
}

TEST(TemplateMachine, refuses_memories_it_does_not_have) {
  EXPECT_EQ(loadError([](Example &e) { e.memories.emplace_back("cache", 32, 64); }),
            "kernel 'attention_0' uses memory 'cache', which Template does not have; there are: "
            "input, output");
  EXPECT_EQ(loadError([](Example &) {}, {"output_buffer=128"}),
            "kernel 'attention_0' needs 256 bytes of memory 'output', which has 128 (parameter "
            "'output_buffer'); compile for this architecture, or raise the parameter");
}

TEST(TemplateMachine, refuses_a_stage_that_is_not_loaded) {
  Example example;
  LaunchContext context;
  Result<LaunchReport> report = example.machine->launch(7, context);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().message, "stage 7 is not loaded");
}

TEST(TemplateModel, has_no_closed_forms_and_no_recipes) {
  ModelRegistry models;
  registerTemplateModel(models);
  const TargetModel *model = models.find("template");
  Arch arch(ArchSpec::parse(kArchYaml, "arch.yaml").take());
  EXPECT_EQ(model->analyze({}, arch).error().message,
            "this machine has no closed forms; give --masks");
  MaskTrace masks;
  SimulateRequest request;
  request.masks = &masks;
  EXPECT_EQ(model->analyze(request, arch).error().message, "the mask file holds no masks");
  EXPECT_EQ(model->evaluateRecipe("speed", {}, arch).error().message,
            "unknown recipe 'speed'; there are none");
  EXPECT_TRUE(model->calibrate({}, arch).empty());
}

} // namespace
} // namespace sparsam::template_
