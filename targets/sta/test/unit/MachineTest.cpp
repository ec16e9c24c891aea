// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- MachineTest.cpp - programs assembled by hand -----------------------===//

#include "runtime/kernel/Machine.h"
#include "runtime/program/Program_generated.h"
#include "targets/sta/StaIsa.h"
#include "targets/sta/StaYaml.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <functional>
#include <random>

namespace sparsam::sta {

void registerStaModel(runtime::ModelRegistry &registry);

namespace {

using namespace runtime;

Arch archOf(const std::vector<std::string> &settings) {
  auto spec = ArchSpec::parse(kArchYaml, "sta/arch.yaml");
  EXPECT_TRUE(spec) << spec.error().message;
  Arch arch(spec.take());
  for (const std::string &setting : settings)
    EXPECT_TRUE(arch.applySetting(setting));
  return arch;
}

/// Numbers of the memories in descriptors.
enum Memory : uint16_t { kDram = 1, kActivation, kBitmaps, kConstants, kMask, kValues };

/// A product of 64 rows of weights with 16 tokens on 4 engines of 8 x 16: two tiles.
///   bindings: values, bitmaps, x [16, 64], bias [64], y [16, 64]
struct Product {
  static constexpr int64_t kRows = 64, kDepth = 64, kTokens = 16, kTile = 32;

  explicit Product(std::vector<std::string> settings = {}) {
    settings.insert(settings.begin(), {"tile_rows=8", "tile_cols=16"});
    arch = std::make_unique<Arch>(archOf(settings));
    n = arch->integer("n");
    m = arch->integer("m");
    const auto bits = uint32_t(m);
    memories = {{"activation", 16, 4096},
                {"bitmaps", bits, 2048},
                {"constants", 32, 256},
                {"mask", 32, 64},
                {"values", 16, 8192}};
    config = {uint32_t(n), uint32_t(m), 4, 8, 16, 1, 4, 16, 16, false};
    std::mt19937 random(1);
    for (int64_t g = 0; g < kRows * kDepth / m; ++g) {
      uint8_t bitmap = 0;
      while (std::popcount(bitmap) < n)
        bitmap |= uint8_t(1u << random() % unsigned(m));
      bitmaps.push_back(bitmap);
    }
    for (int64_t i = 0; i < kRows * kDepth / m * n; ++i)
      values.push_back(float(int(random() % 200) - 100) / 64);
    for (int64_t i = 0; i < kTokens * kDepth; ++i)
      x.push_back(float(int(random() % 200) - 100) / 32);
    for (int64_t i = 0; i < kRows; ++i)
      bias.push_back(float(i) / 8);
    y.assign(size_t(kTokens * kRows), -1);
  }

  uint16_t address(uint16_t memory, uint16_t binding, int64_t base, int64_t rows, int64_t cols,
                   int64_t stride, uint32_t limit = 1 << 20) {
    std::array<program::Term, 8> terms{};
    descriptors.emplace_back(base, uint32_t(rows), uint32_t(cols), uint64_t(stride), 0, limit,
                             memory, binding, flatbuffers::span<const program::Term, 8>(terms));
    return uint16_t(descriptors.size() - 1);
  }
  void emit(const Isa::Instruction &insn) { instructions.push_back(insn); }

  /// The program; `change` may change its instructions.
  const program::AcceleratorStage &build() {
    const int64_t groups = kDepth / m, words = groups * n;
    emit(config);
    const uint16_t bias = address(kConstants, 0, 0, 1, kRows, kRows);
    emit(insn::LoadConst{address(kDram, 3, 0, 1, kRows, kRows), bias, 0});
    const uint16_t source = address(kActivation, 0, 0, kTokens, kDepth, kDepth);
    emit(insn::LoadAct{address(kDram, 2, 0, kTokens, kDepth, kDepth, kTokens), source, 0});
    for (int64_t tile = 0; tile < kRows / kTile; ++tile) {
      const int64_t first = tile * kTile;
      const uint16_t slot = address(kValues, 0, tile * kTile * words, kTile, words, words),
                     map = address(kBitmaps, 0, tile * kTile * groups, kTile, groups, groups);
      emit(insn::LoadW{address(kDram, 0, first * words, kTile, words, words), slot,
                       address(kDram, 1, first * groups, kTile, groups, groups), map});
      insn::MmSd product{};
      product.weights = slot;
      product.bitmaps = map;
      product.source = source;
      product.bias = address(kConstants, 0, first, 1, kTile, kRows);
      product.destination = address(kActivation, 0, 1024 + first, kTokens, kTile, kRows);
      product.first = product.last = true;
      emit(product);
    }
    emit(insn::StoreAct{address(kActivation, 0, 1024, kTokens, kRows, kRows),
                        address(kDram, 4, 0, kTokens, kRows, kRows, kTokens), 0});
    if (change)
      change(*this);
    std::vector<uint32_t> code;
    for (const Isa::Instruction &insn : instructions)
      Isa::encode(insn, code);
    code.push_back(0x0100);
    std::vector<flatbuffers::Offset<program::Memory>> images;
    for (const auto &[name, bits, elements] : memories)
      images.push_back(program::CreateMemoryDirect(builder, name.c_str(), bits, elements));
    const std::vector<int32_t> bindings = {0, 1, 2, 3, 4};
    builder.Finish(program::CreateAcceleratorStageDirect(builder, "sta", "layer_0", &bindings, 4,
                                                         &images, &descriptors, &code));
    return *flatbuffers::GetRoot<program::AcceleratorStage>(builder.GetBufferPointer());
  }

  Status load() {
    ModelRegistry registry;
    registerStaModel(registry);
    auto made = registry.find("sta")->createMachine(*arch);
    if (!made)
      return made.error();
    machine = made.take();
    return machine->load(build(), 0);
  }
  Result<LaunchReport> launch(RunMode mode) {
    LaunchContext context;
    context.mode = mode;
    context.masks = &masks;
    const int64_t groups = kDepth / m;
    context.bindings = {{DType::f32, {kRows, groups * n}, values.data()},
                        {DType::u8, {kRows, groups}, bitmaps.data()},
                        {DType::f32, {1, kTokens, kDepth}, x.data()},
                        {DType::f32, {kRows}, bias.data()},
                        {DType::f32, {1, kTokens, kRows}, y.data()}};
    return machine->launch(0, context);
  }

  /// The instruction of a kind that `number` others come before.
  template <typename T> T &find(int number = 0) {
    for (Isa::Instruction &insn : instructions)
      if (T *found = std::get_if<T>(&insn); found && number-- == 0)
        return *found;
    static T none;
    ADD_FAILURE() << "no such instruction";
    return none;
  }

  std::unique_ptr<Arch> arch;
  int64_t n = 0, m = 0;
  insn::Config config;
  std::vector<std::tuple<std::string, uint32_t, uint64_t>> memories;
  std::vector<program::Descriptor> descriptors;
  std::vector<Isa::Instruction> instructions;
  std::function<void(Product &)> change;
  std::vector<float> values, x, bias, y;
  std::vector<uint8_t> bitmaps;
  flatbuffers::FlatBufferBuilder builder;
  std::unique_ptr<Machine> machine;
  MaskTrace masks;
};

Cycle busyOf(const LaunchReport &report, const std::string &unit) {
  for (const UnitUse &use : report.units)
    if (use.unit == unit)
      return use.busy;
  return Cycle(-1);
}

TEST(Machine, ComputesTheProductOfThePrunedMatrix) {
  Product program;
  ASSERT_TRUE(program.load());
  auto report = program.launch(RunMode::full);
  ASSERT_TRUE(report) << report.error().message;
  for (int64_t t = 0; t < Product::kTokens; ++t)
    for (int64_t r = 0; r < Product::kRows; ++r) {
      double sum = program.bias[size_t(r)];
      size_t value = size_t(r * Product::kDepth / program.m * program.n);
      for (int64_t k = 0; k < Product::kDepth; ++k)
        if (program.bitmaps[size_t(r * Product::kDepth / program.m + k / program.m)] >>
                (k % program.m) &
            1)
          sum += program.values[value++] * program.x[size_t(t * Product::kDepth + k)];
      EXPECT_NEAR(program.y[size_t(t * Product::kRows + r)], sum, 1e-4);
    }
}

TEST(Machine, SaysWhatIsNoNumber) {
  Product program;
  program.x[5] = NAN;
  program.bias[0] = program.bias[1] = INFINITY;
  ASSERT_TRUE(program.load());
  auto report = program.launch(RunMode::full);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->metrics["warnings"][0],
            "there are values that are NaN or infinite (1 in input 2, 2 in input 3); results that "
            "they enter are wrong, though they may be finite");
}

TEST(Machine, TakesTheCyclesOfTheWorkedExample) {
  Product program;
  ASSERT_TRUE(program.load());
  auto report = program.launch(RunMode::timing);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(busyOf(*report, "dmme"), Cycle(92)); // 2 tiles of 8 + 22 + 16
  EXPECT_EQ(report->metrics["macs"], 64 * 16 * 16);
  EXPECT_EQ(report->metrics["weight_bytes"], 64 * 8 * 5); // 2 words and a bitmap per group
  // 64 weights' tiles, x, y of 16 bits, bias of 32.
  EXPECT_EQ(report->dramRead, Bytes(64 * 8 * 5 + 16 * 64 * 2 + 64 * 4));
  EXPECT_EQ(report->dramWritten, Bytes(16 * 64 * 2));
}

TEST(Machine, FullAndTimingTakeTheSameCycles) {
  Product program;
  ASSERT_TRUE(program.load());
  auto full = program.launch(RunMode::full), timing = program.launch(RunMode::timing);
  ASSERT_TRUE(full && timing);
  EXPECT_EQ(full->cycles, timing->cycles);
  EXPECT_EQ(program.masks.kernels.at("layer_0").count(), 4 * 16 * 16);
}

TEST(Machine, UncompressedWeightsTakeTheDensePath) {
  Product program;
  program.change = [](Product &p) {
    for (int tile = 0; tile < 2; ++tile) {
      const uint16_t slot = p.address(kValues, 0, 0, 32, 64, 64);
      insn::LoadW &load = p.find<insn::LoadW>(tile);
      load.values = p.address(kDram, 2, 0, 32, 64, 0); // any floats
      load.value_slot = slot;
      load.bitmaps = load.bitmap_slot = kAbsentOperand;
      insn::MmSd &product = p.find<insn::MmSd>(tile);
      product.weights = slot;
      product.bitmaps = kAbsentOperand;
    }
  };
  ASSERT_TRUE(program.load());
  auto report = program.launch(RunMode::timing);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(busyOf(*report, "dmme"), Cycle(2 * (32 + 22 + 16)));
}

TEST(Machine, EnergyIsPowerTimesTimeOfWhatIsBusy) {
  Product program({"power_w=2", "clock_mhz=100", "share_others=0.5", "share_multipliers=0.25"});
  ASSERT_TRUE(program.load());
  auto report = program.launch(RunMode::timing);
  ASSERT_TRUE(report);
  for (const EnergyUse &use : report->energy) {
    if (use.event == "cycle") // 2 W / 100 MHz = 20 nJ per cycle, half of it
      EXPECT_DOUBLE_EQ(use.count * use.picojoulesEach, 1e4 * double(report->cycles.value));
    if (use.event == "mac") // 1024 multipliers
      EXPECT_DOUBLE_EQ(use.count * use.picojoulesEach, 5e3 * 64 * 16 * 16 / 1024);
  }
}

//===-- Errors -------------------------------------------------------------===//

std::string loadError(const std::function<void(Product &)> &change) {
  Product program;
  program.change = change;
  Status status = program.load();
  return status ? "loads" : status.error().message;
}
std::string launchError(const std::function<void(Product &)> &change) {
  Product program;
  program.change = change;
  if (Status status = program.load(); !status)
    return status.error().message;
  auto report = program.launch(RunMode::full);
  return report ? "runs" : report.error().message;
}

TEST(MachineErrors, InstructionsMustReadWhatOthersWrote) {
  auto without = [](auto kind) {
    return launchError([=](Product &p) {
      std::erase_if(p.instructions, [](const Isa::Instruction &insn) {
        return std::holds_alternative<decltype(kind)>(insn);
      });
    });
  };
  const std::string kernel = "kernel 'layer_0': ", written = " where no instruction has written";
  EXPECT_EQ(without(insn::LoadAct{}), kernel + "'mm_sd' reads memory 'activation'" + written);
  EXPECT_EQ(without(insn::LoadConst{}), kernel + "'mm_sd' reads memory 'constants'" + written);
  EXPECT_EQ(without(insn::MmSd{}), kernel + "'store_act' reads memory 'activation'" + written);
}

TEST(MachineErrors, ConfigMustComeFirstAndFit) {
  const std::string at = "kernel 'layer_0', instruction ";
  EXPECT_EQ(loadError([](Product &p) { p.instructions.erase(p.instructions.begin()); }),
            at + "0: 'config' must be the first instruction");
  EXPECT_EQ(loadError([](Product &p) { p.instructions.clear(); }),
            "kernel 'layer_0' has no instruction 'config'; it must be the first one");
  EXPECT_EQ(loadError([](Product &p) { p.emit(p.config); }), at + "8: 'config' is there twice");
  EXPECT_EQ(loadError([](Product &p) { p.find<insn::Config>().n = 1; }),
            at + "0: expects n = 2 (parameter 'n'), got 1");
  EXPECT_EQ(loadError([](Product &p) { p.find<insn::Config>().rows = 4; }),
            at + "0: expects rows = 8 (parameter 'tile_rows'), got 4");
  EXPECT_EQ(loadError([](Product &p) {
              p.find<insn::Config>().queries = p.find<insn::Config>().keys = 16777215;
            }),
            at + "0: an attention of 1.1259e+15 pairs is not possible");
}

TEST(MachineErrors, ShapesMustFit) {
  auto withProduct = [](const std::function<void(Product &, insn::MmSd &)> &change) {
    return loadError([&](Product &p) { change(p, p.find<insn::MmSd>()); });
  };
  const std::string at = "kernel 'layer_0', instruction 4: ";
  EXPECT_EQ(withProduct([](Product &p, insn::MmSd &i) {
              i.destination = p.address(kActivation, 0, 0, 8, 32, 64);
            }),
            at + "expects rows of the result = 16 (tokens of the source), got 8");
  EXPECT_EQ(withProduct([](Product &p, insn::MmSd &i) {
              i.destination = p.address(kActivation, 0, 0, 16, 16, 64);
            }),
            at + "expects columns of the result = 32 (rows of weights), got 16");
  EXPECT_EQ(withProduct([](Product &, insn::MmSd &i) { i.bitmaps = kAbsentOperand; }),
            at + "expects weights per row = 64 (columns of the source), got 16");
  EXPECT_EQ(withProduct(
                [](Product &p, insn::MmSd &i) { i.bitmaps = p.address(kBitmaps, 0, 0, 32, 4, 8); }),
            at + "expects groups = 64 (columns of the source), got 32");
  EXPECT_EQ(withProduct(
                [](Product &p, insn::MmSd &i) { i.bitmaps = p.address(kBitmaps, 0, 0, 16, 8, 8); }),
            at + "expects rows of bitmaps = 32 (rows of weights), got 16");
  EXPECT_EQ(withProduct(
                [](Product &p, insn::MmSd &i) { i.weights = p.address(kValues, 0, 0, 32, 8, 16); }),
            at + "expects values per row = 16 (n per group), got 8");
  EXPECT_EQ(withProduct(
                [](Product &p, insn::MmSd &i) { i.bias = p.address(kConstants, 0, 0, 1, 16, 64); }),
            at + "expects a bias of 1x32, got 1x16");
  EXPECT_EQ(withProduct([](Product &p, insn::MmSd &i) {
              i.residual = p.address(kActivation, 0, 0, 16, 64, 64);
            }),
            at + "expects a residual of 16x32, got 16x64");
  EXPECT_EQ(withProduct([](Product &p, insn::MmSd &i) {
              i.source = p.address(kActivation, 0, 0, 32, 64, 64);
              i.destination = p.address(kActivation, 0, 0, 32, 32, 64);
            }),
            at + "expects at most 16 tokens (parameter 'tile_cols'), got 32");
  EXPECT_EQ(withProduct([](Product &p, insn::MmSd &i) {
              i.weights = p.address(kValues, 0, 0, 64, 16, 16);
              i.destination = p.address(kActivation, 0, 0, 16, 64, 64);
            }),
            at + "expects at most 32 rows of weights (engines * tile_rows), got 64");
}

TEST(MachineErrors, WeightsMustFit) {
  auto withLoad = [](const std::function<void(Product &, insn::LoadW &)> &change) {
    return loadError([&](Product &p) { change(p, p.find<insn::LoadW>()); });
  };
  const std::string at = "kernel 'layer_0', instruction 3: ";
  EXPECT_EQ(withLoad([](Product &, insn::LoadW &i) { i.bitmaps = kAbsentOperand; }),
            at + "bitmaps need a source and a slot");
  EXPECT_EQ(withLoad([](Product &, insn::LoadW &i) { i.bitmap_slot = kAbsentOperand; }),
            at + "bitmaps need a source and a slot");
  auto bitmaps = [&](int64_t rows, int64_t cols) {
    return withLoad([=](Product &p, insn::LoadW &i) {
      i.bitmaps = p.address(kDram, 1, 0, rows, cols, 8);
      i.bitmap_slot = p.address(kBitmaps, 0, 0, rows, cols, 8);
    });
  };
  EXPECT_EQ(bitmaps(32, 8), "loads");
  EXPECT_EQ(bitmaps(16, 8), at + "expects rows of bitmaps = 32 (rows of values), got 16");
  EXPECT_EQ(bitmaps(32, 4), at + "expects values per row = 8 (n per group), got 16");
}

TEST(MachineErrors, PartialSumsMustBeginAndEnd) {
  const std::string at = "kernel 'layer_0', instruction ";
  EXPECT_EQ(loadError([](Product &p) { p.find<insn::MmSd>().first = false; }),
            at + "4: expects 'first': there are no partial sums in the engine");
  EXPECT_EQ(loadError([](Product &p) { p.find<insn::MmSd>().last = false; }),
            at + "6: 'first' would lose the partial sums in the engine");
  EXPECT_EQ(loadError([](Product &p) { p.find<insn::MmSd>(1).last = false; }),
            "kernel 'layer_0' ends while partial sums are in the engine; 'mm_sd' with 'last' is "
            "missing");
}

TEST(MachineErrors, AttentionMustFit) {
  auto with = [](const std::function<Isa::Instruction(Product &)> &make) {
    return loadError([&](Product &p) { p.emit(make(p)); });
  };
  const std::string at = "kernel 'layer_0', instruction 8: ";
  auto scores = [&](uint32_t heads, int64_t rows, float scale) {
    return with([=](Product &p) -> Isa::Instruction {
      insn::MmDd i{};
      i.a = i.b = p.address(kActivation, 0, 0, 16, 64, 64);
      i.destination = p.address(kActivation, 0, 0, rows, 16, 16);
      i.heads = heads;
      i.scale = scale;
      return i;
    });
  };
  EXPECT_EQ(scores(4, 64, 1), "loads");
  EXPECT_EQ(scores(4, 32, 1), at + "expects scores of 64x16, got 32x16");
  EXPECT_EQ(scores(3, 48, 1), at + "expects columns of a beyond whole heads = 0 (heads), got 1");
  EXPECT_EQ(scores(8, 128, 1), at + "expects at most 4 heads (parameter 'engines'), got 8");
  EXPECT_EQ(scores(4, 64, INFINITY), at + "scale must be a number in [-65536, 65536], got inf");
  auto softmax = [&](uint32_t heads, uint32_t result, int64_t maskRows, int64_t maskCols = 16,
                     uint32_t fraction = 0) {
    return with([=](Product &p) -> Isa::Instruction {
      insn::Softmax i{};
      i.scores = p.address(kActivation, 0, 0, 16, 16, 16);
      i.query = p.address(0, 0, 0, 1, 1, 0);
      i.mask = p.address(kMask, 0, 0, maskRows, maskCols, 16);
      i.heads = heads;
      i.fraction = fraction;
      i.out_fraction = result;
      return i;
    });
  };
  EXPECT_EQ(softmax(4, 15, 1), "loads");
  EXPECT_EQ(softmax(3, 15, 1), at + "expects rows of scores for 3 heads, got 16");
  EXPECT_EQ(softmax(4, 16, 1),
            at + "expects fraction bits of at most 31 and 15 (parameter 'softmax_levels'), got 0 "
                 "and 16");
  EXPECT_EQ(softmax(4, 15, 1, 16, 32),
            at + "expects fraction bits of at most 31 and 15 (parameter 'softmax_levels'), got 32 "
                 "and 15");
  EXPECT_EQ(softmax(4, 15, 2), at + "expects a mask of 1 or 4 rows, got 2");
  EXPECT_EQ(softmax(4, 15, 1, 8),
            at + "expects columns of the mask = 16 (columns of the scores), got 8");
}

TEST(MachineErrors, NormalisationMustFit) {
  auto with = [](const std::function<void(insn::LayerNorm &)> &change) {
    return loadError([&](Product &p) {
      insn::LayerNorm i{};
      i.source = i.destination = p.address(kActivation, 0, 0, 16, 64, 64);
      i.scale = p.address(kConstants, 0, 0, 1, 64, 64);
      i.bias = kAbsentOperand;
      change(i);
      p.emit(i);
    });
  };
  const std::string at = "kernel 'layer_0', instruction 8: ";
  EXPECT_EQ(with([](insn::LayerNorm &i) { i.fraction = 31; }), "loads");
  EXPECT_EQ(with([](insn::LayerNorm &i) { i.epsilon = -1; }),
            at + "epsilon must be a number of at least 0, got -1");
  for (uint32_t insn::LayerNorm::*bits :
       {&insn::LayerNorm::source_fraction, &insn::LayerNorm::scale_fraction,
        &insn::LayerNorm::fraction})
    EXPECT_EQ(with([=](insn::LayerNorm &i) { i.*bits = 32; }),
              at + "expects at most 31 fraction bits");
}

TEST(MachineErrors, DataMustFit) {
  EXPECT_EQ(launchError([](Product &p) { p.bitmaps[3] = 0xff; }),
            "kernel 'layer_0': the bitmap of row 0, group 3 keeps 8 of 8 positions, not n = 2");
  Product program({"numerics=fixed"});
  ASSERT_TRUE(program.load());
  auto report = program.launch(RunMode::full);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().message, "kernel 'layer_0' needs binding 0 to be int16, got float32");
  EXPECT_EQ(loadError([](Product &p) {
              p.find<insn::StoreAct>().destination = p.address(kDram, 2, 0, 16, 64, 64);
            }),
            "kernel 'layer_0', instruction 7: binding 2 is an input and cannot be stored to");
}

TEST(MachineErrors, MemoriesMustFit) {
  EXPECT_EQ(loadError([](Product &p) { std::get<2>(p.memories[4]) = 1 << 20; }),
            "kernel 'layer_0' needs 2097152 bytes of memory 'values', which has 786432 (parameter "
            "'weight_memory'); compile for this architecture, or raise the parameter");
  EXPECT_EQ(loadError([](Product &p) { std::get<1>(p.memories[1]) = 4; }),
            "kernel 'layer_0': memory 'bitmaps' has elements of 8 bits, not 4");
}

} // namespace
} // namespace sparsam::sta
