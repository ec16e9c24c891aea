// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- KernelModelTest.cpp - a target's model made of its parts -----------===//

#include "runtime/kernel/KernelModel.h"
#include "runtime/test/ToyIsa.h"

#include <gtest/gtest.h>

namespace sparsam::runtime {
namespace {

constexpr std::string_view kArch = "target: toy\n"
                                   "summary: toy\n"
                                   "parameters:\n"
                                   "  all:\n"
                                   "    clock_mhz: {value: 2.0, summary: s, source: A}\n";

/// A machine of at most 100 MHz, and programs of at most three instructions.
struct ToyParams {
  double clock = 0;
  static Result<ToyParams> from(const Arch &arch) {
    if (arch.real("clock_mhz") > 100)
      return makeError("too fast");
    return ToyParams{arch.real("clock_mhz")};
  }
};
struct ToyKernel {
  Stage<toy::Isa> stage;
  static Result<ToyKernel> load(const program::AcceleratorStage &table, const ToyParams &,
                                const Arch &) {
    Result<Stage<toy::Isa>> stage = Stage<toy::Isa>::load(table);
    if (!stage)
      return stage.error();
    if (stage->instructions().size() > 3)
      return makeError("too long");
    return ToyKernel{stage.take()};
  }
};

Status launch(const ToyKernel &kernel, const ToyParams &params, LaunchContext &context,
              LaunchReport &report) {
  if (context.mode == RunMode::timing)
    return makeError("no time");
  report.instructions = int64_t(kernel.stage.instructions().size());
  report.metrics["clock"] = params.clock;
  return Status();
}

Result<nlohmann::ordered_json> analyze(const SimulateRequest &, const ToyParams &params,
                                       const Arch &) {
  return nlohmann::ordered_json{{"clock", params.clock}};
}

RecipeTable<ToyParams> recipes() {
  RecipeTable<ToyParams> table;
  table.add("clock", {}, [](RecipeValues, const ToyParams &params) { return params.clock; });
  return table;
}

CalibrationRules calibration(const Arch &) { return {{"tx", "q_absmax"}, {"ty", "k_absmax"}}; }

const TargetModel &model() {
  static const ModelRegistry registry = [] {
    ModelRegistry models;
    addModel<ToyParams, ToyKernel>(models, "toy",
                                   {.archYaml = kArch,
                                    .paperYaml = "",
                                    .launch = launch,
                                    .analyze = analyze,
                                    .recipes = recipes,
                                    .calibration = calibration});
    return models;
  }();
  return *registry.find("toy");
}

Arch arch(double clock = 2) {
  Arch arch(ArchSpec::parse(kArch, "arch.yaml").take());
  EXPECT_TRUE(bool(arch.set("clock_mhz", clock)));
  return arch;
}

TEST(KernelModel, LaunchesWhatIsLoaded) {
  auto machine = model().createMachine(arch()).take();
  toy::StageBuilder stage = toy::exampleStage();
  ASSERT_TRUE(bool(machine->load(stage.build(), 4)));
  LaunchContext context;
  context.mode = RunMode::functional;
  Result<LaunchReport> report = machine->launch(4, context);
  ASSERT_TRUE(bool(report)) << report.error().message;
  EXPECT_EQ(report->kernel, "attention_0");
  EXPECT_EQ(report->instructions, 3);
  EXPECT_EQ(report->metrics["clock"], 2);
  EXPECT_EQ(machine->disassemble(stage.build())->find("loop 2\n  toy.load d0 to d1\n"), 0u);
}

TEST(KernelModel, HandsErrorsOn) {
  auto machine = model().createMachine(arch()).take();
  LaunchContext context;
  context.mode = RunMode::timing;
  EXPECT_EQ(machine->launch(4, context).error().message, "stage 4 is not loaded");
  toy::StageBuilder stage = toy::exampleStage();
  ASSERT_TRUE(bool(machine->load(stage.build(), 4)));
  EXPECT_EQ(machine->launch(4, context).error().message, "no time");
  stage.words.insert(stage.words.begin(), {0x0111});
  EXPECT_EQ(machine->load(stage.build(), 5).error().message, "too long");
  EXPECT_EQ(machine->launch(5, context).error().message, "stage 5 is not loaded");
  stage.words.clear();
  EXPECT_FALSE(bool(machine->load(stage.build(), 6)));
  EXPECT_FALSE(bool(machine->disassemble(stage.build())));
}

TEST(KernelModel, ReadsParametersFirst) {
  EXPECT_EQ(model().createMachine(arch(200)).error().message, "too fast");
  EXPECT_EQ(model().analyze({}, arch(200)).error().message, "too fast");
  EXPECT_EQ(model().evaluateRecipe("clock", {}, arch(200)).error().message, "too fast");
  EXPECT_EQ((*model().analyze({}, arch(3)))["clock"], 3);
}

TEST(KernelModel, NeedsMasksInAFileOfMasks) {
  MaskTrace masks;
  SimulateRequest request;
  request.masks = &masks;
  EXPECT_EQ(model().analyze(request, arch()).error().message, "the mask file holds no masks");
  masks.kernels["attention_0"] = BitTensor(1, 1, 1, 1);
  EXPECT_TRUE(bool(model().analyze(request, arch())));
}

TEST(KernelModel, EvaluatesRecipes) {
  EXPECT_EQ(*model().evaluateRecipe("clock", {}, arch(3)), 3);
  EXPECT_EQ(model().evaluateRecipe("watch", {}, arch()).error().message,
            "unknown recipe 'watch'; there are: clock");
}

TEST(KernelModel, CalibratesWhatStatisticsSay) {
  EXPECT_EQ(model().calibrate({{"q_absmax", 5}, {"v_absmax", 6}}, arch()),
            (std::map<std::string, double>{{"tx", 5}}));
}

TEST(KernelModel, NeedsNeitherRecipesNorCalibration) {
  ModelRegistry models;
  addModel<ToyParams, ToyKernel>(
      models, "bare", {.archYaml = kArch, .paperYaml = "", .launch = launch, .analyze = analyze});
  EXPECT_EQ(models.find("bare")->evaluateRecipe("clock", {}, arch()).error().message,
            "unknown recipe 'clock'; there are none");
  EXPECT_TRUE(models.find("bare")->calibrate({{"q_absmax", 5}}, arch()).empty());
}

} // namespace
} // namespace sparsam::runtime
