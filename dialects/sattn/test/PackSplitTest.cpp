// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- PackSplitTest.cpp - blocks of worked and of random masks -----------===//

#include "sattn/PackSplit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <random>
#include <set>

using namespace sparsam::sattn;

namespace {

using Matrix = std::vector<std::vector<bool>>;

std::vector<Subrow> pack(const Matrix &mask, const PackParameters &parameters) {
  return packSplit(mask.size(), mask[0].size(), parameters,
                   [&](int64_t i, int64_t j) { return mask[i][j]; });
}

/// Checks that `subrows` hold every kept pair of `mask` once, within the limits, in order.
void expectPartition(const Matrix &mask, const PackParameters &parameters,
                     const std::vector<Subrow> &subrows) {
  std::set<std::pair<int64_t, int64_t>> pairs;
  std::map<std::pair<int64_t, int64_t>, int64_t> rowsOfBlock;
  std::pair<int64_t, int64_t> previous{-1, -1};
  for (const Subrow &subrow : subrows) {
    ASSERT_GE(subrow.columns.size(), 1u);
    ASSERT_LE(int64_t(subrow.columns.size()), parameters.pes);
    ASSERT_TRUE(std::is_sorted(subrow.columns.begin(), subrow.columns.end(), std::less_equal<>()));
    std::pair block{subrow.stripe, subrow.block};
    ASSERT_LE(++rowsOfBlock[block], parameters.rows);
    ASSERT_GE(block, previous);
    previous = block;
    for (int64_t column : subrow.columns) {
      ASSERT_LT(column, parameters.stripe);
      int64_t key = subrow.stripe * parameters.stripe + column;
      ASSERT_TRUE(mask[subrow.query][key]);
      ASSERT_TRUE(pairs.insert({subrow.query, key}).second);
    }
  }
  size_t kept = 0;
  for (const auto &row : mask)
    kept += std::count(row.begin(), row.end(), true);
  EXPECT_EQ(pairs.size(), kept);
}

Matrix randomMask(int64_t queries, int64_t keys, double density, unsigned seed) {
  std::mt19937 random(seed);
  std::bernoulli_distribution keep(density);
  Matrix mask(queries, std::vector<bool>(keys));
  for (auto &row : mask)
    for (size_t key = 0; key < row.size(); ++key)
      row[key] = keep(random);
  return mask;
}

// Worked example (c): 64 keys, 10 empty rows, 30 rows with 8 kept keys, 20 with 16, 4 with 40: 30 +
// 20 + 4 * 3 sub-rows.
TEST(PackSplit, CountsSubrowsOfTheWorkedExample) {
  Matrix mask(64, std::vector<bool>(64));
  for (int64_t row = 10; row < 64; ++row)
    std::fill_n(mask[row].begin(), row < 40 ? 8 : row < 60 ? 16 : 40, true);
  auto subrows = pack(mask, {64, 16, 64});
  EXPECT_EQ(subrows.size(), 62u);
  EXPECT_EQ(subrows.back().block, 0);
  EXPECT_EQ(subrows.back().columns.size(), 8u); // 40 = 16 + 16 + 8: full segments first
}

TEST(PackSplit, AllOnesFillEveryPe) {
  auto subrows = pack(Matrix(3, std::vector<bool>(8, true)), {4, 2, 2});
  ASSERT_EQ(subrows.size(), 12u); // 3 queries * 2 stripes * 2 segments
  EXPECT_EQ(subrows.back().block, 2);
}

TEST(PackSplit, OneTokenIsOneSubrow) {
  for (bool columnCut : {false, true})
    EXPECT_EQ(pack({{true}}, {64, 16, 64, columnCut}).size(), 1u);
}

TEST(PackSplit, NothingKeptIsNoBlock) {
  for (bool columnCut : {false, true})
    EXPECT_TRUE(pack(Matrix(5, std::vector<bool>(9)), {4, 2, 2, columnCut}).empty());
}

TEST(PackSplit, BlocksPartitionEveryMask) {
  for (bool columnCut : {false, true})
    for (auto [queries, keys] :
         {std::pair(1, 1), std::pair(7, 13), std::pair(64, 64), std::pair(65, 129)})
      for (double density : {0.05, 0.4, 1.0}) {
        Matrix mask = randomMask(queries, keys, density, queries * keys);
        PackParameters parameters{16, 3, 8, columnCut};
        expectPartition(mask, parameters, pack(mask, parameters));
      }
}

// In column_cut blocks of one group of queries cover ranges of columns that do not overlap.
TEST(PackSplit, ColumnCutKeepsColumnsTogether) {
  PackParameters parameters{32, 2, 4, true};
  std::map<std::pair<int64_t, int64_t>, std::pair<int64_t, int64_t>>
      ranges; // group, block -> columns
  for (const Subrow &subrow : pack(randomMask(12, 32, 0.3, 1), parameters)) {
    auto [it, isNew] = ranges.try_emplace({subrow.query / parameters.rows, subrow.block},
                                          subrow.columns.front(), subrow.columns.back());
    it->second.first = std::min(it->second.first, subrow.columns.front());
    it->second.second = std::max(it->second.second, subrow.columns.back());
  }
  ASSERT_GT(ranges.size(), 3u);
  for (auto it = ranges.begin(), next = std::next(it); next != ranges.end(); ++it, ++next)
    if (it->first.first == next->first.first)
      EXPECT_LT(it->second.second, next->second.first);
}

} // namespace
