// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- MachineTest.cpp - numerics of whole attention cores ----------------===//

#include "TestCore.h"

#include "runtime/support/Parallel.h"

#include <hwy/targets.h>

#include <bit>
#include <cmath>
#include <cstring>

using namespace sparsam::sanger;
using namespace sparsam::sanger::test;
using namespace sparsam::runtime;

namespace {

const std::vector<std::string> kCalibrated{"tx=0.5", "ty=0.5"};

std::vector<std::string> with(std::vector<std::string> settings,
                              const std::vector<std::string> &more) {
  settings.insert(settings.end(), more.begin(), more.end());
  return settings;
}

float largestCode(const Core &core) { return float((1 << (core.program.config.bits - 1)) - 1); }

/// Codes and norms of one head's tokens as the sheet's 2.1 writes them, plainly.
std::vector<int> quantizePlainly(const Core &core, const std::vector<float> &x, int64_t head,
                                 int64_t tokens, float range, std::vector<float> &norms) {
  const int64_t dims = core.shape.dims;
  const float qmax = largestCode(core);
  std::vector<int> codes;
  for (int64_t t = 0; t < tokens; ++t) {
    const float *row = &x[size_t((head * tokens + t) * dims)];
    double squares = 0;
    for (int64_t k = 0; k < dims; ++k)
      squares += double(row[k]) * row[k];
    norms.push_back(core.program.config.normalize ? float(std::sqrt(squares)) : 1.0f);
    for (int64_t k = 0; k < dims; ++k)
      codes.push_back(
          int(std::clamp(std::nearbyint(row[k] / norms.back() * (qmax / range)), -qmax, qmax)));
  }
  return codes;
}

/// The prediction that follows from them: probabilities of one head.
std::vector<float> predictPlainly(const Core &core, int64_t head) {
  const CoreShape &s = core.shape;
  const insn::Config &c = core.program.config;
  const float qmax = largestCode(core);
  std::vector<float> nq, nk, p(size_t(s.queries * s.keys));
  std::vector<int> qi = quantizePlainly(core, core.data.query, head, s.queries, c.q_range, nq);
  std::vector<int> ki = quantizePlainly(core, core.data.key, head, s.keys, c.k_range, nk);
  for (int64_t i = 0; i < s.queries; ++i) {
    std::vector<double> score(size_t(s.keys), -INFINITY);
    double top = -INFINITY, sum = 0;
    for (int64_t j = 0; j < s.keys; ++j) {
      if (s.isCausal && j > i + s.keys - s.queries)
        continue;
      int dot = 0;
      for (int64_t k = 0; k < s.dims; ++k)
        dot += qi[size_t(i * s.dims + k)] * ki[size_t(j * s.dims + k)];
      score[size_t(j)] = double(dot) / (qmax / c.q_range) / (qmax / c.k_range) * nq[size_t(i)] *
                         nk[size_t(j)] * s.scale;
      if (s.biasRows)
        score[size_t(j)] += core.data.bias[size_t((s.biasRows == 1 ? 0 : i) * s.keys + j)];
      top = std::max(top, score[size_t(j)]);
    }
    for (double x : score)
      sum += std::exp(x - top);
    for (int64_t j = 0; j < s.keys; ++j)
      p[size_t(i * s.keys + j)] = float(std::exp(score[size_t(j)] - top) / sum);
  }
  return p;
}

/// Every bit agrees with the plain prediction, except within 1e-5 of the threshold.
void expectPredicted(Core &core, const BitTensor &mask) {
  for (int64_t h = 0; h < core.shape.heads; ++h) {
    std::vector<float> p = predictPlainly(core, h);
    for (int64_t i = 0; i < core.shape.queries; ++i)
      for (int64_t j = 0; j < core.shape.keys; ++j) {
        float probability = p[size_t(i * core.shape.keys + j)];
        if (std::abs(probability - core.program.config.threshold) > 1e-5f)
          ASSERT_EQ(mask.get(h, i, j), probability > core.program.config.threshold)
              << "head " << h << ", query " << i << ", key " << j << ", P = " << probability;
      }
  }
}

TEST(SangerMachine, WorkedExampleOfThePrediction) { // sheet, example (a)
  CoreShape shape{1, 4, 4, 2};
  shape.scale = float(1 / std::sqrt(2.0));
  Core core(shape, {"normalize=false", "tx=1.4", "ty=1.4", "threshold=0.2"});
  core.data.query = {1.0f, 0.5f, -0.72f, 0.2f, 0.36f, -1.4f, 0.0f, 0.84f};
  core.data.key = {1.4f, 0.2f, -0.6f, 1.2f, 0.2f, -1.0f, -1.24f, -0.4f};
  core.run();
  const uint64_t expected[4] = {0b0001, 0b1010, 0b0101,
                                0b0011}; // 1000 / 0101 / 1010 / 1100, key 0 first
  for (int64_t i = 0; i < 4; ++i)
    EXPECT_EQ(core.mask().row(0, i)[0], expected[i]) << "query " << i;
  EXPECT_EQ(core.mask().count(), 7);
}

TEST(SangerMachine, DenseEqualsReference) {
  CoreShape shape{2, 128, 128, 64};
  shape.predicts = false;
  Core core(shape, {});
  core.run();
  EXPECT_EQ(core.mask().count(), 2 * 128 * 128);
  EXPECT_LT(maxError(core.data.output, referenceAttention(core, core.mask())), 1e-5);
}

TEST(SangerMachine, CausalDenseEqualsReference) {
  CoreShape shape{3, 100, 150, 20};
  shape.predicts = false;
  shape.isCausal = true;
  Core core(shape, {});
  core.run();
  for (int64_t i : {0, 99})
    EXPECT_EQ(std::popcount(core.mask().row(2, i)[0]) + std::popcount(core.mask().row(2, i)[1]) +
                  std::popcount(core.mask().row(2, i)[2]),
              i + 51);
  EXPECT_LT(maxError(core.data.output, referenceAttention(core, core.mask())), 1e-5);
}

struct Variant {
  const char *name;
  CoreShape shape;
  std::vector<std::string> settings;
};
void PrintTo(const Variant &variant, std::ostream *os) { *os << variant.name; }

class SangerPrediction : public testing::TestWithParam<Variant> {};

TEST_P(SangerPrediction, MaskAndOutputEqualReference) {
  Core core(GetParam().shape, with(kCalibrated, GetParam().settings));
  if (core.shape.biasRows)
    for (size_t i = 0; i < core.data.bias.size(); ++i)
      core.data.bias[i] = i % size_t(core.shape.keys) >= size_t(core.shape.keys - 13)
                              ? -10000.0f
                              : 0.01f * float(i % 7);
  core.recordPredicted = true;
  core.run();
  const BitTensor &predicted = core.masks.kernels.at("attention_0.predicted");
  EXPECT_GT(predicted.count(), 0);
  expectPredicted(core, predicted);
  EXPECT_LT(maxError(core.data.output, referenceAttention(core, core.mask())), 2e-5);
}

CoreShape shapeOf(int64_t heads, int64_t queries, int64_t keys, int64_t dims, int64_t biasRows = 0,
                  bool causal = false) {
  CoreShape shape{heads, queries, keys, dims};
  shape.biasRows = biasRows;
  shape.isCausal = causal;
  shape.scale = float(1 / std::sqrt(double(dims)));
  return shape;
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, SangerPrediction,
    testing::Values(
        Variant{"Square", shapeOf(2, 128, 128, 64), {"threshold=0.01"}},
        Variant{"NoMultipleOfTile", shapeOf(3, 70, 131, 24), {"threshold=0.01"}},
        Variant{"OneToken", shapeOf(2, 1, 1, 8), {"threshold=0.5"}},
        Variant{"PaddingMask", shapeOf(2, 100, 100, 32, 1), {"threshold=0.012"}},
        Variant{"BiasPerQuery", shapeOf(2, 100, 100, 32, 100), {"threshold=0.012"}},
        Variant{"Causal", shapeOf(2, 100, 100, 32, 0, true), {"threshold=0.02"}},
        Variant{"TwoBits", shapeOf(1, 64, 64, 64), {"bits=2", "threshold=0.02"}},
        Variant{"EightBits", shapeOf(1, 64, 64, 64), {"bits=8", "threshold=0.02"}},
        Variant{"NotNormalized",
                shapeOf(1, 64, 64, 64),
                {"normalize=false", "tx=3", "ty=3", "threshold=0.02"}},
        Variant{"ColumnCut", shapeOf(2, 128, 128, 64), {"encoder=column_cut", "threshold=0.01"}},
        Variant{"ThirtyTwoPes", shapeOf(2, 128, 128, 64), {"pes=32", "threshold=0.005"}},
        Variant{"NarrowStripe",
                shapeOf(2, 128, 128, 64),
                {"stripe=32", "pes=8", "rows=32", "threshold=0.01"}}),
    [](const auto &info) { return std::string(info.param.name); });

//===-- Empty rows ---------------------------------------------------------===//

/// A core whose query 5 keeps nothing: its codes are zero, so all keys are equally likely, below
/// the threshold.
Core coreWithEmptyRow(const std::string &policy) {
  Core core(shapeOf(1, 128, 128, 16), with(kCalibrated, {"threshold=0.01", "empty_row=" + policy}));
  std::fill_n(core.data.query.begin() + 5 * 16, 16, 0.0f);
  core.recordPredicted = true;
  core.run();
  EXPECT_EQ(core.masks.kernels.at("attention_0.predicted").row(0, 5)[0], 0u);
  EXPECT_EQ(core.masks.kernels.at("attention_0.predicted").row(0, 5)[1], 0u);
  return core;
}

TEST(SangerEmptyRow, DenseKeepsEveryKey) {
  Core core = coreWithEmptyRow("dense");
  EXPECT_EQ(core.mask().row(0, 5)[0] & core.mask().row(0, 5)[1], ~uint64_t(0));
  EXPECT_LT(maxError(core.data.output, referenceAttention(core, core.mask())), 1e-5);
}

TEST(SangerEmptyRow, ZeroGivesZeros) {
  Core core = coreWithEmptyRow("zero");
  for (int64_t k = 0; k < 16; ++k)
    EXPECT_EQ(core.data.output[size_t(5 * 16 + k)], 0.0f);
}

TEST(SangerEmptyRow, ArgmaxKeepsTheFirstLikeliestKey) {
  Core core = coreWithEmptyRow("argmax");
  EXPECT_EQ(core.mask().row(0, 5)[0], 1u);
  for (int64_t k = 0; k < 16; ++k)
    EXPECT_EQ(core.data.output[size_t(5 * 16 + k)], core.data.value[size_t(k)]);
}

TEST(SangerMachine, FullyMaskedRowGivesZeros) {
  Core core(shapeOf(1, 64, 64, 16, 64), kCalibrated);
  std::fill_n(core.data.bias.begin() + 7 * 64, 64, -INFINITY);
  core.run();
  for (int64_t k = 0; k < 16; ++k)
    EXPECT_EQ(core.data.output[size_t(7 * 16 + k)], 0.0f);
  EXPECT_LT(maxError(core.data.output, referenceAttention(core, core.mask())), 1e-5);
}

TEST(SangerMachine, NotANumberDoesNotSpread) {
  Core core(shapeOf(1, 64, 64, 16), with(kCalibrated, {"empty_row=zero"}));
  core.data.query[3 * 16] = NAN;
  core.run();
  for (int64_t i = 0; i < 64; ++i)
    if (i != 3)
      EXPECT_TRUE(std::isfinite(core.data.output[size_t(i * 16)])) << "query " << i;
}

/// What a run of 64 queries and keys says about its inputs after `change`.
std::string warningOf(const std::string &numerics, const std::function<void(CoreData &)> &change) {
  Core core(shapeOf(1, 64, 64, 16, 1), with(kCalibrated, {"numerics=" + numerics}));
  change(core.data);
  LaunchReport report = core.run();
  return report.metrics.contains("warnings") ? report.metrics["warnings"][0] : "";
}

TEST(SangerMachine, SaysWhatIsNoNumber) {
  auto spoil = [](CoreData &data) {
    data.query[3] = data.query[700] = NAN;
    data.key[5] = -INFINITY;
    data.value[7] = INFINITY;
    data.bias[1] = NAN;
    data.bias[2] = -INFINITY; // hides a key
  };
  const std::string found =
      "there are values that are NaN or infinite (2 in Q, 1 in K, 1 in V, 1 in the mask); ";
  EXPECT_EQ(warningOf("rtl", spoil), found + "the machine's words have neither: NaN is taken as 0, "
                                             "infinity as the largest word");
  EXPECT_EQ(warningOf("ref", spoil),
            found + "results that they enter are wrong, though they may be finite");
  EXPECT_EQ(warningOf("ref", [](CoreData &data) { data.bias[2] = -INFINITY; }), "");
}

//===-- Fixed point --------------------------------------------------------===//

TEST(SangerRtl, IsCloseToTheReference) {
  Core core(shapeOf(2, 128, 128, 64), with(kCalibrated, {"numerics=rtl", "threshold=0.01"}));
  core.run();
  // The exp unit is up to 3.5 % off, which partly cancels in the quotient; words have 8 fraction
  // bits.
  EXPECT_LT(maxError(core.data.output, referenceAttention(core, core.mask())), 0.06);
  for (float x : core.data.output)
    ASSERT_EQ(x * 256, std::trunc(x * 256)) << "outputs are words with 8 fraction bits";
}

/// One query, two keys, d = 1: q = 2, k = {0.5, 1}, v = {1, -1}.
static Core oneBlock() {
  CoreShape shape{1, 1, 2, 1};
  shape.predicts = false;
  shape.scale = 1;
  Core core(shape, {"numerics=rtl"});
  core.data.query = {2};
  core.data.key = {0.5f, 1};
  core.data.value = {1, -1};
  return core;
}

TEST(SangerRtl, WorkedBlockIsExact) {
  // One query, two keys, d = 1: q = 2, k = {0.5, 1}, v = {1, -1}; scores 1 and 2 (16 fraction
  // bits). Exp unit, width 32: exp(1) = 177505, exp(2) = 480774 (next test); out = (e1 - e2) / (e1
  // + e2), truncated.
  Core core = oneBlock();
  core.run();
  const double e1 = 177505, e2 = 480774;
  EXPECT_EQ(core.data.output[0], float(std::trunc((e1 - e2) * 256 / (e1 + e2)) / 256));
}

TEST(SangerRtl, SaysWhatOverflows) {
  Core core = oneBlock();
  EXPECT_FALSE(core.run().metrics.contains("warnings"));
  core.data.key = {5, 6}; // scores 10 and 12: exp(10) and exp(12) are held to 2^15, as is their sum
  LaunchReport report = core.run();
  EXPECT_EQ(report.metrics["scores_out_of_range"], 1);
  EXPECT_EQ(report.metrics["saturated_sums"], 1);
  ASSERT_EQ(report.metrics["warnings"].size(), 1u);
  EXPECT_EQ(report.metrics["warnings"][0],
            "exponentials of scores above 10.4 overflow the exp unit, and their sums the "
            "accumulators, as on the machine (1 scores, 1 sums); results are wrong there: scale Q "
            "down, or raise `exp_bits` and `accumulator_bits`");
}

//===-- Padding ------------------------------------------------------------===//

TEST(SangerMachine, StatisticsLeaveHiddenKeysOut) {
  CoreShape shape{2, 64, 64, 16};
  shape.predicts = false;
  shape.biasRows = 1;
  Core core(shape, {});
  std::fill(core.data.bias.begin(), core.data.bias.end(), 0.0f);
  LaunchReport whole = core.run();
  EXPECT_FALSE(core.masks.kernels.contains("attention_0.valid"));
  std::fill(core.data.bias.begin() + 48, core.data.bias.end(), -10000.0f);
  LaunchReport report = core.run();
  // 48 of 64 tokens; the array works on all pairs, which this mask keeps: 64 rows of 4 segments.
  EXPECT_EQ(report.metrics["nnz"], 2 * 48 * 48);
  EXPECT_EQ(report.metrics["density"], 1.0);
  EXPECT_EQ(report.metrics["subrows"], 2 * 48 * 3);
  EXPECT_EQ(report.metrics["blocks"], 2 * 4);
  EXPECT_EQ(core.masks.kernels.at("attention_0.valid").count(), 48);
  LaunchReport replayed = core.run(RunMode::timing);
  EXPECT_EQ(replayed.metrics["density"], 1.0);
  EXPECT_EQ(replayed.cycles.value, report.cycles.value);
}

//===-- Determinism --------------------------------------------------------===//

TEST(SangerMachine, ThreadCountDoesNotMatter) {
  std::vector<std::vector<float>> outputs;
  std::vector<BitTensor> masks;
  for (unsigned threads : {1u, 2u, 3u, 8u}) {
    setThreadCount(threads);
    Core core(shapeOf(5, 130, 130, 40), with(kCalibrated, {"threshold=0.01"}));
    core.run();
    outputs.push_back(core.data.output);
    masks.push_back(core.mask());
  }
  setThreadCount(0);
  for (size_t i = 1; i < outputs.size(); ++i) {
    EXPECT_EQ(std::memcmp(outputs[0].data(), outputs[i].data(), outputs[0].size() * sizeof(float)),
              0);
    EXPECT_EQ(masks[0], masks[i]);
  }
}

TEST(SangerMachine, VectorWidthDoesNotMatter) {
  std::vector<float> first;
  for (int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().DeInit();
    Core core(shapeOf(2, 130, 130, 40), with(kCalibrated, {"threshold=0.01"}));
    core.run();
    if (first.empty())
      first = core.data.output;
    EXPECT_EQ(std::memcmp(first.data(), core.data.output.data(), first.size() * sizeof(float)), 0)
        << hwy::TargetName(target);
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().DeInit();
}

TEST(SangerMachine, EncodersComputeTheSame) {
  Core subrow(shapeOf(2, 128, 128, 64), with(kCalibrated, {"threshold=0.01"}));
  Core cut(shapeOf(2, 128, 128, 64), with(kCalibrated, {"threshold=0.01", "encoder=column_cut"}));
  LaunchReport a = subrow.run(), b = cut.run();
  EXPECT_EQ(subrow.mask(), cut.mask());
  EXPECT_LT(maxError(subrow.data.output, cut.data.output), 1e-5);
  EXPECT_GT(b.metrics["blocks"], a.metrics["blocks"]);
}

} // namespace
