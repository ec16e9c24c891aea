// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- MachineTest.cpp - programs assembled by hand: runs and refusals ----===//

#include "runtime/kernel/Machine.h"
#include "runtime/program/Program_generated.h"
#include "targets/spatten/SpattenIsa.h"
#include "targets/spatten/SpattenYaml.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>

using namespace sparsam;
using namespace sparsam::runtime;

namespace sparsam::spatten {
void registerSpattenModel(ModelRegistry &registry);
}
using namespace sparsam::spatten;

namespace {

constexpr int64_t kKeys = 12, kDim = 8, kKept = 5;
// Bindings: queries, keys, values, scores of tokens; outputs, new scores, survivors.
enum Binding : uint16_t {
  kQuery,
  kKey,
  kValue,
  kScores,
  kOutput,
  kNewScores,
  kSurvivors,
  kBindings
};

/// One head with one query that streams, then a ranking that keeps five of twelve tokens.
struct TestProgram {
  struct Address {
    int64_t base = 0;
    uint32_t rows = 1, cols = 1;
    uint64_t rowStride = 1;
    uint16_t memory = 0, binding = 0;
  };
  insn::Config config;
  std::vector<Address> addresses;
  std::vector<std::tuple<std::string, unsigned, uint64_t>> memories = {
      {"query", 12, kDim}, {"output", 12, kDim}, {"importance", 32, kKeys}};
  insn::LoadScores load;
  insn::LoadQ loadQ;
  insn::BindHead bind;
  insn::QueryStream query;
  insn::StoreOut store;
  insn::TopkToken rank;
  insn::StoreScores storeScores;
  insn::SetHeads setHeads;
  bool hasHeads = false;
  int configs = 1;

  TestProgram() {
    configure();
    const uint16_t zero = add({}), scores = onChip(4, kKeys);
    load.source = dram(kScores, 1, kKeys);
    load.destination = scores;
    bind.head = zero;
    attend(zero, scores);
    rank.scores = scores;
    rank.survivors = dram(kSurvivors, 1, kKept);
    rank.k = kKept;
    rank.protect_first = 1;
    storeScores.source = scores;
    storeScores.destination = dram(kNewScores, 1, kKeys);
  }
  void configure() {
    config.entries = config.heads = config.queries = 1;
    config.keys = kKeys;
    config.head_dim = kDim;
    config.scale = 0.35f;
    config.words = true;
    config.msb = 8;
    config.lsb = 4;
    config.value_bits = 8;
    config.threshold = 0.1f;
    config.allow_lsb = true;
    config.values = 6;
    config.q_range = config.k_range = config.v_range = 4;
  }
  /// The query and its output.
  void attend(uint16_t zero, uint16_t scores) {
    const uint16_t queryRow = onChip(2, kDim), outputRow = onChip(3, kDim);
    loadQ.source = dram(kQuery, 1, kDim);
    loadQ.destination = queryRow;
    query.row = zero;
    query.query = queryRow;
    query.key = dram(kKey, kKeys, kDim);
    query.value = dram(kValue, kKeys, kDim);
    query.token_scores = scores;
    query.output = outputRow;
    store.source = outputRow;
    store.destination = dram(kOutput, 1, kDim);
  }
  uint16_t dram(Binding binding, int64_t rows, int64_t cols) {
    return add({0, uint32_t(rows), uint32_t(cols), uint64_t(cols), 1, binding});
  }
  uint16_t onChip(uint16_t memory, int64_t cols) {
    return add({0, 1, uint32_t(cols), uint64_t(cols), memory, 0});
  }
  uint16_t add(const Address &address) {
    addresses.push_back(address);
    return uint16_t(addresses.size() - 1);
  }
  /// The head of keys and values is the one that the first survivor names, of `of` heads.
  void takeHeadFromList(uint16_t of) {
    memories.push_back({"index", 16, 2});
    setHeads.source = add({0, 1, 1, 1, 1, kSurvivors});
    setHeads.destination = bind.heads = add({0, 1, 1, 1, 5, 0});
    setHeads.of = of;
    hasHeads = true;
  }
  Address &at(uint16_t descriptor) { return addresses[descriptor]; }

  const program::AcceleratorStage &build() {
    std::vector<uint32_t> words;
    for (int i = 0; i < configs; ++i)
      Isa::encode(config, words);
    if (hasHeads)
      Isa::encode(setHeads, words);
    for (const Isa::Instruction &insn : std::initializer_list<Isa::Instruction>{
             load, bind, loadQ, query, store, rank, storeScores, insn::Sync()})
      Isa::encode(insn, words);
    words.push_back(0x0100);
    std::vector<program::Descriptor> descriptors;
    std::array<program::Term, 8> terms{};
    for (const Address &a : addresses)
      descriptors.emplace_back(a.base, a.rows, a.cols, a.rowStride, 0, a.rows, a.memory, a.binding,
                               flatbuffers::span<const program::Term, 8>(terms));
    std::vector<flatbuffers::Offset<program::Memory>> offsets;
    for (const auto &[name, bits, elements] : memories)
      offsets.push_back(program::CreateMemoryDirect(builder_, name.c_str(), bits, elements));
    std::vector<int32_t> bindings(kBindings);
    builder_.Finish(program::CreateAcceleratorStageDirect(builder_, "spatten", "core", &bindings,
                                                          kOutput, &offsets, &descriptors, &words));
    return *flatbuffers::GetRoot<program::AcceleratorStage>(builder_.GetBufferPointer());
  }

private:
  flatbuffers::FlatBufferBuilder builder_;
};

std::unique_ptr<Machine> makeMachine(const std::vector<std::string> &settings = {}) {
  auto spec = ArchSpec::parse(kArchYaml, "arch.yaml");
  EXPECT_TRUE(spec.ok()) << spec.error().message;
  Arch arch(*spec);
  for (const std::string &setting : settings)
    EXPECT_TRUE(arch.applySetting(setting).ok());
  ModelRegistry registry;
  registerSpattenModel(registry);
  auto machine = registry.find("spatten")->createMachine(arch);
  EXPECT_TRUE(machine.ok()) << machine.error().message;
  return machine.take();
}

/// Seeded tensors of a program.
struct TestData {
  std::vector<float> query, key, value, scores, output, newScores;
  std::vector<int64_t> survivors;

  TestData()
      : query(kDim), key(kKeys * kDim), value(kKeys * kDim), scores(kKeys, 0.5f), output(kDim),
        newScores(kKeys), survivors(kKept) {
    std::mt19937 generator(2);
    std::normal_distribution<float> normal;
    for (std::vector<float> *x : {&query, &key, &value})
      for (float &element : *x)
        element = normal(generator);
  }
  std::vector<TensorView> bindings() {
    return {
        {DType::f32, {1, 1, kDim}, query.data()},     {DType::f32, {1, kKeys, kDim}, key.data()},
        {DType::f32, {1, kKeys, kDim}, value.data()}, {DType::f32, {1, kKeys}, scores.data()},
        {DType::f32, {1, 1, kDim}, output.data()},    {DType::f32, {1, kKeys}, newScores.data()},
        {DType::i64, {1, kKept}, survivors.data()}};
  }
};

Result<LaunchReport> launch(Machine &machine, TestData &data, RunMode mode, MaskTrace &trace) {
  LaunchContext context;
  context.mode = mode;
  context.bindings = data.bindings();
  context.masks = &trace;
  return machine.launch(0, context);
}

std::string loadError(const std::function<void(TestProgram &)> &change,
                      const std::vector<std::string> &settings = {}) {
  TestProgram program;
  change(program);
  Status status = makeMachine(settings)->load(program.build(), 0);
  return status ? "no error" : status.error().message;
}

void expectContains(const std::string &text, const std::string &part) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST(SpattenMachine, accumulates_scores_and_ranks_them) {
  TestProgram program;
  auto machine = makeMachine();
  ASSERT_TRUE(machine->load(program.build(), 0).ok());
  TestData data;
  MaskTrace trace;
  auto report = launch(*machine, data, RunMode::full, trace);
  ASSERT_TRUE(report.ok()) << report.error().message;
  double sum = 0;
  for (float score : data.newScores)
    sum += score - 0.5f;
  EXPECT_NEAR(sum, 1, 12.0 / 4096); // one query's probabilities
  EXPECT_EQ(data.survivors.front(), 0);
  std::vector<float> others(data.newScores.begin() + 1, data.newScores.end());
  std::sort(others.begin(), others.end(), std::greater<>());
  for (size_t i = 1; i < data.survivors.size(); ++i) {
    EXPECT_GT(data.survivors[i], data.survivors[i - 1]);
    EXPECT_GE(data.newScores[size_t(data.survivors[i])], others[kKept - 2]);
  }
  EXPECT_EQ(trace.kernels.at("core").count(), kKeys);
  EXPECT_EQ(trace.kernels.at("core.values").count(), 6);
  EXPECT_EQ(trace.kernels.at("core.tokens").count(), kKept);
}

TEST(SpattenMachine, takes_the_head_that_a_list_names) {
  TestProgram plain, listed;
  listed.takeHeadFromList(2);
  TestData data;
  MaskTrace trace;
  auto machine = makeMachine();
  ASSERT_TRUE(machine->load(plain.build(), 0).ok());
  ASSERT_TRUE(launch(*machine, data, RunMode::functional, trace).ok());
  const std::vector<float> expected = data.output;
  for (std::vector<float> *rows : {&data.key, &data.value}) // becomes the second of two heads
    rows->insert(rows->begin(), rows->size(), 7.0f);
  ASSERT_TRUE(machine->load(listed.build(), 0).ok());
  LaunchContext context;
  context.bindings = data.bindings();
  context.masks = &trace;
  for (Binding rows : {kKey, kValue})
    context.bindings[rows].shape = {2, kKeys, kDim};
  data.survivors[0] = 1;
  auto report = machine->launch(0, context);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(data.output, expected);
}

TEST(SpattenMachine, replays_a_trace_to_the_same_cycles) {
  TestProgram program;
  auto machine = makeMachine({"lsb_threshold=0.9"});
  program.config.threshold = 0.9f;
  ASSERT_TRUE(machine->load(program.build(), 0).ok());
  TestData data;
  MaskTrace trace;
  auto full = launch(*machine, data, RunMode::full, trace);
  ASSERT_TRUE(full.ok()) << full.error().message;
  EXPECT_EQ(trace.kernels.at("core.lsb").count(), 1);
  auto replayed = launch(*machine, data, RunMode::timing, trace);
  ASSERT_TRUE(replayed.ok()) << replayed.error().message;
  EXPECT_EQ(replayed->cycles, full->cycles);
  EXPECT_EQ(replayed->dramRead, full->dramRead);
  EXPECT_EQ(replayed->metrics, full->metrics);
}

// 12 keys in two groups of eight rows of 8 bytes, 6 values in one; low bits not needed.
TEST(SpattenMachine, counts_traffic_by_plane) {
  TestProgram program;
  program.config.threshold = 0;
  auto machine = makeMachine();
  ASSERT_TRUE(machine->load(program.build(), 0).ok());
  TestData data;
  MaskTrace trace;
  auto report = launch(*machine, data, RunMode::full, trace);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->metrics["dram_key_high_bytes"], 16 * 8);
  EXPECT_EQ(report->metrics["dram_key_low_bytes"], 0);
  EXPECT_EQ(report->metrics["dram_value_bytes"], 8 * 8);
  EXPECT_EQ(report->metrics["dram_query_bytes"], 12);
  EXPECT_EQ(report->metrics["dram_output_bytes"], 12);
}

TEST(SpattenMachine, explains_missing_masks) {
  TestProgram program;
  auto machine = makeMachine();
  ASSERT_TRUE(machine->load(program.build(), 0).ok());
  TestData data;
  MaskTrace trace;
  expectContains(launch(*machine, data, RunMode::timing, trace).error().message,
                 "the mask trace has no masks of kernel 'core'");
  trace.kernels["core"] = BitTensor(1, 1, 1, kKeys + 1);
  expectContains(launch(*machine, data, RunMode::timing, trace).error().message,
                 "'core' of the mask trace must have shape [1, 1, 1, 12], got [1, 1, 1, 13]");
  trace.kernels["core"] = BitTensor(1, 1, 1, kKeys);
  trace.kernels["core.hidden"] = BitTensor(1, 1, 1, kKeys + 1);
  expectContains(
      launch(*machine, data, RunMode::timing, trace).error().message,
      "'core.hidden' of the mask trace must have shape [1, 1, 1, 12], got [1, 1, 1, 13]");
}

TEST(SpattenErrors, explains_parameters) {
  auto spec = ArchSpec::parse(kArchYaml, "arch.yaml");
  ModelRegistry registry;
  registerSpattenModel(registry);
  auto errorOf = [&](const char *setting) {
    Arch arch(*spec);
    EXPECT_TRUE(arch.applySetting(setting).ok());
    auto machine = registry.find("spatten")->createMachine(arch);
    return machine.ok() ? "no error" : machine.error().message;
  };
  expectContains(errorOf("msb_bits=7"), "msb_bits = 7 is not one of the machine's settings");
  expectContains(errorOf("multipliers=100"),
                 "multipliers = 100 is no power of two, but the adder tree behind them splits in "
                 "halves (arch.yaml of spatten)");
  expectContains(errorOf("lsb_bits=2"), "lsb_bits = 2 is not one of the machine's settings");
}

TEST(SpattenErrors, explains_a_wrong_config) {
  expectContains(loadError([](TestProgram &p) { p.config.q_range = 0; }),
                 "12-bit words need calibrated ranges above 0, got tx = 0, ty = 4, tz = 4");
  expectContains(loadError([](TestProgram &p) { p.config.threshold = 2; }),
                 "threshold must lie between 0 and 1, got 2");
  expectContains(loadError([](TestProgram &) {}, {"multipliers=4"}),
                 "heads of 8 dimensions do not fit the adder tree of 4 inputs (parameter "
                 "'multipliers'); a power of two up to that fits");
  expectContains(loadError([](TestProgram &p) { p.config.scale = NAN; }), "scale must be a number");
  expectContains(loadError([](TestProgram &p) { p.configs = 2; }), "'config' is there twice");
  expectContains(loadError([](TestProgram &p) { p.configs = 0; }),
                 "'config' must be the first instruction");
}

TEST(SpattenErrors, explains_wrong_memories) {
  expectContains(loadError([](TestProgram &p) { p.memories.emplace_back("cache", 8, 1); }),
                 "uses memory 'cache', which SpAtten does not have");
  expectContains(loadError([](TestProgram &p) { std::get<1>(p.memories[0]) = 16; }),
                 "memory 'query' has elements of 12 bits, not 16");
  expectContains(loadError([](TestProgram &) {}, {"importance_buffer=32"}),
                 "needs 48 bytes of memory 'importance', which has 32");
}

TEST(SpattenErrors, explains_wrong_tiles) {
  expectContains(loadError([](TestProgram &p) { p.at(p.load.destination).cols = 11; }),
                 "expects tiles of one shape, got 1x12 and 1x11");
  expectContains(loadError([](TestProgram &p) { p.at(p.query.value).rows = 11; }),
                 "expects rows of values = 12 (rows of keys), got 11");
  expectContains(loadError([](TestProgram &p) { p.config.keys = 10; }),
                 "expects at most 10 keys (keys of 'config'), got 12");
  expectContains(loadError([](TestProgram &p) { p.config.head_dim = 4; }), "head_dim of 'config'");
  expectContains(loadError([](TestProgram &p) { p.at(p.store.destination).binding = kKey; }),
                 "binding 1 is an input and cannot be stored to");
}

TEST(SpattenErrors, explains_wrong_rankings) {
  expectContains(loadError([](TestProgram &p) { p.rank.k = 6; }),
                 "expects columns of the survivors = 6 (k), got 5");
  expectContains(loadError([](TestProgram &p) {
                   p.rank.k = 13;
                   p.at(p.rank.survivors).cols = 13;
                 }),
                 "keeps 13 of 12 scores");
  expectContains(loadError([](TestProgram &p) { p.rank.protect_last = 5; }),
                 "keeps 5 scores, but protects 6");
}

TEST(SpattenErrors, explains_wrong_lists_of_heads) {
  expectContains(loadError([](TestProgram &p) {
                   p.takeHeadFromList(2);
                   p.at(p.bind.heads).cols = p.at(p.setHeads.source).cols = 2;
                 }),
                 "expects columns of the head list = 1 (heads of 'config'), got 2");
  expectContains(loadError([](TestProgram &p) {
                   p.takeHeadFromList(1);
                   p.config.heads = 2;
                   p.at(p.bind.heads).cols = p.at(p.setHeads.source).cols = 2;
                 }),
                 "expects at most 1 heads (of), got 2");
  TestProgram program;
  program.takeHeadFromList(2);
  auto machine = makeMachine();
  ASSERT_TRUE(machine->load(program.build(), 0).ok());
  TestData data;
  MaskTrace trace;
  data.survivors[0] = 2;
  expectContains(launch(*machine, data, RunMode::full, trace).error().message,
                 "survivor 0 is 2; a list must ascend within the 2 heads");
  data.survivors[0] = 1;
  expectContains(launch(*machine, data, RunMode::full, trace).error().message,
                 "head 1 lies outside of its tensor");
}

TEST(SpattenErrors, explains_wrong_tensors) {
  TestProgram program;
  auto machine = makeMachine();
  ASSERT_TRUE(machine->load(program.build(), 0).ok());
  TestData data;
  MaskTrace trace;
  LaunchContext context;
  context.bindings = data.bindings();
  context.masks = &trace;
  context.bindings[kSurvivors].dtype = DType::f32;
  expectContains(machine->launch(0, context).error().message, "survivors must be int64");
  context.bindings[kSurvivors].dtype = DType::i8;
  expectContains(machine->launch(0, context).error().message,
                 "needs float32 and int64 tensors, binding 6 is int8");
  context.bindings = data.bindings();
  context.bindings[kKey].data = nullptr;
  expectContains(machine->launch(0, context).error().message, "binding 1 has no data");
}

} // namespace
