// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SessionTest.cpp - runs of programs ---------------------------------===//
//
// Linked against the host kernels below instead of those on oneDNN: what is tested is the session.
//

#include "runtime/program/Session.h"

#include "runtime/host/HostKernel.h"
#include "runtime/kernel/TraceWriter.h"
#include "runtime/test/TestFiles.h"
#include "runtime/test/ToyMachine.h"

#include <algorithm>
#include <cmath>

using namespace sparsam::runtime;
using namespace sparsam::runtime::toy;
namespace p = sparsam::program;

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

//===-- Programs -----------------------------------------------------------===//

namespace {

struct HostProgram {
  flatbuffers::FlatBufferBuilder b;
  std::vector<flatbuffers::Offset<p::Tensor>> tensors;
  std::vector<flatbuffers::Offset<p::Stage>> stages;
  std::vector<int32_t> inputs, outputs;
  flatbuffers::Offset<p::Cache> cache;

  int32_t tensor(const char *name, p::TensorKind kind, p::DType dtype, std::vector<int64_t> shape,
                 uint64_t offset = 0) {
    uint64_t bytes = *checkedBytes(DType(dtype), shape);
    tensors.push_back(p::CreateTensorDirect(b, name, dtype, &shape, kind, offset, bytes));
    return int32_t(tensors.size() - 1);
  }
  void kernel(const char *op, std::vector<int32_t> in, std::vector<int32_t> out, double addend = 0,
              const char *coreName = nullptr) {
    std::vector<flatbuffers::Offset<p::Attribute>> attributes{
        p::CreateAttributeDirect(b, "addend", p::AttributeKind::real, 0, addend)};
    if (coreName)
      attributes.push_back(
          p::CreateAttributeDirect(b, "sattn.name", p::AttributeKind::text, 0, 0, coreName));
    stages.push_back(
        p::CreateStage(b, p::CreateHostKernelDirect(b, op, "node_7", &in, &out, &attributes)));
  }
  std::vector<uint64_t> file(const std::vector<float> &data = {}) {
    b.Finish(p::CreateProgramDirect(b, "test", "", nullptr, nullptr, &tensors, &inputs, &outputs,
                                    &stages, 4096, data.size() * 4, 4096, cache),
             p::ProgramIdentifier());
    return framed(b, data);
  }
};

/// Keeps a program's bytes alive.
Result<std::unique_ptr<Session>> session(std::vector<uint64_t> file,
                                         const std::string &archYaml = kArchYaml) {
  auto owner = std::make_shared<std::vector<uint64_t>>(std::move(file));
  auto program = Program::fromBytes(bytesOf(*owner), owner, "t.spx");
  if (!program)
    return program.error();
  ModelRegistry models;
  models.add("toy", std::make_unique<Model>(archYaml));
  return Session::create(program.take(), models);
}

Tensor floats(Shape shape, float first, float step) {
  Tensor tensor(DType::f32, std::move(shape));
  for (int64_t i = 0; i < tensor.elements(); ++i)
    tensor.as<float>()[i] = first + float(i) * step;
  return tensor;
}

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

//===-- Caches -------------------------------------------------------------===//

namespace {

constexpr int64_t kCapacity = 4;

/// Appends x to a cache of four rows, and returns a mask that grows with it plus 1.
struct CacheProgram : HostProgram {
  std::vector<flatbuffers::Offset<p::State>> states;
  std::vector<flatbuffers::Offset<p::Growing>> growing;
  uint64_t step = 1;
  int32_t axis = 2, kept, length;

  CacheProgram() {
    inputs = {tensor("x", p::TensorKind::input, p::DType::f32, {1, 1, 1, 1}),
              tensor("mask", p::TensorKind::input, p::DType::f32, {1, kCapacity})};
    kept = tensor("past", p::TensorKind::state, p::DType::f32, {1, 1, kCapacity, 1});
    length = tensor("length", p::TensorKind::state, p::DType::i64, {}, 64);
    outputs = {tensor("y", p::TensorKind::output, p::DType::f32, {1, kCapacity})};
    kernel("test.append", {kept, inputs[0], length}, {kept});
    kernel("test.add", {inputs[1]}, {outputs[0]}, 1);
    growing.push_back(p::CreateGrowing(b, inputs[1], 1, 1));
  }
  std::vector<uint64_t> make() {
    states.push_back(p::CreateStateDirect(b, kept, "past", "present", axis));
    cache = p::CreateCacheDirect(b, length, kCapacity, step, &states, &growing);
    return file();
  }
};

TensorMap rowAndMask(float row, int64_t length) {
  return {{"x", floats({1, 1, 1, 1}, row, 0)}, {"mask", floats({1, length + 1}, 1, 0)}};
}

std::vector<float> rowsOf(const TensorMap &state) {
  const Tensor &rows = state.at("present");
  return std::vector<float>(rows.as<float>(), rows.as<float>() + rows.elements());
}

} // namespace

TEST(SessionCache, grows_from_run_to_run) {
  auto s = session(CacheProgram().make());
  ASSERT_TRUE(s.ok()) << message(s);
  EXPECT_TRUE((*s)->hasState());
  EXPECT_EQ((*s)->capacity(), kCapacity);
  EXPECT_EQ((*s)->step(), 1);
  for (int64_t i = 0; i < 3; ++i) {
    EXPECT_EQ((*s)->length(), i);
    auto result = (*s)->run(rowAndMask(float(10 * i), i), {});
    ASSERT_TRUE(result.ok()) << message(result);
    EXPECT_EQ(result->outputs.at("present").shape(), (Shape{1, 1, i + 1, 1}));
    // What the mask does not cover yet is 0, and 1 with the 1 that the program adds.
    for (int64_t j = 0; j < kCapacity; ++j)
      EXPECT_EQ(result->outputs.at("y").as<float>()[j], j <= i ? 2 : 1);
  }
  EXPECT_EQ(rowsOf((*s)->state()), (std::vector<float>{0, 10, 20}));
  (*s)->reset();
  EXPECT_EQ((*s)->length(), 0);
  EXPECT_EQ((*s)->state().at("present").elements(), 0);
}

TEST(SessionCache, starts_from_given_caches) {
  auto s = session(CacheProgram().make());
  ASSERT_TRUE(s.ok()) << message(s);
  for (const char *name : {"past", "present"}) {
    ASSERT_TRUE((*s)->setState({{name, floats({1, 1, 2, 1}, 5, 1)}}).ok());
    EXPECT_EQ((*s)->length(), 2);
    EXPECT_EQ(rowsOf((*s)->state()), (std::vector<float>{5, 6}));
  }
  // In a run, the caches are inputs; without them it goes on.
  TensorMap inputs = rowAndMask(9, 1);
  inputs["past"] = floats({1, 1, 1, 1}, 3, 0);
  auto result = (*s)->run(inputs, {});
  ASSERT_TRUE(result.ok()) << message(result);
  EXPECT_EQ(rowsOf(result->outputs), (std::vector<float>{3, 9}));
  RunOptions quiet;
  quiet.returnState = false;
  result = (*s)->run(rowAndMask(8, 2), quiet);
  ASSERT_TRUE(result.ok()) << message(result);
  EXPECT_FALSE(result->outputs.count("present"));
  EXPECT_EQ(rowsOf((*s)->state()), (std::vector<float>{3, 9, 8}));
}

TEST(SessionCache, refuses_what_does_not_fit) {
  auto s = session(CacheProgram().make());
  ASSERT_TRUE(s.ok()) << message(s);
  auto error = [&](TensorMap state) { return (*s)->setState(state).error().message; };
  EXPECT_EQ(error({}), "state 'past' is missing: all caches are given, or none");
  EXPECT_EQ(error({{"past", floats({1, 1, 5, 1}, 0, 0)}}),
            "state 'past' holds 5 tokens, the program was compiled for 4 (--cache)");
  EXPECT_EQ(error({{"past", floats({1, 1, 2, 2}, 0, 0)}}),
            "state 'past' must have shape 1x1x4x1, or less along axis 2, got 1x1x2x2");
  EXPECT_EQ(error({{"past", Tensor(DType::i64, {1, 1, 2, 1})}}),
            "state 'past' must be float32, got int64");
  ASSERT_TRUE((*s)->setState({{"past", floats({1, 1, 4, 1}, 0, 1)}}).ok());
  EXPECT_EQ(message((*s)->run(rowAndMask(1, 4), {})),
            "the caches are full: they hold 4 of 4 tokens, and a run appends 1; compile the model "
            "with a larger --cache");
  (*s)->reset();
  EXPECT_EQ(message((*s)->run(rowAndMask(1, 2), {})),
            "input 'mask' must have shape 1x1 (the caches hold 0 tokens), got 1x3");
  // A run that fails leaves the length as it was.
  ASSERT_TRUE((*s)->run(rowAndMask(1, 0), {}).ok());
  EXPECT_FALSE((*s)->run(rowAndMask(-1, 1), {}).ok());
  EXPECT_EQ((*s)->length(), 1);
}

TEST(SessionCache, is_not_there_without_cache) {
  auto s = session(programFile(exampleStage()));
  ASSERT_TRUE(s.ok()) << message(s);
  EXPECT_FALSE((*s)->hasState());
  EXPECT_EQ((*s)->capacity(), 0);
  (*s)->reset();
  EXPECT_TRUE((*s)->state().empty());
  EXPECT_EQ((*s)->setState({}).error().message,
            "the program has no caches; compile the model with --cache");
}

TEST(SessionCache, refuses_damaged_tables) {
  CacheProgram step, axis, length, kept;
  step.step = 5;
  EXPECT_NE(message(session(step.make())).find("its caches of 4 tokens cannot take 5 in a run"),
            std::string::npos);
  axis.axis = 3;
  EXPECT_NE(message(session(axis.make()))
                .find("state 'past' of shape 1x1x4x1 does not hold 4 tokens along axis 3"),
            std::string::npos);
  length.length = length.kept;
  EXPECT_NE(message(session(length.make()))
                .find("its caches have no int64 scalar of kind state for their length"),
            std::string::npos);
  kept.kept = kept.inputs[0];
  EXPECT_NE(
      message(session(kept.make())).find("state 'past' is tensor 0, which is not of kind state"),
      std::string::npos);
  CacheProgram grows;
  grows.growing = {p::CreateGrowing(grows.b, grows.inputs[1], 1, 2)};
  EXPECT_NE(message(session(grows.make()))
                .find("input 'mask' of shape 1x4 cannot grow by 2 more than 3 along axis 1"),
            std::string::npos);
  CacheProgram twice, output;
  twice.growing.push_back(p::CreateGrowing(twice.b, twice.inputs[1], 1, 1));
  EXPECT_NE(
      message(session(twice.make())).find("tensor 1 cannot grow: it is no input, or does already"),
      std::string::npos);
  output.states.push_back(p::CreateStateDirect(output.b, output.kept, "mask", "present"));
  EXPECT_NE(
      message(session(output.make())).find("another input, output or state has the name 'mask'"),
      std::string::npos);
}
