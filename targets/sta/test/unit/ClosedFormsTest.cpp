// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ClosedFormsTest.cpp - formulas and the published figures -----------===//

#include "targets/sta/model/ClosedForms.h"
#include "targets/sta/StaYaml.h"
#include "targets/sta/model/Analysis.h"

#include <gtest/gtest.h>

namespace sparsam::sta {
namespace {

using namespace runtime;

Arch archOf(const std::string &preset, const std::vector<std::string> &settings = {}) {
  auto spec = ArchSpec::parse(kArchYaml, "sta/arch.yaml");
  EXPECT_TRUE(spec) << spec.error().message;
  Arch arch(spec.take());
  if (!preset.empty())
    EXPECT_TRUE(arch.applyPreset(preset));
  for (const std::string &setting : settings)
    EXPECT_TRUE(arch.applySetting(setting));
  return arch;
}
Params paramsOf(const std::string &preset, const std::vector<std::string> &settings = {}) {
  auto params = Params::from(archOf(preset, settings));
  EXPECT_TRUE(params) << params.error().message;
  return *params;
}

TEST(ClosedForms, TheWorkedExamples) {
  // 64 rows, depth 64, 16 tokens on 4 engines of 8 x 16, 2:8: 2 tiles of 8 + 22 + 16 cycles.
  Geometry g{2, 8, 4, 8, 16};
  EXPECT_EQ(sparseCycles(g, 64, 64, 16), 2 * (8 + 22 + 16));
  // Dense, 4 heads, 16 x 16 of depth 64: 2 tiles of 32 + 22 + 16.
  EXPECT_EQ(denseCycles(g, 4, 16, 16, 64), 2 * (32 + 22 + 16));
  // The illustration: injection cycles of one 2 x 2 array, depth 4: dense 4 + 1, 1:2 2 + 1.
  Geometry classic{1, 1, 1, 2, 2}, sparse{1, 2, 1, 2, 2};
  EXPECT_EQ(denseSteps(classic, 4) + classic.rows - 1, 5);
  EXPECT_EQ(sparseSteps(sparse, 4) + sparse.rows - 1, 3);
}

TEST(ClosedForms, EveryInstanceHasItsPublishedMultipliers) {
  for (auto [preset, macs] :
       {std::pair("large", 4096), {"small", 1024}, {"tiny", 128}, {"sta4", 1024}, {"sta8", 1024}})
    EXPECT_EQ(paramsOf(preset).geometry.macs(), macs) << preset;
}

TEST(ClosedForms, ShallowTransformerIsWithinAFifthOfThePublishedLatency) {
  for (auto [preset, published] : {std::pair("tiny", 2.01),
                                   {"small", 0.42},
                                   {"large", 0.15},
                                   {"sta4", 0.28},
                                   {"sta8", 0.21}}) {
    Params params = paramsOf(preset);
    const double ms = double(shallowCycles(params.geometry)) / params.clockMhz / 1e3;
    EXPECT_NEAR(ms, published, 0.2 * published) << preset;
  }
  EXPECT_DOUBLE_EQ(shallowMacs(), 102.4e6 + 6.5536e6);
}

TEST(ClosedForms, WithoutShiftOutTilesAreShorter) {
  const int64_t with = shallowCycles(paramsOf("sta4").geometry),
                without = shallowCycles(paramsOf("sta4", {"shift_out=false"}).geometry);
  EXPECT_NEAR(double(with) / 2e5, 0.323, 1e-3);
  EXPECT_NEAR(double(without) / 2e5, 0.276, 1e-3);
}

TEST(ClosedForms, RemainingMultiplications) {
  const Layer bert{128, 12, 768, 3072, 1};
  EXPECT_NEAR(1 / remainingMacs(bert, 1, 8, Pruned::everything), 6.727, 1e-3);
  EXPECT_NEAR(1 / remainingMacs(bert, 2, 8, Pruned::everything), 3.700, 1e-3);
  EXPECT_NEAR(1 / remainingMacs(bert, 2, 4, Pruned::everything), 1.947, 1e-3);
  EXPECT_EQ(remainingMacs(bert, 2, 8, Pruned::nothing), 1);
}

TEST(ClosedForms, TrafficFallsByTheCompressionRatio) {
  const Layer bert{128, 12, 768, 3072, 1};
  EXPECT_NEAR(weightBytes(bert, 1, 1, 16) / weightBytes(bert, 1, 8, 16), 16.0 / 3, 1e-9);
  EXPECT_NEAR(compressionRatio(1, 8, 16), 5.3333, 1e-4);
  EXPECT_NEAR(compressionRatio(2, 4, 16), 1.7778, 1e-4);
  EXPECT_EQ(compressionRatio(4, 4, 16), 1);
}

TEST(Params, EnginesBalanceTheInputByDefault) {
  EXPECT_EQ(paramsOf("", {"n=4"}).geometry.engines, 2);
  EXPECT_EQ(paramsOf("", {"n=8"}).geometry.engines, 1);
  EXPECT_EQ(paramsOf("", {"n=1", "m=16"}).geometry.engines, 16);
}

TEST(Params, RefusesWhatCannotBe) {
  auto errorOf = [](const std::vector<std::string> &settings) {
    auto params = Params::from(archOf("", settings));
    return params ? std::string() : params.error().message;
  };
  EXPECT_EQ(errorOf({"n=9"}), "n = 9 exceeds m = 8: a group keeps at most all of its weights; "
                              "lower 'n' or raise 'm'");
  EXPECT_EQ(errorOf({"m=6"}), "m = 6 is not possible; choose groups of 2, 4, 8 or 16 weights");
  EXPECT_EQ(errorOf({"engines=8"}),
            "n * engines = 16 exceeds m = 8: in dense products the input memory delivers m "
            "elements per column and cycle, n to each engine; lower 'engines', or set it to 0 for "
            "m / n");
  EXPECT_EQ(errorOf({"weight_bits=12"}), "weight_bits = 12 is not possible; choose 8 or 16");
  EXPECT_EQ(errorOf({"exp_entries=100"}), "exp_entries = 100 is no power of two, but its address "
                                          "is cut out of a word; choose 128");
  EXPECT_EQ(errorOf({"exp_entries=16", "exp_range=32"}),
            "exp_entries = 16 are fewer than exp_range = 32; raise 'exp_entries'");
}

SimulateRequest requestOf(int64_t tokens, double heads, double dim) {
  SimulateRequest request;
  request.seqLen = tokens;
  request.given = {{"heads", heads}, {"dim", dim}};
  return request;
}

TEST(Simulate, GivesTheFiguresOfALayer) {
  auto json = analyze(requestOf(128, 12, 768), paramsOf(""), archOf(""));
  ASSERT_TRUE(json) << json.error().message;
  EXPECT_NEAR((*json)["remaining_macs"].get<double>(), 1 / 3.7, 1e-3);
  EXPECT_NEAR((*json)["compression_ratio"].get<double>(), 3.2, 1e-9);
  EXPECT_EQ((*json)["weight_bytes_dense"].get<double>(), 2 * 12 * 768.0 * 768);
  EXPECT_EQ((*json)["cycles"], (*json)["product_cycles"]);
  // At a hundredth of the bandwidth the weights' way from DRAM takes longer than the products.
  auto starved =
      analyze(requestOf(128, 12, 768), paramsOf("", {"dram_bandwidth_gbps=0.19"}), archOf(""));
  EXPECT_EQ((*starved)["cycles"], (*starved)["weight_transfer_cycles"]);
  auto other = analyze(requestOf(128, 12, 768), paramsOf(""), archOf("", {"layers=3", "ffn=768"}));
  ASSERT_TRUE(other) << other.error().message;
  EXPECT_EQ((*other)["weight_bytes_dense"].get<double>(), 3 * 2 * 6 * 768.0 * 768);
}

TEST(Simulate, RefusesWhatCannotBe) {
  Params params = paramsOf("");
  Arch arch = archOf("");
  auto errorOf = [&](const SimulateRequest &request) {
    auto json = analyze(request, params, arch);
    return json ? std::string() : json.error().message;
  };
  EXPECT_EQ(errorOf({}), "nothing to compute: give --seq-len, --heads and --dim");
  EXPECT_EQ(errorOf(requestOf(0, 1, 8)), "--seq-len must lie in [1, 16777216], got 0");
  EXPECT_EQ(errorOf(requestOf(8, 3, 64)), "--dim 64 is no multiple of --heads 3");
  EXPECT_EQ(errorOf(requestOf(8, 1.5, 64)),
            "--heads must be a whole number from 1 to 65535, got 1.5");
  EXPECT_EQ(errorOf(requestOf(8, 1, 12)),
            "--dim = 12 is no multiple of m = 8, the weights of one group");
  SimulateRequest request;
  request.seqLen = 8;
  EXPECT_EQ(errorOf(request), "the closed forms need --heads");
  MaskTrace masks;
  request.masks = &masks;
  EXPECT_EQ(errorOf(request),
            "target 'sta' has no use for --masks; it takes --seq-len, --heads, --dim");
}

TEST(Recipes, RefuseWhatTheyDoNotKnow) {
  Params params = paramsOf("");
  auto errorOf = [&](const std::string &recipe, const std::map<std::string, double> &arguments) {
    auto value = recipes().evaluate(recipe, arguments, params);
    return value ? std::string() : value.error().message;
  };
  EXPECT_EQ(errorOf("ratio", {{"a", 1}}), "recipe 'ratio' needs argument 'b'");
  EXPECT_EQ(errorOf("ratio", {{"a", 1}, {"b", 0}}),
            "argument 'b' of recipe 'ratio' must be above 0, got 0");
  EXPECT_EQ(errorOf("ratio", {{"a", 1}, {"b", 2}, {"c", 3}}), "recipe 'ratio' has no argument 'c'");
  EXPECT_EQ(errorOf("ratios", {}).find("unknown recipe 'ratios'; did you mean 'ratio'?"), 0u);
  EXPECT_EQ(*recipes().evaluate("sparse_over_dense", {{"n", 1}, {"m", 8}}, params), 8);
  EXPECT_EQ(*recipes().evaluate("sparse_over_dense", {{"n", 3}, {"m", 8}}, params), 8.0 / 3);
}

} // namespace
} // namespace sparsam::sta
