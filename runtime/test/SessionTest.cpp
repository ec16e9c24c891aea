// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SessionTest.cpp - runs of programs ---------------------------------===//
//
// Linked against the host kernels below instead of those on oneDNN: what is tested is the session.
//

#include "runtime/host/HostKernel.h"
#include "runtime/kernel/TraceWriter.h"
#include "runtime/test/TestFiles.h"
#include "runtime/test/TestPrograms.h"

#include <algorithm>
#include <cmath>

using namespace sparsam::runtime;
using namespace sparsam::runtime::toy;

//===-- Host kernels -------------------------------------------------------===//

namespace {

/// out[i] = in[i] + addend, in whatever type the tensors have.
struct AddKernel : HostKernel {
  double addend = 0, elements = 0;
  double flops() const override { return elements; }
  Status run(const std::vector<TensorView> &inputs,
             const std::vector<TensorView> &outputs) override {
    for (int64_t i = 0; i < outputs[0].elements(); ++i)
      if (inputs[0].dtype == DType::i64)
        outputs[0].as<float>()[i] = float(inputs[0].as<int64_t>()[i]) + float(addend);
      else
        outputs[0].as<float>()[i] = inputs[0].as<float>()[i] + float(addend);
    return Status();
  }
};

/// Puts a row behind the `length` rows of a cache.
struct AppendKernel : HostKernel {
  Status run(const std::vector<TensorView> &inputs,
             const std::vector<TensorView> &outputs) override {
    const int64_t length = *inputs[2].as<int64_t>();
    if (inputs[1].as<float>()[0] < 0)
      return makeError("a negative row");
    outputs[0].as<float>()[length] = inputs[1].as<float>()[0];
    return Status();
  }
};

} // namespace

Result<std::unique_ptr<HostKernel>>
sparsam::runtime::createHostKernel(const std::string &op, const HostAttributes &attributes,
                                   const std::vector<TensorView> &inputs,
                                   const std::vector<TensorView> &outputs) {
  if (op == "test.fail")
    return makeError("op 'test.fail' is not supported");
  if (op == "test.append")
    return std::unique_ptr<HostKernel>(std::make_unique<AppendKernel>());
  auto kernel = std::make_unique<AddKernel>();
  kernel->elements = double(outputs[0].elements());
  if (auto it = attributes.find("addend"); it != attributes.end())
    kernel->addend = std::get<double>(it->second);
  // A constant second operand is there when the kernel is made.
  if (inputs.size() > 1 && inputs[1].data && op == "test.add")
    kernel->addend += inputs[1].as<float>()[0];
  return std::unique_ptr<HostKernel>(std::move(kernel));
}

namespace {

/// 32 elements, of which the last 8 are positive: all in the second tile.
TensorMap toyInputs() { return {{"x", floats({8, 4}, -23.5, 1)}}; }
constexpr int64_t kPositive = 8;

} // namespace

//===-- Machines -----------------------------------------------------------===//

TEST(Session, runs_numerics_and_time) {
  auto s = session(programFile(exampleStage()));
  ASSERT_TRUE(s.ok()) << message(s);
  EXPECT_EQ((*s)->arch()->real("clock_mhz"), 1000.0);
  RunOptions options;
  options.recordMasks = true;
  auto result = (*s)->run(toyInputs(), options);
  ASSERT_TRUE(result.ok()) << message(result);
  for (int i = 0; i < 32; ++i)
    EXPECT_EQ(result->outputs.at("y").as<float>()[i], 2 * (-23.5f + float(i)));
  ASSERT_EQ(result->launches.size(), 1u);
  EXPECT_EQ(result->launches[0].kernel, "attention_0");
  EXPECT_EQ(result->launches[0].cycles,
            toy::Machine::kLoadCycles * 2 + toy::Machine::kUseCycles * kPositive);
  EXPECT_EQ(result->masks.kernels.at("attention_0").count(), kPositive);
}

TEST(Session, reports_figures_of_numerics_beside_those_of_time) {
  auto s = session(programFile(exampleStage()));
  ASSERT_TRUE(s.ok()) << message(s);
  auto result = (*s)->run(toyInputs(), {});
  ASSERT_TRUE(result.ok()) << message(result);
  const auto &metrics = result->launches.at(0).metrics;
  EXPECT_EQ(metrics["walk"], "timing");
  EXPECT_EQ(metrics["negative"], 32 - kPositive);
  EXPECT_EQ(metrics["timed_next"], true);
  RunOptions numerics;
  numerics.mode = RunMode::functional;
  result = (*s)->run(toyInputs(), numerics);
  ASSERT_TRUE(result.ok()) << message(result);
  EXPECT_EQ(result->launches.at(0).metrics["timed_next"], false);
}

TEST(Session, replays_masks_in_the_same_cycles) {
  auto s = session(programFile(exampleStage()));
  ASSERT_TRUE(s.ok()) << message(s);
  RunOptions record;
  record.recordMasks = true;
  auto recorded = (*s)->run(toyInputs(), record);
  ASSERT_TRUE(recorded.ok()) << message(recorded);
  RunOptions replay;
  replay.mode = RunMode::timing;
  replay.replayMasks = &recorded->masks;
  auto fresh = session(programFile(exampleStage()));
  auto replayed = (*fresh)->run({}, replay);
  ASSERT_TRUE(replayed.ok()) << message(replayed);
  EXPECT_EQ(replayed->launches[0].cycles, recorded->launches[0].cycles);
  EXPECT_TRUE(replayed->outputs.empty());
  EXPECT_TRUE(replayed->masks.kernels.empty());
}

TEST(Session, gives_outputs_alone_in_functional_mode) {
  auto s = session(programFile(exampleStage()));
  ASSERT_TRUE(s.ok()) << message(s);
  RunOptions options;
  options.mode = RunMode::functional;
  auto result = (*s)->run(toyInputs(), options);
  ASSERT_TRUE(result.ok()) << message(result);
  EXPECT_EQ(result->outputs.at("y").as<float>()[31], 15.0f);
  EXPECT_TRUE(result->masks.kernels.empty());
}

TEST(Session, runs_again_with_other_inputs) {
  auto s = session(programFile(exampleStage()));
  ASSERT_TRUE(s.ok()) << message(s);
  auto first = (*s)->run(toyInputs(), {});
  auto second = (*s)->run({{"x", floats({8, 4}, 1, 0)}}, {});
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(first->outputs.at("y").as<float>()[31], 15.0f);
  EXPECT_EQ(second->outputs.at("y").as<float>()[31], 2.0f);
  EXPECT_GT(second->launches[0].cycles, first->launches[0].cycles);
}

TEST(Session, needs_masks_in_timing_mode) {
  auto s = session(programFile(exampleStage()));
  ASSERT_TRUE(s.ok()) << message(s);
  RunOptions options;
  options.mode = RunMode::timing;
  EXPECT_EQ(message((*s)->run({}, options)), "a timing run needs a recorded mask trace");
  MaskTrace other;
  options.replayMasks = &other;
  EXPECT_EQ(message((*s)->run({}, options)), "the mask trace has no kernel 'attention_0'");
}

TEST(Session, explains_wrong_inputs) {
  auto s = session(programFile(exampleStage()));
  ASSERT_TRUE(s.ok()) << message(s);
  auto wrong = [&](const TensorMap &inputs) { return message((*s)->run(inputs, {})); };
  EXPECT_EQ(wrong({}), "input 'x' is missing; given are: none");
  EXPECT_EQ(wrong({{"z", floats({8, 4}, 0, 0)}}), "input 'x' is missing; given are: z");
  EXPECT_EQ(wrong({{"x", floats({4, 4}, 0, 0)}}),
            "input 'x' must have shape 8x4, got 4x4; the program is compiled for fixed shapes");
  EXPECT_EQ(wrong({{"x", Tensor(DType::i64, {8, 4})}}), "input 'x' must be float32, got int64");
  TensorMap more = toyInputs();
  more["xx"] = floats({1}, 0, 0);
  EXPECT_EQ(wrong(more), "the program has no input 'xx'; did you mean 'x'?");
}

TEST(Session, explains_why_a_program_does_not_fit) {
  auto wrong = [&](const std::string &yaml) {
    return message(session(programFile(exampleStage()), yaml));
  };
  std::string prefix = "cannot run program t.spx: ", base = kArchYaml;
  EXPECT_EQ(wrong(base + "    rows: {value: 1, summary: Rows, source: A}\n"),
            prefix + "it does not state parameter 'rows' of toy; compile the model again");
  EXPECT_EQ(wrong(base.substr(0, base.find("    pes"))),
            prefix + "unknown parameter 'pes' of toy; there are: clock_mhz");
  std::string noClock = base;
  noClock.replace(noClock.find("clock_mhz"), 9, "speed_mhz");
  EXPECT_EQ(wrong(noClock), prefix + "toy/arch.yaml must declare the number 'clock_mhz'");
  StageBuilder broken = exampleStage();
  broken.words.pop_back();
  EXPECT_EQ(message(session(programFile(broken))),
            prefix + "kernel 'attention_0', command word 10: the program has no end command");
}

TEST(Session, names_targets_this_build_lacks) {
  std::vector<uint64_t> file = programFile(exampleStage());
  auto program = Program::fromBytes(bytesOf(file), nullptr, "t.spx");
  ASSERT_TRUE(program.ok());
  ModelRegistry models;
  models.add("tory", std::make_unique<Model>());
  EXPECT_EQ(message(Session::create(*program, models)),
            "cannot run program t.spx: it was compiled for target 'toy', which this build does not "
            "have; did you mean "
            "'tory'?");
}

using SessionFiles = FileTest;

TEST_F(SessionFiles, draw_a_timeline) {
  auto s = session(programFile(exampleStage()));
  ASSERT_TRUE(s.ok()) << message(s);
  auto writer = TraceWriter::create(path("t.json"));
  ASSERT_TRUE(writer.ok());
  RunOptions options;
  options.timeline = writer->get();
  ASSERT_TRUE((*s)->run(toyInputs(), options).ok());
  ASSERT_TRUE((*writer)->finish().ok());
  auto events = nlohmann::json::parse(read("t.json"))["traceEvents"];
  auto isUse = [](const auto &event) { return event["ph"] == "X" && event["name"] == "use"; };
  EXPECT_EQ(std::count_if(events.begin(), events.end(), isUse), kPositive);
}

//===-- Host ---------------------------------------------------------------===//

TEST(Session, chains_host_kernels_through_the_arena) {
  using K = p::TensorKind;
  HostProgram program;
  int32_t ids = program.tensor("ids", K::input, p::DType::i64, {3});
  int32_t t = program.tensor("t", K::activation, p::DType::f32, {3}, 64);
  int32_t w = program.tensor("w", K::constant, p::DType::f32, {1});
  int32_t y = program.tensor("y", K::output, p::DType::f32, {3});
  program.inputs = {ids};
  program.outputs = {y, t, w, ids};
  program.kernel("test.add", {ids, w, -1}, {t}, 0.5);
  program.kernel("test.add", {t}, {y}, 100);
  auto s = session(program.file({10}));
  ASSERT_TRUE(s.ok()) << message(s);
  EXPECT_EQ((*s)->arch(), nullptr);
  Tensor narrow(DType::i32, {3}); // int32 is widened
  for (int i = 0; i < 3; ++i)
    narrow.as<int32_t>()[i] = i - 1;
  std::vector<std::string> stages;
  RunOptions options;
  options.progress = [&](unsigned index, unsigned count, const std::string &name) {
    stages.push_back(std::to_string(index) + "/" + std::to_string(count) + " " + name);
  };
  auto result = (*s)->run({{"ids", narrow}}, options);
  ASSERT_TRUE(result.ok()) << message(result);
  EXPECT_EQ(result->outputs.at("y").as<float>()[0], -1 + 10 + 0.5f + 100);
  ASSERT_EQ(result->host.size(), 2u);
  EXPECT_EQ(result->host[0].op, "test.add");
  EXPECT_EQ(result->host[0].name, "node_7");
  EXPECT_EQ(result->host[0].flops, 3);
  EXPECT_EQ(result->host[0].bytes, 3 * 8 + 4 + 3 * 4); // ids, w, t
  // An output may also be an activation, a constant or an input.
  EXPECT_EQ(result->outputs.at("t").as<float>()[2], 1 + 10 + 0.5f);
  EXPECT_EQ(result->outputs.at("w").as<float>()[0], 10);
  EXPECT_EQ(result->outputs.at("ids").as<int64_t>()[0], -1);
  EXPECT_EQ(stages, (std::vector<std::string>{"0/2 node_7", "1/2 node_7"}));
}

TEST(Session, names_the_node_of_a_host_kernel_it_cannot_make) {
  HostProgram program;
  program.inputs = {program.tensor("x", p::TensorKind::input, p::DType::f32, {1})};
  program.outputs = {program.tensor("y", p::TensorKind::output, p::DType::f32, {1})};
  program.kernel("test.fail", {0}, {1});
  auto s = session(program.file());
  ASSERT_TRUE(s.ok()) << message(s);
  EXPECT_EQ(message((*s)->run({{"x", floats({1}, 0, 0)}}, {})),
            "stage 0 (node 'node_7'): op 'test.fail' is not supported");
}

TEST(Session, refuses_arenas_that_do_not_fit) {
  HostProgram program;
  program.inputs = {program.tensor("x", p::TensorKind::input, p::DType::f32, {1})};
  program.outputs = {program.tensor("y", p::TensorKind::output, p::DType::f32, {int64_t(1) << 59})};
  program.kernel("test.add", {0}, {1});
  auto s = session(program.file());
  ASSERT_TRUE(s.ok()) << message(s);
  EXPECT_EQ(message((*s)->run({{"x", floats({1}, 0, 0)}}, {})),
            "not enough memory for output 'y' of 2305843009213693952 bytes");
}

TEST(Session, collects_statistics_of_attention) {
  using K = p::TensorKind;
  HostProgram program;
  int32_t q = program.tensor("q", K::input, p::DType::f32, {1, 1, 2, 2});
  int32_t k = program.tensor("k", K::input, p::DType::f32, {1, 1, 2, 2});
  int32_t y = program.tensor("y", K::output, p::DType::f32, {1, 1, 2, 2});
  int32_t z = program.tensor("z", K::output, p::DType::f32, {1, 1, 2, 2});
  program.inputs = {q, k};
  program.outputs = {y, z};
  program.kernel("sattn.attention", {q, k, q}, {y}, 0, "attention_5");
  program.kernel("sattn.attention", {q, k, q}, {z});
  auto s = session(program.file());
  ASSERT_TRUE(s.ok()) << message(s);
  TensorMap inputs{{"q", Tensor(DType::f32, {1, 1, 2, 2})},
                   {"k", Tensor(DType::f32, {1, 1, 2, 2})}};
  float *query = inputs["q"].as<float>(), *key = inputs["k"].as<float>();
  query[0] = 3, query[1] = -4, query[2] = 5, query[3] = 5; // norms 5, sqrt 50
  key[0] = 0, key[1] = 0, key[2] = -2, key[3] = 0;         // a token of zeros has no direction
  RunOptions options;
  EXPECT_TRUE((*s)->run(inputs, options)->statistics.empty());
  options.collectStatistics = true;
  auto result = (*s)->run(inputs, options);
  ASSERT_TRUE(result.ok()) << message(result);
  // The second core has no name; it is counted.
  ASSERT_EQ(result->statistics.size(), 2u);
  EXPECT_TRUE(result->statistics.count("attention_1"));
  CalibrationStatistics statistics = result->statistics.at("attention_5");
  EXPECT_EQ(statistics.at("q_absmax"), 5);
  EXPECT_EQ(statistics.at("k_absmax"), 2);
  EXPECT_EQ(statistics.at("v_absmax"), 5);
  EXPECT_EQ(statistics.at("q_normalized_absmax"), 4.0f / 5.0f);
  EXPECT_EQ(statistics.at("k_normalized_absmax"), 1);
  EXPECT_FALSE(statistics.count("score_absmax"));
}

TEST(Session, collects_scores_that_no_mask_hides) {
  HostProgram program;
  auto floats = [&](const char *name, p::TensorKind kind, std::vector<int64_t> shape) {
    return program.tensor(name, kind, p::DType::f32, shape);
  };
  int32_t q = floats("q", p::TensorKind::input, {1, 1, 2, 1}),
          mask = floats("mask", p::TensorKind::input, {1, 1, 1, 2}),
          y = floats("y", p::TensorKind::output, {1, 1, 2, 1}),
          z = floats("z", p::TensorKind::output, {1, 1, 2, 1});
  program.inputs = {q, mask};
  program.outputs = {y, z};
  program.kernel("sattn.attention", {q, q, q}, {y}, 0, "all");
  program.kernel("sattn.attention", {q, q, q, mask}, {z}, 0, "first");
  auto s = session(program.file());
  ASSERT_TRUE(s.ok()) << message(s);
  TensorMap inputs{{"q", Tensor(DType::f32, {1, 1, 2, 1})},
                   {"mask", Tensor(DType::f32, {1, 1, 1, 2})}};
  inputs["q"].as<float>()[0] = 2, inputs["q"].as<float>()[1] = -3;
  inputs["mask"].as<float>()[0] = 0, inputs["mask"].as<float>()[1] = -10000;
  RunOptions options;
  options.collectStatistics = options.collectScores = true;
  auto result = (*s)->run(inputs, options);
  ASSERT_TRUE(result.ok()) << message(result);
  EXPECT_EQ(result->statistics.at("all").at("score_absmax"), 9);
  EXPECT_EQ(result->statistics.at("first").at("score_absmax"), 6); // -3 . 2
}
