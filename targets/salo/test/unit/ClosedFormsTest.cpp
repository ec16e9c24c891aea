// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ClosedFormsTest.cpp - published cycles, figures by option, recipes -===//

#include "TestCore.h"

#include "targets/salo/model/ClosedForms.h"

using namespace sparsam::salo;
using namespace sparsam::salo::test;
using namespace sparsam::runtime;

namespace {

Params makeParams(const std::vector<std::string> &settings = {}) {
  return *Params::from(makeArch(settings));
}

TEST(SaloClosedForms, gives_the_published_cycles) {
  const Params params = makeParams();
  EXPECT_EQ(evaluate(params, {4096, 512, 768, 12}).cycles, 4030495);
  EXPECT_EQ(evaluate(params, {3136, 225, 384, 6}).cycles, 771487);
  EXPECT_EQ(evaluate(params, {784, 225, 384, 6}).cycles, 196831);
  EXPECT_EQ(evaluate(params, {3136, 225, 192, 3}).cycles, 385759);
  EXPECT_NEAR(evaluate(params, {4096, 512, 768, 12}).utilization, 0.738401, 1e-6);
}

// N = 2 * 2 = 4 passes of 2 * 4 + 3 + 4 = 15 cycles, 3 of flush, 4 + 1 - 1 = 4 of drain.
TEST(SaloClosedForms, gives_the_worked_example) {
  const Performance p = evaluate(makeParams({"pe_rows=4", "pe_cols=4"}), {8, 8, 4, 1});
  EXPECT_EQ(p.iterations, 4);
  EXPECT_EQ(p.cycles, 67);
}

TEST(SaloClosedForms, gives_the_published_figures_of_version_2) {
  Params params = makeParams({"version=2", "pe_rows=64", "pe_cols=8"});
  const Performance p = evaluate(params, {384, 8, 768, 16});
  EXPECT_EQ(p.matchCycles, 28929);
  EXPECT_EQ(p.iterations, 576);
  EXPECT_EQ(p.cycles, 98 * 576 + 575 + 11); // (2 * 48 + 2), flush, 8 + 3 + 1 - 1
  EXPECT_NEAR(scaledMilliseconds(params, {384, 8, 768, 16}, 128), 0.96179, 5e-6);
}

//===-- By option ----------------------------------------------------------===//

Result<nlohmann::ordered_json> simulate(SimulateRequest request,
                                        const std::vector<std::string> &settings = {}) {
  ModelRegistry registry;
  registerSaloModel(registry);
  return registry.find("salo")->analyze(request, makeArch(settings));
}

SimulateRequest longformer() {
  SimulateRequest request;
  request.seqLen = 4096;
  request.given = {{"window", 512}, {"heads", 12}, {"dim", 768}};
  return request;
}

TEST(SaloAnalysis, prints_the_closed_forms) {
  auto json = simulate(longformer());
  ASSERT_TRUE(json.ok()) << json.error().message;
  EXPECT_EQ((*json)["iterations"], 24576);
  EXPECT_EQ((*json)["cycles"], 4030495);
  EXPECT_DOUBLE_EQ((*json)["latency_s"], 4.030495e-3);
  EXPECT_FALSE(json->contains("match_cycles"));
}

// 16 passes of 128 tiles and 12 heads; one more for each further group of global tokens.
TEST(SaloAnalysis, charges_global_tokens_beyond_the_global_pes) {
  auto cycles = [](const std::vector<std::string> &settings) {
    return (*simulate(longformer(), settings))["cycles"];
  };
  EXPECT_EQ(cycles({"global_tokens=1"}), 4030495);
  EXPECT_EQ(cycles({"global_tokens=2"}), 164 * 17 * 128 * 12 - 1 + 32);
  EXPECT_EQ(cycles({"global_tokens=3", "globals=3"}), 164 * 16 * 128 * 12 - 1 + 34);
  // 64 rows and 32 columns: it takes two passes to show the last row every key of a tile.
  EXPECT_EQ(cycles({"global_tokens=2", "pe_rows=64"}), 164 * 18 * 64 * 12 - 1 + 32);
}

TEST(SaloAnalysis, charges_dilated_windows) {
  auto iterations = [](const std::vector<std::string> &settings) {
    return (*simulate(longformer(), settings))["iterations"];
  };
  EXPECT_EQ(iterations({"dilation=4"}), 16 * 128 * 12);   // 4 classes of 32 tiles
  EXPECT_EQ(iterations({"dilation=256"}), 16 * 256 * 12); // 256 classes of 16 tokens
  EXPECT_EQ(iterations({"dilation=3"}), 512 * 128 * 12);  // no order by residue: key by key
}

TEST(SaloAnalysis, warns_of_version_2_on_the_array_of_version_1) {
  auto json = simulate(longformer(), {"version=2"});
  ASSERT_TRUE(json.ok()) << json.error().message;
  ASSERT_EQ((*json)["warnings"].size(), 1U);
  EXPECT_EQ((*json)["warnings"][0],
            "version 2 on the array of version 1, 32 x 32 PEs; --preset v2 gives it its own");
  json = simulate(longformer(), {"version=2", "pe_rows=64", "pe_cols=8"});
  EXPECT_FALSE(json->contains("warnings"));
}

TEST(SaloAnalysis, prints_the_matching_of_version_2) {
  auto json = simulate(longformer(), {"version=2", "pe_rows=64", "pe_cols=8"});
  ASSERT_TRUE(json.ok()) << json.error().message;
  EXPECT_EQ((*json)["match_cycles"], 65 * 49152 + 49151 + 130); // 64 * 64 blocks, 12 heads
}

void expectRefused(const SimulateRequest &request, const std::string &part,
                   const std::vector<std::string> &settings = {}) {
  auto json = simulate(request, settings);
  ASSERT_FALSE(json.ok());
  EXPECT_NE(json.error().message.find(part), std::string::npos) << json.error().message;
}

TEST(SaloAnalysis, refuses_what_it_cannot_analyse) {
  SimulateRequest request;
  expectRefused(request, "nothing to analyse: give --seq-len, --window, --heads and --dim");
  request.seqLen = 4096;
  expectRefused(request, "the closed forms need --window");
  request = longformer();
  request.given["heads"] = 7;
  expectRefused(request, "--dim 768 is no multiple of --heads 7");
  request.given["heads"] = 2.5;
  expectRefused(request, "--heads must be a whole number in [1, 16777216], got 2.5");
  request.given["heads"] = 6;
  expectRefused(request, "heads of 128 dimensions do not fit the merge buffers of 64 (parameter "
                         "'merge_dims')");
  request = longformer();
  request.seqLen = 100;
  expectRefused(request, "--seq-len 100 is no multiple of the block of 64", {"version=2"});
  request = longformer();
  expectRefused(request, "'global_tokens' is for version 1", {"version=2", "global_tokens=1"});
  expectRefused(request, "2 global tokens; the machine has no global PEs (parameter 'globals')",
                {"global_tokens=2", "globals=0"});
  request.given["window"] = 1 << 24;
  request.given["heads"] = 1 << 20;
  request.given["dim"] = 1 << 20;
  expectRefused(request, "--seq-len x --window x --heads must be at most 1e+15 pairs");
  MaskTrace masks;
  request.masks = &masks;
  expectRefused(request, "target 'salo' has no use for --masks; it takes --seq-len, --window");
}

/// Scores of `shape`, and where the picked mask goes.
SimulateRequest scoresOf(const Shape &shape, std::vector<int64_t> validLengths,
                         TensorMap &tensors) {
  SimulateRequest request;
  request.scores = Tensor(DType::f32, shape);
  for (int64_t i = 0; i < request.scores->elements(); ++i)
    request.scores->as<float>()[i] = float(i * 7919 % 1009);
  request.validLengths = std::move(validLengths);
  request.tensors = &tensors;
  return request;
}

/// Kept pairs of the first `valid` queries and keys of a matrix of 128 tokens.
int64_t countKept(const Tensor &mask, int64_t head, int64_t valid) {
  int64_t kept = 0;
  for (int64_t i = 0; i < valid; ++i)
    for (int64_t j = 0; j < valid; ++j)
      kept += mask.as<bool>()[(head * 128 + i) * 128 + j];
  return kept;
}

TEST(SaloAnalysis, picks_patterns_from_scores) {
  TensorMap tensors;
  SimulateRequest request = scoresOf({2, 128, 128}, {100}, tensors);
  auto json = simulate(request, {"version=2"});
  ASSERT_TRUE(json.ok()) << json.error().message;
  EXPECT_EQ((*json)["blocks"], 8);
  const Tensor &mask = tensors.at("mask");
  EXPECT_EQ(mask.shape(), (Shape{2, 128, 128}));
  for (int64_t i = 0; i < 128; ++i)
    EXPECT_FALSE(mask.as<bool>()[i * 128 + 100]) << i;

  expectRefused(request, "version 1 has static patterns and looks at no scores; set version=2");
  request.given["window"] = 8;
  expectRefused(request, "has no use for --window; it takes --scores, --valid-len", {"version=2"});
}

// Rows of padding keep pairs, too, as in the released code; they are none of the density's.
TEST(SaloAnalysis, counts_no_rows_of_padding) {
  TensorMap tensors;
  auto json = simulate(scoresOf({2, 128, 128}, {100}, tensors), {"version=2"});
  ASSERT_TRUE(json.ok()) << json.error().message;
  const Tensor &mask = tensors.at("mask");
  const int64_t kept = countKept(mask, 0, 100) + countKept(mask, 1, 100);
  EXPECT_EQ((*json)["nnz"], kept);
  EXPECT_GT(kept, 0);
  EXPECT_DOUBLE_EQ((*json)["density"], double(kept) / (2 * 100 * 100));

  json = simulate(scoresOf({128, 128}, {1}, tensors), {"version=2"});
  ASSERT_TRUE(json.ok()) << json.error().message;
  EXPECT_EQ((*json)["density"], 1.0);
}

TEST(SaloAnalysis, counts_each_batch_entry_by_its_length) {
  TensorMap tensors;
  auto json = simulate(scoresOf({2, 1, 128, 128}, {100, 7}, tensors), {"version=2"});
  ASSERT_TRUE(json.ok()) << json.error().message;
  const Tensor &mask = tensors.at("mask");
  const int64_t kept = countKept(mask, 0, 100) + countKept(mask, 1, 7);
  EXPECT_EQ((*json)["nnz"], kept);
  EXPECT_DOUBLE_EQ((*json)["density"], double(kept) / (100 * 100 + 7 * 7));
}

TEST(SaloParams, refuses_windows_that_no_block_holds) {
  auto params = Params::from(makeArch({"version=2", "block=4", "block_window=8"}));
  ASSERT_FALSE(params.ok());
  EXPECT_NE(params.error().message.find("a window of 8 diagonals at distance 1 does not fit the 7 "
                                        "diagonals of a block of 4"),
            std::string::npos)
      << params.error().message;
}

TEST(SaloParams, refuses_more_picks_than_a_block_holds) {
  auto message = [](const char *setting) {
    return Params::from(makeArch({"version=2", "block=16", setting})).error().message;
  };
  EXPECT_EQ(message("randoms=17"), "version 2 cannot pick 17 keys of a block of 16 (parameters "
                                   "'randoms' and 'block')");
  EXPECT_EQ(message("globals=17"), "version 2 cannot pick 17 global tokens of a block of 16 "
                                   "(parameters 'globals' and 'block')");
}

TEST(SaloRecipes, refuses_wrong_arguments) {
  ModelRegistry registry;
  registerSaloModel(registry);
  auto message = [&](const char *recipe, const std::map<std::string, double> &arguments) {
    auto value = registry.find("salo")->evaluateRecipe(recipe, arguments, makeArch());
    return value ? "" : value.error().message;
  };
  EXPECT_NE(message("cycle", {}).find("unknown recipe 'cycle'; did you mean 'cycles'?"),
            std::string::npos);
  EXPECT_EQ(message("pass_ratio", {}), "recipe 'pass_ratio' needs argument 'head_dim'");
  EXPECT_EQ(
      message("pass_ratio", {{"head_dim", 0}}),
      "argument 'head_dim' of recipe 'pass_ratio' must be a whole number from 1 to 16777216, got "
      "0");
  EXPECT_EQ(message("power", {{"watts", 1}}), "recipe 'power' has no argument 'watts'");
}

} // namespace
