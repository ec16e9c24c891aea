// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ErrorsTest.cpp - programs that the machine refuses -----------------===//

#include "TestCore.h"

#include <cmath>

using namespace sparsam::sanger;
using namespace sparsam::sanger::test;
using namespace sparsam::runtime;

namespace {

const std::vector<std::string> kCalibrated{"tx=0.5", "ty=0.5"};

/// Loads a changed program and gives the message.
std::string loadError(const std::function<void(Core &)> &change,
                      std::vector<std::string> settings = kCalibrated) {
  Core core({1, 64, 64, 16}, settings);
  change(core);
  Status status = core.load();
  EXPECT_FALSE(status.ok());
  return status ? "" : status.error().message;
}

/// The error of loading and running `core` as it is; "" if there is none.
std::string launchError(Core &core) {
  EXPECT_TRUE(core.load().ok());
  LaunchContext context;
  context.bindings = core.data.bindings(core.shape);
  auto report = core.machine->launch(0, context);
  EXPECT_FALSE(report.ok());
  return report ? "" : report.error().message;
}

void expectContains(const std::string &text, const std::string &part) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST(SangerErrors, MissingCalibration) {
  expectContains(loadError([](Core &) {}, {}), "prediction needs calibrated ranges above 0, got tx "
                                               "= 0, ty = 0; run 'sparsam calibrate' and compile "
                                               "again");
}

TEST(SangerErrors, ConfigFieldsOutOfRange) {
  expectContains(loadError([](Core &c) { c.program.config.scale = NAN; }),
                 "scale must be a number in [-65536, 65536]");
  expectContains(loadError([](Core &c) { c.program.config.threshold = 1; }),
                 "threshold must lie between 0 and 1, got 1");
  expectContains(loadError([](Core &c) { c.program.config.bits = 5; }),
                 "bits must be 2, 4, 6 or 8, got 5");
}

TEST(SangerErrors, ConfigTwice) {
  expectContains(loadError([](Core &c) { c.program.prologue = {c.program.config}; }),
                 "'config' is there twice");
}

TEST(SangerErrors, UnknownMemory) {
  expectContains(loadError([](Core &c) { std::get<0>(c.program.memories[0]) = "cache"; }),
                 "uses memory 'cache', which Sanger does not have; there are: query, key");
}

TEST(SangerErrors, WrongElementWidth) {
  expectContains(loadError([](Core &c) { std::get<1>(c.program.memories[2]) = 8; }),
                 "memory 'key' has elements of 16 bits, not 8");
}

TEST(SangerErrors, MemoryTooSmall) {
  expectContains(loadError([](Core &) {}, {"tx=0.5", "ty=0.5", "query_buffer=1KB"}),
                 "needs 4096 bytes of memory 'query', which has 1024 (parameter 'query_buffer'); "
                 "compile for this "
                 "architecture, or raise the parameter");
}

TEST(SangerErrors, HeadDimDoesNotFitTiles) {
  expectContains(loadError([](Core &c) { c.program.config.head_dim = 8; }),
                 "expects columns of a tile = 8 (head_dim of 'config'), got 16");
}

TEST(SangerErrors, MoreQueriesThanTheTileHolds) {
  expectContains(loadError([](Core &c) { c.program.config.queries = 65; }),
                 "expects the query tile to hold all 65 queries of the head, got 64 rows");
}

TEST(SangerErrors, PredictionDoesNotFitConfig) {
  expectContains(loadError([](Core &c) { c.program.config.predict = false; }),
                 "'score' needs 'config' with predict");
  expectContains(loadError([](Core &c) { c.program.config.keys = 1000; }),
                 "columns of the stripe up to the next 'lowbit_cols'");
}

TEST(SangerErrors, MaskTileDoesNotFitTheStripe) {
  // The program is made for stripes of 64 columns.
  expectContains(loadError([](Core &c) { c.program = {c.shape, makeArch(kCalibrated)}; },
                           {"tx=0.5", "ty=0.5", "stripe=32"}),
                 "expects at most 32 columns of the mask tile (parameter 'stripe'), got 64");
}

TEST(SangerErrors, ArrayOrder) {
  auto change = [](auto edit) { return loadError([&](Core &c) { c.program.changeBlock = edit; }); };
  using Block = std::vector<Isa::Instruction>;
  expectContains(change([](Block &b) { b.erase(b.begin() + 1); }),
                 "'spmm' must follow 'exp' on the same block, not sddmm");
  expectContains(change([](Block &b) { std::swap(b[0], b[1]); }),
                 "'exp' must follow 'sddmm' on the same block, not an empty array");
  expectContains(change([](Block &b) { b.insert(b.begin() + 1, b[0]); }),
                 "'sddmm' must follow a finished block on the same block, not sddmm");
  expectContains(change([](Block &b) { b.pop_back(); }),
                 "ends after 'spmm', while its block is in the array");
}

TEST(SangerErrors, TwoBlocksForOneCount) {
  Core core({1, 64, 64, 16}, kCalibrated);
  core.program.changeBlock = [](std::vector<Isa::Instruction> &b) {
    auto copy = b;
    b.insert(b.end(), copy.begin(), copy.end());
  };
  expectContains(launchError(core), "sddmm takes a block of a list that has no more");
}

TEST(SangerErrors, ConfigDoesNotFitTensors) {
  Core core({1, 64, 64, 16}, kCalibrated);
  core.program.config.queries = 63;
  expectContains(launchError(core),
                 "'config' says 1 heads of 63 queries and 16 dimensions, but their tensor has "
                 "1024 elements");
}

TEST(SangerErrors, LoadsNoQueriesOrKeys) {
  for (bool loadsQueries : {false, true}) {
    Core core({1, 64, 64, 16}, kCalibrated);
    core.program.loadsQueries = loadsQueries;
    core.program.loadsKeys = !loadsQueries;
    EXPECT_EQ(launchError(core),
              std::string("kernel 'attention_0' loads no ") + (loadsQueries ? "keys" : "queries"));
  }
}

/// The error of running a program of two heads without its instructions `name`.
std::string errorWithout(const char *name, RunMode mode) {
  CoreShape shape{2, 128, 128, 16};
  shape.biasRows = 1;
  Core core(shape, kCalibrated);
  core.run(RunMode::functional); // masks to replay
  core.program.without = name;
  Status loaded = core.load();
  EXPECT_TRUE(loaded.ok()) << (loaded ? "" : loaded.error().message);
  LaunchContext context;
  context.mode = mode;
  context.bindings = core.data.bindings(core.shape);
  context.masks = &core.masks;
  auto report = core.machine->launch(0, context);
  return report ? "none" : report.error().message;
}

TEST(SangerErrors, MissingInstructions) {
  const std::string kernel = "kernel 'attention_0': ",
                    written = " where no instruction has written";
  for (RunMode mode : {RunMode::functional, RunMode::timing}) {
    auto expect = [&](const char *name, const std::string &message) {
      EXPECT_EQ(errorWithout(name, mode), kernel + message) << "without " << name;
    };
    expect("load_bias", "'score' reads memory 'bias'" + written);
    expect("quantize_query", "'score' reads memory 'low_query'" + written);
    expect("quantize_key", "'score' reads memory 'low_key'" + written);
    expect("score",
           "'softmax_threshold' takes 128 columns of scores before 'score' has made all of "
           "them");
    expect("softmax_threshold", "'pack_split' reads memory 'mask'" + written);
    expect("pack_split", "'seal_blocks' reads memory 'blocks'" + written);
    expect("load_value", "'spmm' reads memory 'value'" + written);
    expect("clear_output", "'accumulate' adds to output rows that 'clear_output' has not cleared");
    expect("normalize", "'store_output' stores output rows that 'normalize' has not divided");
  }
}

TEST(SangerErrors, ValuesOfAnotherStripe) {
  Core core({1, 128, 128, 16}, kCalibrated);
  core.program.changeBlock = [&](std::vector<Isa::Instruction> &block) {
    uint16_t &value = std::get<insn::Spmm>(block[2]).value;
    Address firstSlot = core.program.addresses[value];
    firstSlot.terms = {};
    core.program.addresses.push_back(firstSlot);
    value = uint16_t(core.program.addresses.size() - 1);
  };
  EXPECT_EQ(launchError(core),
            "kernel 'attention_0': spmm takes values from token 0 on for a stripe "
            "of keys from token 64 on");
}

TEST(SangerErrors, HeadBeyondTheOthers) {
  Core core({1, 64, 64, 16}, kCalibrated);
  insn::SelectHead select;
  select.head = 0; // the descriptor that the core's own select_head uses
  core.program.prologue = {};
  core.program.config.heads = 1;
  ASSERT_TRUE(core.load().ok());
  core.program.config.heads = 2;
  expectContains(launchError(core), "'config' says 2 heads");
}

TEST(SangerErrors, TensorTypes) {
  Core core({1, 64, 64, 16}, kCalibrated);
  ASSERT_TRUE(core.load().ok());
  LaunchContext context;
  context.bindings = core.data.bindings(core.shape);
  context.bindings[1].dtype = DType::i32;
  auto report = core.machine->launch(0, context);
  ASSERT_FALSE(report.ok());
  expectContains(report.error().message,
                 "kernel 'attention_0' needs float32 tensors, binding 1 is int32");
}

TEST(SangerErrors, ReplayWithoutOrWithWrongMasks) {
  Core core({1, 64, 64, 16}, kCalibrated);
  ASSERT_TRUE(core.load().ok());
  LaunchContext context;
  context.mode = RunMode::timing;
  context.bindings = core.data.bindings(core.shape);
  context.masks = &core.masks;
  expectContains(core.machine->launch(0, context).error().message,
                 "the mask trace has no masks of kernel 'attention_0'; record one with the program "
                 "that replays it");
  core.masks.kernels["attention_0"] = BitTensor(1, 2, 64, 64);
  expectContains(core.machine->launch(0, context).error().message,
                 "the masks of kernel 'attention_0' must be for 1 heads, 64 queries and 64 keys, "
                 "got [1, 2, 64, 64]");
  core.masks.kernels["attention_0"] = BitTensor(1, 1, 64, 64);
  core.masks.kernels["attention_0.valid"] = BitTensor(1, 1, 1, 63);
  expectContains(core.machine->launch(0, context).error().message,
                 "the mask trace of kernel 'attention_0': the valid keys must be [1, 1, 1, 64], "
                 "got [1, 1, 1, 63]");
  expectContains(core.machine->launch(7, context).error().message, "stage 7 is not loaded");
}

} // namespace
