// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- PackerTest.cpp - blocks of given masks -----------------------------===//

#include "targets/sanger/model/Packer.h"
#include "targets/sanger/model/Statistics.h"

#include <gtest/gtest.h>

#include <bit>
#include <random>

using namespace sparsam::sanger;

namespace {

using Bits = std::vector<uint64_t>;

/// 1000 / 0101 / 1010 / 1100 of the sheet, column 0 in bit 0.
const Bits kExample{0b0001, 0b1010, 0b0101, 0b0011};

std::vector<std::vector<Subrow>> pack(const ArrayShape &shape, const Bits &rows) {
  BlockList list;
  list.append(shape, rows, 0, shape.stripe, true);
  std::vector<std::vector<Subrow>> blocks;
  for (int64_t count = list.seal(shape); count > 0; --count) {
    auto block = list.next();
    blocks.emplace_back(block.begin(), block.end());
  }
  EXPECT_TRUE(list.atEnd());
  return blocks;
}

TEST(Packer, WorkedExample) { // sheet, example (b)
  auto blocks = pack({2, 64, 4, Encoder::subrow}, kExample);
  ASSERT_EQ(blocks.size(), 1u);
  EXPECT_EQ(blocks[0], (std::vector<Subrow>{{0, 0b0001}, {1, 0b1010}, {2, 0b0101}, {3, 0b0011}}));
  EXPECT_EQ(pack({1, 64, 4, Encoder::subrow}, kExample)[0].size(), 7u);
}

TEST(Packer, BubblesGiveEveryRowOneLatency) {
  ArrayShape shape{2, 64, 4, Encoder::subrow};
  EXPECT_EQ(bubbles(0b0101, shape), (std::vector<int64_t>{1, 1}));
  EXPECT_EQ(bubbles(0b0011, shape), (std::vector<int64_t>{0, 2}));
  EXPECT_EQ(bubbles(0b1000, shape), (std::vector<int64_t>{0, 0}))
      << "a free column before the last one";
  EXPECT_EQ(bubbles(0, shape), (std::vector<int64_t>{0, 2}));
  std::mt19937_64 generator(1);
  for (int i = 0; i < 100; ++i) {
    uint64_t columns = lowestOnes(generator(), 16);
    std::vector<int64_t> delays = bubbles(columns, ArrayShape());
    ASSERT_EQ(delays.size(), 16u);
    int64_t latency = std::countr_zero(columns);
    for (int64_t delay : delays)
      latency += delay + 1;
    EXPECT_EQ(latency, 64);
  }
}

TEST(Packer, SplitsFullSegmentsFirst) {
  uint64_t forty = (uint64_t(1) << 40) - 1;
  auto blocks = pack(ArrayShape(), {0, forty, 0, uint64_t(1) << 63});
  ASSERT_EQ(blocks.size(), 1u);
  EXPECT_EQ(blocks[0], (std::vector<Subrow>{{1, 0xffff},
                                            {1, uint64_t(0xffff) << 16},
                                            {1, uint64_t(0xff) << 32},
                                            {3, uint64_t(1) << 63}}));
}

TEST(Packer, FillsBlocksAcrossTiles) {
  ArrayShape shape;
  BlockList list;
  for (uint32_t tile = 0; tile < 3; ++tile)
    list.append(shape, Bits(30, 1), tile * 64, 64, true);
  EXPECT_EQ(list.seal(shape), 2);
  EXPECT_EQ(list.next().size(), 64u);
  EXPECT_EQ(list.next().size(), 26u);
  list.append(shape, Bits(1, 1), 0, 64, true);
  EXPECT_EQ(list.seal(shape), 1) << "packing into a sealed list starts a new one";
}

TEST(Packer, EmptyMaskHasNoBlocks) {
  EXPECT_TRUE(pack(ArrayShape(), Bits(64, 0)).empty());
  EXPECT_TRUE(pack({16, 64, 64, Encoder::columnCut}, Bits(64, 0)).empty());
}

TEST(ColumnPacker, WorkedExample) { // sheet, example (e)
  ColumnPacker packer(1, 2);
  auto first = packer.step({true});
  EXPECT_TRUE(first.isStored && !first.isEmitted);
  EXPECT_FALSE(packer.step({false}).isStored);
  auto third = packer.step({true});
  EXPECT_TRUE(third.isStored && !third.isEmitted);
  EXPECT_EQ(third.column, 2);
  EXPECT_EQ(packer.column(), 3);
  EXPECT_TRUE(packer.step({true}).isEmitted);
  EXPECT_EQ(packer.column(), 0);
  auto again = packer.step({true});
  EXPECT_TRUE(again.isStored && !again.isEmitted);
  EXPECT_EQ(again.column, 0);
}

/// The blocks that the RTL's packer emits, a column at a time.
std::vector<std::vector<Subrow>> streamColumns(const ArrayShape &shape, const Bits &rows,
                                               int64_t &repeated) {
  ColumnPacker packer(rows.size(), shape.pes);
  Bits held(rows.size(), 0);
  std::vector<std::vector<Subrow>> blocks;
  auto emit = [&] {
    std::vector<Subrow> block;
    for (size_t r = 0; r < rows.size(); ++r)
      if (held[r])
        block.push_back({uint32_t(r), held[r]});
    if (!block.empty())
      blocks.push_back(block);
    held.assign(rows.size(), 0);
  };
  for (int c = 0; c < shape.stripe; ++c) {
    std::vector<bool> bits;
    for (uint64_t row : rows)
      bits.push_back(row >> c & 1);
    if (packer.step(bits).isEmitted) {
      ++repeated;
      emit();
      EXPECT_FALSE(packer.step(bits).isEmitted);
    }
    for (size_t r = 0; r < rows.size(); ++r)
      held[r] |= rows[r] & uint64_t(1) << c;
  }
  emit(); // the end of the stripe
  return blocks;
}

TEST(Packer, ColumnCutEqualsTheStreamingPacker) {
  std::mt19937_64 generator(2);
  for (int sparsity = 1; sparsity <= 4; ++sparsity)
    for (int64_t pes : {1, 2, 16}) {
      ArrayShape shape{pes, 64, 64, Encoder::columnCut};
      Bits rows(64);
      for (uint64_t &row : rows) {
        row = ~uint64_t(0);
        for (int i = 0; i < sparsity; ++i)
          row &= generator();
      }
      int64_t repeated = 0;
      auto expected = streamColumns(shape, rows, repeated);
      BlockList list;
      EXPECT_EQ(list.append(shape, rows, 0, 64, true), repeated);
      EXPECT_EQ(pack(shape, rows), expected) << "pes " << pes << ", sparsity " << sparsity;
    }
}

//===-- Statistics ---------------------------------------------------------===//

/// 10 empty rows, 30 with 8, 20 with 16, 4 with 40 ones: example (c).
sparsam::runtime::BitTensor exampleMask() {
  sparsam::runtime::BitTensor mask(1, 1, 64, 64);
  const int counts[] = {8, 16, 40}, rows[] = {30, 20, 4};
  int64_t query = 10;
  for (int i = 0; i < 3; ++i)
    for (int r = 0; r < rows[i]; ++r, ++query)
      mask.row(0, query)[0] = (uint64_t(1) << counts[i]) - 1;
  return mask;
}

MaskStatistics statisticsOf(const sparsam::runtime::BitTensor &masks, const ArrayShape &shape,
                            std::span<const int64_t> lengths) {
  const ValidTokens valid = *firstTokens(masks, lengths);
  return computeStatistics(masks, shape, valid, {allTokens(masks).queries, valid.keys});
}

TEST(Statistics, WorkedExample) { // sheet, example (c)
  auto s = statisticsOf(exampleMask(), ArrayShape(), {});
  EXPECT_EQ(s.nnz, 720);
  EXPECT_DOUBLE_EQ(s.density, 0.17578125);
  EXPECT_EQ(s.subrows, 62);
  EXPECT_EQ(s.nonemptyVectors, 54);
  EXPECT_EQ(s.fullSegments, 20 + 4 * 2);
  EXPECT_EQ(s.blocks, 1);
  EXPECT_NEAR(s.skip(), 0.7258065, 5e-8);
  EXPECT_NEAR(s.noskipAsReleased(), 0.3879310, 5e-8);
  EXPECT_DOUBLE_EQ(s.noskip(), 0.625);
}

TEST(Statistics, PaddedVectorsAreLeftOut) {
  auto mask = bernoulliMask(4, 130, 130, 0.3, 7);
  sparsam::runtime::BitTensor batched(2, 2, 130, 130);
  for (int64_t h = 0; h < 4; ++h)
    for (int64_t q = 0; q < 130; ++q)
      std::copy(mask.row(h, q).begin(), mask.row(h, q).end(), batched.row(h, q).begin());
  const int64_t lengths[] = {70, 130};
  auto s = statisticsOf(batched, ArrayShape(), lengths);
  // 2 heads of 70 queries in 2 stripes, 2 heads of 130 queries in 3 stripes.
  EXPECT_EQ(s.vectors, 2 * 70 * 2 + 2 * 130 * 3);
  int64_t kept[2] = {0, 0};
  for (int64_t h = 0; h < 4; ++h)
    for (int64_t q = 0; q < lengths[h / 2]; ++q)
      for (int64_t k = 0; k < lengths[h / 2]; ++k)
        kept[h / 2] += batched.get(h, q, k);
  EXPECT_EQ(s.nnz, kept[0] + kept[1]);
  EXPECT_DOUBLE_EQ(s.density, (kept[0] / (2.0 * 70 * 70) + kept[1] / (2.0 * 130 * 130)) / 2);
}

TEST(Statistics, BlocksHoldPaddedQueries) {
  sparsam::runtime::BitTensor mask(1, 1, 128, 128);
  for (int64_t q = 0; q < 128; ++q)
    for (int64_t k = 0; k < 128; k += 8)
      mask.set(0, q, k); // 8 kept keys of each stripe
  const int64_t length[] = {64};
  auto s = statisticsOf(mask, ArrayShape(), length);
  EXPECT_EQ(s.nnz, 64 * 8);
  EXPECT_EQ(s.subrows, 64);
  // The second stripe is all padding; in the first, 128 sub-rows take two passes.
  EXPECT_EQ(s.blocks, 2);
  EXPECT_EQ(s.blocksPerHead, std::vector<int64_t>{2});
}

TEST(Statistics, RefusesLengthsThatDoNotFit) {
  auto mask = bernoulliMask(1, 64, 64, 0.3, 7);
  const int64_t tooMany[] = {64, 64}, tooLong[] = {65};
  EXPECT_EQ(firstTokens(mask, tooMany).error().message,
            "--valid-len gives 2 lengths for 1 batch entries; give one for all, or one for each");
  EXPECT_EQ(firstTokens(mask, tooLong).error().message, "--valid-len must lie in [1, 64], got 65");
}

struct Balance {
  double density;
  int64_t pes;
  double expected;
};

TEST(Statistics, IndependentBitsBalanceAsDerived) { // sheet, section 7, item 2
  for (Balance b : {Balance{0.05, 16, 0.2078},
                    {0.087, 16, 0.3490},
                    {0.1, 16, 0.4004},
                    {0.2, 16, 0.7109},
                    {0.25, 16, 0.6977},
                    {0.331, 16, 0.6980},
                    {0.5, 16, 0.8162},
                    {0.1, 32, 0.2002},
                    {0.25, 32, 0.5000},
                    {0.5, 32, 0.6895}}) {
    ArrayShape shape;
    shape.pes = b.pes;
    auto s = statisticsOf(bernoulliMask(12, 512, 512, b.density, 3), shape, {});
    EXPECT_NEAR(s.skip() / b.expected, 1, 0.01) << "density " << b.density << ", PEs " << b.pes;
    EXPECT_NEAR(s.density / b.density, 1, 0.01);
  }
}

} // namespace
