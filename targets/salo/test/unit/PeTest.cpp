// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- PeTest.cpp - the arithmetic of one PE, worked by hand --------------===//

#include "targets/salo/model/Pe.h"

#include <gtest/gtest.h>

namespace sparsam::salo::pe {
namespace {

TEST(Pe, computes_the_worked_example) {
  const int32_t q[] = {16, 8, -4, 32}, k[] = {32, 16, 8, 16};
  int32_t score = 0;
  for (int i = 0; i < 4; ++i)
    score = accumulate(score, q[i], k[i]);
  EXPECT_EQ(score, 1120); // 512 + 128 - 32 + 512; 4.375

  // 1120 >> 3 = 140, so piece 2: 225 + (17 * 140 >> 4) = 225 + 148; 1.457 beside 2^0.546875 = 1.461
  Sum own = exponential(score, 3);
  EXPECT_EQ(own.exponent, 0);
  EXPECT_EQ(own.value, 373);

  Sum row = addToLeft({512, 1}, own);
  EXPECT_EQ(own.value, 186); // 373 >> 1
  EXPECT_EQ(row.value, 698);
  EXPECT_EQ(row.exponent, 1);

  EXPECT_EQ(inverse(row.value), 46);                 // floor(32768 / 698)
  EXPECT_EQ(probability(own, 46, row.exponent), 33); // 93 * 46 = 4278 >> 7
  EXPECT_EQ(mix(100, 33, 20), 182);                  // 660 >> 3 = 82
}

TEST(Pe, is_at_most_one_and_a_half_percent_off_two_to_the_x) {
  double worst = 0;
  for (int32_t f = 0; f < 256; ++f) {
    double exact = 256 * std::exp2(f / 256.0);
    worst = std::max(worst, std::abs(exponential(f << 3, 3).value - exact) / exact);
  }
  EXPECT_GT(worst, 0.0145);
  EXPECT_LT(worst, 0.0150);
}

TEST(Pe, is_not_monotonic_where_the_last_piece_begins) {
  EXPECT_EQ(exponential(191 << 3, 3).value, 427);
  EXPECT_EQ(exponential(192 << 3, 3).value, 425);
}

TEST(Pe, takes_negative_scores_apart_by_floor) {
  // -1 / 8 = -0.125 = -1 + 0.875: f = 224, piece 3: 185 + (20 * 224 >> 4) = 465; 465/512 = 0.908
  Sum sum = exponential(-256, 3);
  EXPECT_EQ(sum.exponent, -1);
  EXPECT_EQ(sum.value, 465);
}

TEST(Pe, aliases_scores_of_sixteen_and_more) {
  const int32_t sixteen = 16 * 8 * 256;
  EXPECT_EQ(exponential(sixteen - 1, 3).exponent, 15);
  EXPECT_EQ(exponential(sixteen, 3).exponent, -16);
}

TEST(Pe, wraps_scores_at_eighteen_bits) {
  EXPECT_EQ(accumulate(131071, 1, 1), -131072);
  EXPECT_EQ(accumulate(-131072, 1, -1), 131071);
}

TEST(Pe, aligns_the_left_sum_to_a_larger_exponent) {
  Sum own{300, 3};
  Sum row = addToLeft({511, 1}, own);
  EXPECT_EQ(row.value, 300 + 127); // 511 >> 2
  EXPECT_EQ(row.exponent, 3);
  EXPECT_EQ(own.value, 300);
}

TEST(Pe, does_not_notice_a_masked_neighbour) {
  Sum masked{0, kLowestExponent};
  Sum row = addToLeft({698, 1}, masked);
  EXPECT_EQ(row.value, 698);
  EXPECT_EQ(row.exponent, 1);
  EXPECT_EQ(probability(masked, 46, 1), 0);
}

TEST(Pe, starts_from_an_empty_sum_at_the_left_edge) {
  Sum own{373, -3};
  Sum row = addToLeft(Sum(), own);
  EXPECT_EQ(row.value, 373);
  EXPECT_EQ(row.exponent, -3);
}

TEST(Pe, limits_the_inverse_of_an_empty_row) {
  EXPECT_EQ(inverse(0), 255);
  EXPECT_EQ(inverse(128), 255); // 256 does not fit
  EXPECT_EQ(inverse(129), 254);
}

TEST(Pe, rounds_words_to_even_and_saturates) {
  EXPECT_EQ(toWord(0.03125f), 0); // 0.5 of a step
  EXPECT_EQ(toWord(0.09375f), 2); // 1.5 steps
  EXPECT_EQ(toWord(100), kWordMax);
  EXPECT_EQ(toWord(-100), kWordMin);
}

TEST(Merge, weights_by_the_sums) {
  Sum running{512, 1};                            // 4
  EXPECT_EQ(mergeWeight(running, {512, 0}), 170); // 4 / 6: floor(512 * 256 / 768)
  EXPECT_EQ(running.value, 768);
  EXPECT_EQ(running.exponent, 1);
  EXPECT_EQ(mergeOutput(170, 256, -256), 84); // (170 * 256 - 86 * 256) >> 8
}

TEST(Merge, keeps_the_output_when_an_empty_tile_joins) {
  Sum running{700, 2};
  EXPECT_EQ(mergeWeight(running, Sum()), 256);
  EXPECT_EQ(running.value, 700);
  EXPECT_EQ(mergeOutput(256, -123, 77), -123);
}

TEST(Merge, takes_the_tile_when_the_row_was_empty) {
  Sum running;
  EXPECT_EQ(mergeWeight(running, {300, 0}), 0);
  EXPECT_EQ(running.value, 300);
  EXPECT_EQ(mergeOutput(0, 5, 77), 77);
}

TEST(Merge, stays_empty_when_nothing_joins) {
  Sum running;
  EXPECT_EQ(mergeWeight(running, Sum()), 256);
  EXPECT_EQ(running.value, 0);
}

} // namespace
} // namespace sparsam::salo::pe
