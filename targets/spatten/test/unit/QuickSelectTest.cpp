// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- QuickSelectTest.cpp - the top-k engine and the zero eliminator -----===//

#include "targets/spatten/model/QuickSelect.h"
#include "targets/spatten/model/Ranking.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>

using namespace sparsam::spatten;

static constexpr PivotRule kFirst{false, 1}, kRandom{true, 7};

static Threshold<float> select(const std::vector<float> &x, int64_t k, PivotRule rule = kFirst) {
  Fifos<float> fifos;
  return quickSelect(std::span<const float>(x), k, Pivots(rule, 0), fifos);
}

// The paper's figure 9: theta is 0.6 and both of those equal to it are kept; one round when the
// first is the pivot.
TEST(QuickSelect, finds_theta_of_the_papers_example) {
  Threshold<float> t = select({0.6f, 0.1f, 0.5f, 1.2f, 0.6f}, 3);
  EXPECT_EQ(t.theta, 0.6f);
  EXPECT_EQ(t.equalToKeep, 2);
  ASSERT_EQ(t.rounds, (std::vector<uint32_t>{5}));
  EXPECT_EQ(roundCycles(t.rounds, 16, 3), 4); // ceil(5 / 16) + 3
  EXPECT_EQ(roundCycles(t.rounds, 4, 3), 5);
}

TEST(QuickSelect, agrees_with_sorting_for_any_pivots) {
  std::mt19937 generator(3);
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<float> x(1 + generator() % 100 + 1);
    for (float &value : x)
      value = float(generator() % 20); // many equal ones
    int64_t k = 1 + int64_t(generator() % (x.size() - 1));
    Threshold<float> t = select(x, k, {true, generator()});
    std::vector<float> sorted = x;
    std::sort(sorted.begin(), sorted.end(), std::greater<>());
    ASSERT_EQ(t.theta, sorted[size_t(k) - 1]);
    ASSERT_EQ(t.equalToKeep,
              k - std::count_if(x.begin(), x.end(), [&](float v) { return v > t.theta; }));
    ASSERT_EQ(t.rounds.front(), x.size());
    ASSERT_TRUE(std::is_sorted(t.rounds.rbegin(), t.rounds.rend()));
  }
}

TEST(QuickSelect, repeats_with_the_same_seed) {
  std::vector<float> x(500);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = float(i * 7919 % 1000);
  EXPECT_EQ(select(x, 50, kRandom).rounds, select(x, 50, kRandom).rounds);
  EXPECT_NE(select(x, 50, kRandom).rounds, select(x, 50, {true, 8}).rounds);
}

// Expected cycles with 16 comparators, by simulation.
TEST(QuickSelect, takes_the_expected_cycles) {
  sparsam::spatten::Params params;
  const std::vector<std::array<int64_t, 3>> expected = {{64, 32, 37},     {128, 64, 55},
                                                        {256, 32, 74},    {512, 128, 136},
                                                        {1024, 102, 208}, {1024, 512, 258}};
  for (auto [n, k, cycles] : expected)
    EXPECT_NEAR(expectedCycles(n, k, params), double(cycles), 0.02 * double(cycles))
        << n << " " << k;
  EXPECT_EQ(expectedCycles(64, 64, params), 0); // bypassed
}

TEST(Ranking, keeps_the_order_and_what_is_protected) {
  std::vector<float> scores = {1.25f, 0.95f, 1.30f, 0.50f};
  EXPECT_EQ(rankScores(scores, 3, 0, 0, Pivots(kRandom, 0)).survivors,
            (std::vector<int64_t>{0, 1, 2}));
  EXPECT_EQ(rankScores(scores, 2, 0, 0, Pivots(kRandom, 0)).survivors,
            (std::vector<int64_t>{0, 2}));
  EXPECT_EQ(rankScores(scores, 2, 0, 1, Pivots(kRandom, 0)).survivors,
            (std::vector<int64_t>{2, 3}));
  Ranking all = rankScores(scores, 4, 1, 0, Pivots(kRandom, 0));
  EXPECT_EQ(all.survivors, (std::vector<int64_t>{0, 1, 2, 3}));
  EXPECT_TRUE(all.rounds.empty());
}

// The paper's figure 10: a 0 b 0 c d 0 e.
TEST(ZeroEliminator, moves_what_is_kept_to_the_left) {
  const std::vector<uint8_t> kept = {1, 0, 1, 0, 1, 1, 0, 1};
  ZeroEliminator eliminator(kept);
  EXPECT_EQ(eliminator.zeroCounts(), (std::vector<uint32_t>{0, 0, 1, 1, 2, 2, 2, 3}));
  auto rounds = eliminator.rounds();
  ASSERT_EQ(rounds.size(), 3u);
  EXPECT_EQ(rounds[0], (std::vector<int32_t>{0, 2, -1, -1, 4, 5, 7, -1}));
  EXPECT_EQ(rounds[1], (std::vector<int32_t>{0, 2, 4, 5, 7, -1, -1, -1}));
  EXPECT_EQ(rounds[2], rounds[1]);
}
