// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- BlockPatternTest.cpp - patterns that version 2 picks, by hand ------===//

#include "targets/salo/model/BlockPattern.h"

#include <gtest/gtest.h>

#include <cmath>

namespace sparsam::salo {
namespace {

using namespace runtime;

/// Picks for one block of 4 x 4; rows of '1' and '0'.
std::string pick(const BlockRule &rule, const std::vector<float> &scores, int64_t validQueries = 4,
                 int64_t validKeys = 4, BlockChoice *choice = nullptr) {
  std::vector<uint8_t> mask(16);
  BlockChoice made = selectBlock(rule, scores.data(), 4, validQueries, validKeys, mask.data());
  if (choice)
    *choice = made;
  std::string text;
  for (size_t i = 0; i < 16; ++i)
    text += std::string(i % 4 == 0 && i > 0 ? " " : "") + (mask[i] ? '1' : '0');
  return text;
}

// Diagonals u = key - query + 3; the sums of u = 3 and 4 are the largest pair: 4 * 2 and 3 * 3.
const std::vector<float> kBand = {2, 3, 0, 0, //
                                  0, 2, 3, 0, //
                                  0, 0, 2, 3, //
                                  1, 0, 0, 2};

TEST(BlockPattern, picks_the_window_with_the_largest_sum) {
  BlockChoice choice;
  EXPECT_EQ(pick({4, 2, 0, 0, 1}, kBand, 4, 4, &choice), "1100 0110 0011 0001");
  EXPECT_EQ(choice.window, 3);
}

TEST(BlockPattern, takes_the_first_of_equal_windows) {
  BlockChoice choice;
  pick({4, 2, 1, 0, 1}, std::vector<float>(16, 0.0f), 4, 4, &choice);
  EXPECT_EQ(choice.window, 0);
  EXPECT_EQ(choice.columns, std::vector<int64_t>{0});
  EXPECT_EQ(choice.rows, std::vector<int64_t>{0});
}

TEST(BlockPattern, spreads_a_dilated_window) {
  BlockChoice choice;
  std::vector<float> scores(16, 0.0f);
  scores[2] = scores[7] = 5;              // u = 5
  scores[0] = scores[5] = scores[10] = 5; // u = 3
  EXPECT_EQ(pick({4, 2, 0, 0, 2}, scores, 4, 4, &choice), "1010 0101 0010 0001");
  EXPECT_EQ(choice.window, 3);
}

// Column sums 3, 5, 5, 5: the first of equals is column 1. Row sums 5, 5, 5, 3. Diagonal u = 4.
TEST(BlockPattern, adds_global_columns_and_rows) {
  EXPECT_EQ(pick({4, 1, 1, 0, 1}, kBand), "1111 0110 0101 0100");
}

// What is selected counts as 0: row 0 takes its key 0 again, rows 1 and 2 a 0 that is the first.
TEST(BlockPattern, adds_further_keys_of_each_row) {
  EXPECT_EQ(pick({4, 2, 0, 1, 1}, kBand), "1100 1110 1011 1001");
}

TEST(BlockPattern, leaves_padding_out) {
  EXPECT_EQ(pick({4, 2, 0, 0, 1}, kBand, 3, 3), "1100 0110 0010 0000");
  EXPECT_EQ(pick({4, 1, 1, 0, 1}, kBand, 3, 3), "1110 0110 0100 0100");
  EXPECT_EQ(pick({4, 1, 1, 2, 1}, kBand, 4, 0), "0000 0000 0000 0000");
}

TEST(BlockPattern, cuts_matrices_into_blocks) {
  std::vector<float> scores(64, 0.0f);
  for (int64_t i = 0; i < 8; ++i)
    scores[size_t(i * 8 + (7 - i) / 4 * 4 + i % 4)] = 1; // diagonals of the off-diagonal blocks
  TensorView view{DType::f32, {1, 8, 8}, scores.data()};
  auto masks = selectPattern({4, 1, 0, 0, 1}, view, {}, false);
  ASSERT_TRUE(masks.ok()) << masks.error().message;
  EXPECT_TRUE(masks->get(0, 0, 4));
  EXPECT_TRUE(masks->get(0, 7, 3));
  EXPECT_FALSE(masks->get(0, 0, 0)); // nothing to see there: the first diagonal, key 0 of query 3
  EXPECT_TRUE(masks->get(0, 3, 0));
}

TEST(BlockPattern, normalizes_rows_on_request) {
  std::vector<float> scores = {5, 5.5f, 0, 0}; // probabilities .38 .62 and .5 .5
  TensorView view{DType::f32, {2, 2}, scores.data()};
  const BlockRule rule{2, 1, 0, 0, 1};
  EXPECT_TRUE(selectPattern(rule, view, {}, false)->get(0, 0, 1)); // 5.5 over 5
  EXPECT_TRUE(selectPattern(rule, view, {}, true)->get(0, 0, 0));  // .88 over .62
}

TEST(BlockPattern, refuses_what_it_cannot_cut) {
  std::vector<float> scores(36, 1.0f);
  auto message = [&](Shape shape, std::vector<int64_t> valid = {}, DType dtype = DType::f32) {
    auto masks = selectPattern({4, 1, 1, 0, 1}, {dtype, shape, scores.data()}, valid, false);
    return masks ? "" : masks.error().message;
  };
  EXPECT_NE(message({6, 6}).find("scores of 6 tokens cannot be cut into blocks of 4 (parameter "
                                 "'block')"),
            std::string::npos);
  EXPECT_NE(message({4, 5}).find("got shape 4x5"), std::string::npos);
  EXPECT_NE(message({4, 4}, {}, DType::f64).find("must be float32, got float64"),
            std::string::npos);
  EXPECT_NE(message({4, 4}, {5}).find("--valid-len must lie in [1, 4], got 5"), std::string::npos);
  EXPECT_NE(message({1, 1, 4, 4}, {1, 2}).find("--valid-len gives 2 lengths for 1"),
            std::string::npos);
  scores[3] = INFINITY;
  EXPECT_NE(message({4, 4}).find("scores hold NaN or infinity"), std::string::npos);
}

} // namespace
} // namespace sparsam::salo
