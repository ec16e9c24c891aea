// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- RowPipeTest.cpp - numerics of one query ----------------------------===//

#include "targets/spatten/model/RowPipe.h"
#include "targets/spatten/model/RowKernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

using namespace sparsam::spatten;

/// Worked example: 4 + 4 bits, integer keys up to 127, queries whose words are 3 and -2, scores
/// times 0.01 / sqrt(2).
static PipeFormat progressiveExample(float threshold) {
  PipeFormat f;
  f.headDim = 2;
  f.msbBits = f.lsbBits = 4;
  f.valueBits = 12;
  f.threshold = threshold;
  f.queryRange = 2047; // a word is the number itself
  f.keyRange = 127;
  f.valueRange = 2047;
  f.scale = float(0.01 / std::sqrt(2.0));
  f.values = 3;
  return f;
}

/// Probabilities of the three keys, as the sums of one query tell them.
static std::vector<double> probabilities(RowPipe &pipe) {
  const float keys[] = {100, -60, 17, 5, -33, 90}, query[] = {3, -2}, values[6] = {};
  pipe.reserve(3);
  pipe.loadKeys(keys, 3, 0);
  pipe.loadValues(values, 3, 0);
  float output[2];
  std::vector<double> sums(3);
  RowKeys row;
  row.count = 3;
  pipe.run(query, row, output, sums.data(), nullptr);
  for (double &sum : sums)
    sum *= pipe.tokenUnit();
  return sums;
}

// MSB words [[96,-64],[16,0],[-48,80]]: scores 416, 48, -304.
TEST(WordPipe, stops_after_the_high_bits_where_one_probability_is_large) {
  auto pipe = makeWordPipe(progressiveExample(0.1f));
  std::vector<double> p = probabilities(*pipe);
  EXPECT_FALSE(pipe->decisions().needsLsb);
  EXPECT_NEAR(p[0], 0.925699, 1.0 / 4096);
  EXPECT_NEAR(p[1], 0.068607, 1.0 / 4096);
  EXPECT_NEAR(p[2], 0.005694, 1.0 / 4096);
}

// Full words: scores 420, 41, -279.
TEST(WordPipe, computes_again_with_all_bits_where_none_is) {
  auto pipe = makeWordPipe(progressiveExample(0.95f));
  std::vector<double> p = probabilities(*pipe);
  EXPECT_TRUE(pipe->decisions().needsLsb);
  EXPECT_NEAR(p[0], 0.929625, 1.0 / 4096);
  EXPECT_NEAR(p[1], 0.063742, 1.0 / 4096);
  EXPECT_NEAR(p[2], 0.006633, 1.0 / 4096);
}

TEST(WordPipe, takes_all_bits_at_once_where_a_second_fetch_is_not_allowed) {
  PipeFormat format = progressiveExample(0.95f);
  format.allowsLsb = false;
  auto pipe = makeWordPipe(format);
  EXPECT_NEAR(probabilities(*pipe)[0], 0.929625, 1.0 / 4096);
  EXPECT_FALSE(pipe->decisions().needsLsb);
}

// A score error ds moves probabilities by at most ds / 2 in the sum of magnitudes, to first order.
TEST(WordPipe, errs_no_more_than_the_scores_do) {
  std::mt19937 generator(5);
  std::normal_distribution<float> normal;
  for (int trial = 0; trial < 50; ++trial) {
    std::vector<float> scores(32), shifted;
    for (float &score : scores)
      score = normal(generator);
    const float ds = 0.01f;
    shifted = scores;
    shifted[3] += ds;
    auto softmax = [](std::vector<float> &x) {
      kernels::taylorExp(x.data(), int64_t(x.size()),
                         kernels::largest(x.data(), int64_t(x.size())));
      kernels::divide(x.data(), int64_t(x.size()), kernels::sum(x.data(), int64_t(x.size())));
    };
    softmax(scores);
    softmax(shifted);
    float moved = 0;
    for (size_t i = 0; i < scores.size(); ++i)
      moved += std::abs(scores[i] - shifted[i]);
    EXPECT_LE(moved, ds / 2 * 1.02f);
    EXPECT_GT(moved, 0);
  }
}

TEST(RowKernels, exp_is_precise_enough) {
  std::vector<float> x;
  for (float at = -20; at <= 0; at += 0.001f)
    x.push_back(at);
  std::vector<float> y = x;
  kernels::taylorExp(y.data(), int64_t(y.size()), 0);
  for (size_t i = 0; i < x.size(); ++i)
    ASSERT_NEAR(y[i] / std::exp(double(x[i])), 1, 1e-4) << x[i];
}

TEST(RowKernels, probability_one_is_the_largest_word) {
  const float x[] = {1.0f, 0.5f, 0.0f, 0.00012f};
  uint16_t words[4];
  kernels::quantizeProbabilities(x, 4, words);
  EXPECT_EQ(words[0], 4095);
  EXPECT_EQ(words[1], 2048);
  EXPECT_EQ(words[2], 0);
  EXPECT_EQ(words[3], 0);
}

/// Both kinds of numerics on random rows.
static void runBoth(int64_t values, std::vector<float> &words, std::vector<float> &exact,
                    RowDecisions &decisions) {
  constexpr int64_t kDim = 64, kKeys = 100;
  std::mt19937 generator(11);
  std::normal_distribution<float> normal;
  std::vector<float> keys(kKeys * kDim), rows(kKeys * kDim), query(kDim);
  for (std::vector<float> *x : {&keys, &rows, &query})
    for (float &value : *x)
      value = normal(generator);
  PipeFormat f;
  f.headDim = kDim;
  f.scale = 0.125f;
  f.msbBits = 8;
  f.valueBits = 12;
  f.values = values;
  f.queryRange = f.keyRange = f.valueRange = 5;
  for (std::vector<float> *output : {&words, &exact}) {
    auto pipe = output == &words ? makeWordPipe(f) : makeExactPipe(f);
    output->resize(size_t(kDim));
    pipe->reserve(kKeys);
    pipe->loadKeys(keys.data(), kKeys, 0);
    pipe->loadValues(rows.data(), kKeys, 0);
    RowKeys row;
    row.count = kKeys;
    pipe->run(query.data(), row, output->data(), nullptr, nullptr);
    decisions = pipe->decisions();
  }
}

TEST(WordPipe, is_near_to_exact_numerics) {
  std::vector<float> words, exact;
  RowDecisions decisions;
  runBoth(100, words, exact, decisions);
  for (size_t d = 0; d < words.size(); ++d)
    EXPECT_NEAR(words[d], exact[d], 0.02);
  EXPECT_TRUE(decisions.rounds.empty()); // bypassed
}

TEST(WordPipe, keeps_as_many_values_as_it_is_told) {
  std::vector<float> words, exact;
  RowDecisions decisions;
  runBoth(20, words, exact, decisions);
  EXPECT_EQ(std::count(decisions.keepsValue.begin(), decisions.keepsValue.end(), 1), 20);
  EXPECT_EQ(decisions.rounds.front(), 100u);
}

TEST(RowPipe, gives_zeros_to_a_query_that_sees_nothing) {
  PipeFormat f;
  f.queryRange = f.keyRange = f.valueRange = 1;
  for (bool isExact : {false, true}) {
    auto pipe = isExact ? makeExactPipe(f) : makeWordPipe(f);
    std::vector<float> query(64, 1.0f), output(64, 5.0f);
    pipe->reserve(1);
    pipe->run(query.data(), {}, output.data(), nullptr, nullptr);
    EXPECT_EQ(output, std::vector<float>(64, 0.0f));
  }
}
