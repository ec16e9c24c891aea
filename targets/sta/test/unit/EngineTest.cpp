// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- EngineTest.cpp - products of compressed weights --------------------===//

#include "targets/sta/model/Dmme.h"

#include <gtest/gtest.h>

#include <bit>
#include <random>

namespace sparsam::sta {
namespace {

/// Random words of which each group of m keeps n, and their bitmaps.
struct Weights {
  std::vector<int16_t> masked; ///< zeros where nothing is kept
  std::vector<int16_t> values;
  std::vector<uint16_t> bitmaps;
};

Weights randomWeights(const Geometry &g, size_t rows, size_t depth, std::mt19937 &random) {
  Weights w;
  w.masked.assign(rows * depth, 0);
  for (size_t first = 0; first < rows * depth; first += size_t(g.m)) {
    uint16_t bitmap = 0;
    while (std::popcount(bitmap) < g.n)
      bitmap |= uint16_t(1u << random() % unsigned(g.m));
    w.bitmaps.push_back(bitmap);
    for (size_t i = 0; i < size_t(g.m); ++i)
      if (bitmap >> i & 1) {
        w.masked[first + i] = int16_t(random());
        w.values.push_back(w.masked[first + i]);
      }
  }
  return w;
}

template <typename Domain, typename Word>
Factors<Domain> factorsOf(const std::vector<Word> &words, size_t rows) {
  Factors<Domain> factors;
  factors.rows = rows;
  factors.count = words.size() / rows;
  factors.factors.assign(words.begin(), words.end());
  factors.measure();
  return factors;
}

template <typename Domain>
std::vector<typename Domain::Sum> product(const Factors<Domain> &factors,
                                          const std::vector<typename Domain::Word> &x,
                                          size_t tokens, int shift) {
  ColumnCache<Domain> cache(x);
  const int64_t depth = int64_t(x.size() / tokens);
  const Columns<Domain> &columns = cache.get(0, int64_t(tokens), depth, depth);
  std::vector<typename Domain::Sum> sums(factors.rows * columns.width(), 0);
  multiply(factors, columns, shift, sums);
  return sums;
}

TEST(Engine, TheWorkedExamples) {
  // w = [3, -1, 0, 5, 2, -4, 1, 0], x = [1..8]; 2:8 keeps 5 and -4: 5 * 4 - 4 * 6 = -4; 1:8 keeps 5:
  // 20; 2:4 keeps 3, 5, 2, -4: 3 + 20 + 10 - 24 = 9.
  const std::vector<int16_t> x = {1, 2, 3, 4, 5, 6, 7, 8};
  struct Case {
    int64_t n, m;
    std::vector<int16_t> values;
    std::vector<uint16_t> bitmaps;
    int64_t expected;
  };
  for (const Case &c : {Case{2, 8, {5, -4}, {0x28}, -4}, {1, 8, {5}, {0x08}, 20},
                        {2, 4, {3, 5, 2, -4}, {0x9, 0x3}, 9}}) {
    Geometry g;
    g.n = c.n;
    g.m = c.m;
    auto factors = factorsOf<FixedDomain>(c.values, 1);
    ASSERT_TRUE(selectPositions(g, c.bitmaps.data(), 1, c.bitmaps.size(), c.bitmaps.size(),
                                factors.positions));
    EXPECT_EQ(product(factors, x, 1, 0)[0], c.expected);
  }
}

TEST(Engine, SparseIsBitIdenticalToTheDenseProductOfTheMaskedMatrix) {
  std::mt19937 random(7);
  for (auto [n, m] : {std::pair(1, 2), {2, 4}, {1, 4}, {2, 8}, {1, 8}, {5, 8}, {3, 16}, {1, 16}})
    for (size_t tokens : {size_t(1), size_t(5), size_t(40)}) {
      Geometry g;
      g.n = n;
      g.m = m;
      const size_t rows = 19, depth = 48, groups = depth / size_t(m);
      Weights w = randomWeights(g, rows, depth, random);
      std::vector<int16_t> x(tokens * depth);
      for (int16_t &word : x)
        word = int16_t(random());
      auto sparse = factorsOf<FixedDomain>(w.values, rows);
      ASSERT_TRUE(
          selectPositions(g, w.bitmaps.data(), rows, groups, groups, sparse.positions));
      auto dense = factorsOf<FixedDomain>(w.masked, rows);
      for (int shift : {0, 7, 15})
        EXPECT_EQ(product(sparse, x, tokens, shift), product(dense, x, tokens, shift))
            << n << ":" << m;

      auto sparseFloats = factorsOf<FloatDomain>(w.values, rows);
      sparseFloats.positions = sparse.positions;
      auto denseFloats = factorsOf<FloatDomain>(w.masked, rows);
      std::vector<float> reals(x.begin(), x.end());
      for (float &real : reals)
        real /= 1000; // so that sums round
      EXPECT_EQ(product(sparseFloats, reals, tokens, 0), product(denseFloats, reals, tokens, 0))
          << n << ":" << m;
    }
}

TEST(Engine, SumsBeyondThirtyTwoBitsAreExact) {
  const std::vector<int16_t> words(8, 32767);
  EXPECT_EQ(product(factorsOf<FixedDomain>(words, 1), words, 1, 0)[0], 8 * int64_t(32767) * 32767);
}

TEST(Engine, ProductsLoseTheirLastBits) {
  // 3 * 5 >> 2 = 3, -3 * 5 >> 2 = -4: rounded down.
  const std::vector<int16_t> w = {3, -3}, x = {5, 5};
  EXPECT_EQ(product(factorsOf<FixedDomain>(w, 1), x, 1, 2)[0], 3 - 4);
}

TEST(Engine, RefusesABitmapThatKeepsTooMuch) {
  Geometry g;
  std::vector<uint16_t> positions;
  const uint16_t bitmap = 0x29;
  auto status = selectPositions(g, &bitmap, 1, 1, 1, positions);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message,
            "the bitmap of row 0, group 0 keeps 3 of 8 positions, not n = 2");
}

TEST(Engine, TurnedActivationsFollowWhatIsWritten) {
  std::vector<int16_t> words = {1, 2, 3, 4, 5, 6};
  ColumnCache<FixedDomain> cache(words);
  EXPECT_EQ(cache.get(0, 2, 3, 3).data[1], 4); // element 0 of token 1
  words[3] = 9;
  cache.overwrite(3, 4);
  EXPECT_EQ(cache.get(0, 2, 3, 3).data[1], 9);
}

} // namespace
} // namespace sparsam::sta
