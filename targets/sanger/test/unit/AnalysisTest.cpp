// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- AnalysisTest.cpp - closed forms, recipes and simulate's figures ----===//

#include "TestCore.h"
#include "targets/sanger/model/ClosedForms.h"
#include "targets/sanger/model/Statistics.h"

#include <yaml-cpp/yaml.h>

using namespace sparsam::sanger;
using namespace sparsam::sanger::test;
using namespace sparsam::runtime;

namespace {

const TargetModel &model() {
  static ModelRegistry registry;
  if (!registry.find("sanger"))
    registerSangerModel(registry);
  return *registry.find("sanger");
}

Params paramsOf(const std::vector<std::string> &settings) {
  auto params = Params::from(makeArch(settings));
  EXPECT_TRUE(params.ok());
  return *params;
}

TEST(ClosedForms, LatencyTable) { // sheet, section 7, item 3, and example (c); ms at 1 GHz
  struct {
    LayerQuestion layer;
    double first, second, digits;
  } rows[] = {{{512, 0.10, 0.60}, 0.999424, 0.986681, 5e-7},
              {{384, 0.10, 0.65}, 0.731609, 0.722665, 5e-7},
              {{128, 0.25, 0.70}, 0.256293, 0.253680, 5e-7},
              {{64, 0.17578125, 720.0 / 992}, 0.121008, 0.120448, 5e-7}};
  for (const auto &row : rows) {
    EXPECT_NEAR(estimator1(row.layer) * 1e3, row.first, row.digits)
        << row.layer.tokens << " tokens";
    EXPECT_NEAR(estimator2(row.layer) * 1e3, row.second, row.digits)
        << row.layer.tokens << " tokens";
  }
}

TEST(ClosedForms, NarrowMemorySlowsTheSecondEstimator) {
  LayerQuestion layer{512, 0.1, 0.6}, narrow = layer;
  narrow.bytesPerSecond = 64e9;
  EXPECT_GT(estimator2(narrow), estimator2(layer));
  EXPECT_EQ(estimator1(narrow), estimator1(layer));
}

TEST(ClosedForms, BlockCycles) { // sheet, example (c)
  EXPECT_EQ(blockCycles(paramsOf({"overlap=none"}), 64), 387);
  EXPECT_EQ(blockCycles(paramsOf({"overlap=partial"}), 64), 259);
  EXPECT_EQ(blockCycles(paramsOf({"overlap=full"}), 64), 128);
  EXPECT_EQ(sparseCycles(paramsOf({"overlap=none"}), 64, 10), 3870);
  EXPECT_EQ(sparseCycles(paramsOf({"overlap=full"}), 64, 10), 1280 + 128);
}

TEST(ClosedForms, PredictionAndTransfers) {
  Params params = paramsOf({"clock_mhz=1000"});
  EXPECT_EQ(predictCycles(params, 512, 512, 64), 8 * 8 * 64 + 128);
  EXPECT_EQ(predictCycles(params, 70, 70, 128), 2 * 2 * 128 + 128);
  EXPECT_EQ(dmaCycles(params, 512, 512, 64), 4 * 512 * 64 * 2 / 128);
}

TEST(Analysis, ClosedFormsAlone) {
  SimulateRequest request;
  request.seqLen = 512;
  request.given = {{"density", 0.10}, {"load-balance", 0.60}};
  auto json = model().analyze(request, makeArch());
  ASSERT_TRUE(json.ok()) << json.error().message;
  EXPECT_NEAR((*json)["latency_s"]["estimator1"].get<double>(), 0.999424e-3, 5e-10);
  EXPECT_NEAR((*json)["latency_s"]["estimator2"].get<double>(), 0.986681e-3, 5e-10);
}

TEST(Analysis, MasksGiveAllFigures) {
  MaskTrace trace;
  trace.kernels["masks"] = bernoulliMask(3, 128, 128, 0.25, 5);
  trace.kernels["masks.predicted"] = bernoulliMask(3, 128, 128, 0.9, 5);
  SimulateRequest request;
  request.masks = &trace;
  auto json = model().analyze(request, makeArch());
  ASSERT_TRUE(json.ok()) << json.error().message;
  for (const char *key : {"density", "nnz", "nonempty_vectors", "full_segments", "subrows",
                          "blocks", "load_balance", "latency_s"})
    EXPECT_TRUE(json->contains(key)) << key;
  EXPECT_EQ((*json)["nnz"], trace.kernels["masks"].count());
  EXPECT_NEAR((*json)["density"].get<double>(), 0.25, 0.02);
}

TEST(Analysis, AnEmptyMaskIsFinite) {
  MaskTrace trace;
  trace.kernels["masks"] = BitTensor(1, 1, 64, 64);
  SimulateRequest request;
  request.masks = &trace;
  auto json = model().analyze(request, makeArch());
  ASSERT_TRUE(json.ok());
  EXPECT_EQ((*json)["load_balance"]["skip"], 0.0);
  EXPECT_GT((*json)["latency_s"]["estimator1"].get<double>(), 0);
}

TEST(Analysis, ErrorsNameTheOption) {
  auto messageOf = [](const SimulateRequest &request) {
    return model().analyze(request, makeArch()).error().message;
  };
  SimulateRequest request;
  EXPECT_EQ(messageOf(request),
            "nothing to analyse: give --masks, or --seq-len with --density and --load-balance");
  request.seqLen = 0;
  EXPECT_EQ(messageOf(request), "--seq-len must lie in [1, 16777216], got 0");
  request.seqLen = 512;
  EXPECT_EQ(messageOf(request), "the closed forms need --density; give it, or give --masks");
  request.given["density"] = 0.1;
  EXPECT_EQ(messageOf(request), "the closed forms need --load-balance; give it, or give --masks");
  request.given["load-balance"] = 1.5;
  EXPECT_EQ(messageOf(request), "--load-balance must lie above 0 and not above 1, got 1.5");
  request.headDim = 0;
  EXPECT_EQ(messageOf(request), "--head-dim must lie in [1, 65535], got 0");
  MaskTrace none;
  SimulateRequest empty;
  empty.masks = &none;
  EXPECT_EQ(messageOf(empty), "the mask file holds no masks");
}

TEST(Calibration, TakesTheStatisticsThatNormalizeNeeds) {
  std::map<std::string, double> statistics{
      {"q_absmax", 3}, {"k_absmax", 4}, {"q_normalized_absmax", 0.3}, {"k_normalized_absmax", 0.4}};
  std::map<std::string, double> normalized{{"tx", 0.3}, {"ty", 0.4}}, plain{{"tx", 3}, {"ty", 4}};
  EXPECT_EQ(model().calibrate(statistics, makeArch()), normalized);
  EXPECT_EQ(model().calibrate(statistics, makeArch({"normalize=false"})), plain);
}

//===-- arch.yaml and paper.yaml ------------------------------------------===//

TEST(SangerArch, PresetsAreComplete) {
  Arch arch = makeArch();
  ASSERT_TRUE(arch.applyPreset("comparison-1ghz").ok());
  EXPECT_EQ(arch.real("clock_mhz"), 1000);
  ASSERT_TRUE(arch.applyPreset("paper").ok());
  EXPECT_EQ(arch.real("clock_mhz"), 500);
}

TEST(SangerArch, EveryParameterHasASource) {
  Arch arch = makeArch();
  for (const ParamInfo &param : arch.spec().params())
    EXPECT_NE(std::string("PRMDAS").find(param.source[0]), std::string::npos)
        << param.name << ": " << param.source;
}

TEST(SangerArch, RefusesWhatDoesNotFitTogether) {
  struct {
    std::vector<std::string> settings;
    const char *message;
  } cases[] = {
      {{"stripe=8"},
       "pes = 16 exceeds stripe = 8: a sub-row has no more kept keys than the stripe has keys; "
       "lower "
       "'pes' or raise 'stripe'"},
      {{"bits=3"}, "bits = 3 is not possible; choose 2, 4, 6 or 8"},
      {{"word_fraction=16"},
       "word_fraction = 16 leaves no integer bit of word_bits = 16; lower 'word_fraction'"},
      {{"accumulator_bits=16"},
       "accumulator_bits = 16 cannot hold products with 16 fraction bits; raise "
       "'accumulator_bits' or lower 'word_fraction'"},
      {{"exp_bits=16"},
       "exp_fraction = 16 leaves no integer bit of exp_bits = 16; lower 'exp_fraction'"},
      {{"dram_interleave_bytes=4096"},
       "dram_interleave_bytes = 4096 exceeds dram_row_bytes = 2048; lower 'dram_interleave_bytes'"},
  };
  for (const auto &c : cases) {
    auto machine = model().createMachine(makeArch(c.settings));
    ASSERT_FALSE(machine.ok()) << c.settings[0];
    EXPECT_EQ(machine.error().message, c.message);
  }
}

TEST(SangerPaper, EveryRowIsReproducedOrSaysWhyNot) {
  YAML::Node paper = YAML::Load(std::string(model().paperYaml()));
  int reproduced = 0;
  for (const auto &row : paper["rows"]) {
    std::string what = row["metric"].as<std::string>() + ", " + row["workload"].as<std::string>();
    EXPECT_FALSE(row["source"].as<std::string>().empty()) << what;
    if (!row["recipe"]) {
      EXPECT_FALSE(row["reason"].as<std::string>().empty()) << what;
      continue;
    }
    std::map<std::string, double> arguments;
    for (const auto &argument : row["arguments"])
      arguments[argument.first.as<std::string>()] = argument.second.as<double>();
    auto ours = model().evaluateRecipe(row["recipe"].as<std::string>(), arguments, makeArch());
    ASSERT_TRUE(ours.ok()) << what << ": " << ours.error().message;
    double published = row["published"].as<double>();
    EXPECT_NEAR(*ours / published, 1, row["tolerance"].as<double>()) << what;
    ++reproduced;
  }
  EXPECT_GE(reproduced, 20);
}

TEST(SangerPaper, RecipeErrors) {
  auto messageOf = [](const std::string &recipe, std::map<std::string, double> arguments) {
    return model().evaluateRecipe(recipe, arguments, makeArch()).error().message;
  };
  EXPECT_NE(messageOf("estimator3", {}).find("unknown recipe 'estimator3'"), std::string::npos);
  EXPECT_EQ(messageOf("compute_saving", {}), "recipe 'compute_saving' needs argument 'density'");
  EXPECT_EQ(messageOf("compute_saving", {{"density", 0}}),
            "argument 'density' of recipe 'compute_saving' must be above 0 and at most 1, got 0");
  EXPECT_EQ(messageOf("power", {{"x", 1}}), "recipe 'power' has no argument 'x'");
}

} // namespace
