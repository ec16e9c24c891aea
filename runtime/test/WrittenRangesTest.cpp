// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- WrittenRangesTest.cpp - where a program has written ----------------===//

#include "runtime/units/WrittenRanges.h"

#include <gtest/gtest.h>

namespace sparsam::runtime {
namespace {

Tile rowOf(int64_t offset, uint32_t cols) {
  Tile tile;
  tile.memory = 2;
  tile.offset = offset;
  tile.rows = 1;
  tile.cols = cols;
  return tile;
}

TEST(WrittenRanges, KnowWhatAWriteTouches) {
  WrittenRanges ranges;
  EXPECT_FALSE(ranges.touches(rowOf(0, 100)));
  ranges.add(rowOf(10, 10));
  EXPECT_FALSE(ranges.touches(rowOf(0, 10)));
  EXPECT_TRUE(ranges.touches(rowOf(0, 11)));
  EXPECT_TRUE(ranges.touches(rowOf(19, 1)));
  EXPECT_FALSE(ranges.touches(rowOf(20, 5)));
}

TEST(WrittenRanges, CountWhatLiesBetweenTheRowsOfATile) {
  Tile tile = rowOf(0, 4);
  tile.rows = 3;
  tile.rowStride = 16;
  WrittenRanges ranges;
  ranges.add(tile);
  EXPECT_TRUE(ranges.touches(rowOf(8, 4)));
  EXPECT_TRUE(ranges.touches(rowOf(35, 1)));
  EXPECT_FALSE(ranges.touches(rowOf(36, 1)));
}

/// Every order of writing four pieces leaves what plain bits do.
TEST(WrittenRanges, GrowTogetherInAnyOrder) {
  std::vector<std::pair<int64_t, uint32_t>> pieces{{2, 3}, {5, 2}, {9, 4}, {6, 5}};
  std::sort(pieces.begin(), pieces.end());
  do {
    WrittenRanges ranges;
    std::vector<bool> bits(20);
    for (auto [begin, length] : pieces) {
      ranges.add(rowOf(begin, length));
      std::fill_n(bits.begin() + begin, length, true);
      for (int64_t at = 0; at < 20; ++at)
        ASSERT_EQ(ranges.touches(rowOf(at, 1)), bits[size_t(at)]) << at;
    }
  } while (std::next_permutation(pieces.begin(), pieces.end()));
}

} // namespace
} // namespace sparsam::runtime
