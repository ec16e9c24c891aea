// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- KernelsTest.cpp - vector loops against the arithmetic of one PE ----===//

#include "targets/salo/model/Kernels.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace sparsam::salo {
namespace {

using kernels::padded;

/// A tile with random words and the buffers that attend() works on.
struct Tile {
  int64_t rows, cols, dims, globals;
  int64_t stride = padded(rows, kernels::kLanes), width = kernels::rowWidth(dims);
  int64_t pairs = (dims + 1) / 2, slice = stride + cols + kernels::kLanes;
  std::vector<int16_t> q, k, v, gk, gv; ///< [row][dims]
  std::vector<int32_t> queries, keys, mask, globalKeys, globalMask;
  std::vector<int16_t> values, globalValues;

  Tile(int64_t rows, int64_t cols, int64_t dims, int64_t globals, unsigned seed, int range = 40)
      : rows(rows), cols(cols), dims(dims), globals(globals) {
    std::mt19937 random(seed);
    auto fill = [&](std::vector<int16_t> &words, int64_t count, int most) {
      words.resize(size_t(count * dims));
      for (int16_t &word : words)
        word = int16_t(int(random() % unsigned(2 * most)) - most);
    };
    fill(q, stride, range);
    fill(k, slice, range);
    fill(v, slice, 256);
    fill(gk, globals, range);
    fill(gv, globals, 256);
    queries = pack(q, stride);
    keys = pack(k, slice);
    mask.assign(size_t(slice), -1);
    for (int32_t &bits : mask)
      bits = random() % 8 ? -1 : 0;
    for (int64_t g = 0; g < globals; ++g)
      globalMask.push_back(g % 3 == 1 ? 0 : -1);
    for (int64_t g = 0; g < globals; ++g)
      for (int64_t p = 0; p < pairs; ++p)
        globalKeys.push_back(pair(gk, g, p));
    values = shift(v, slice);
    globalValues = shift(gv, globals);
  }

  int32_t pair(const std::vector<int16_t> &words, int64_t row, int64_t p) const {
    const uint16_t even = uint16_t(words[size_t(row * dims + 2 * p)]);
    const uint16_t odd =
        2 * p + 1 < dims ? uint16_t(words[size_t(row * dims + 2 * p + 1)]) : uint16_t(0);
    return int32_t(even | uint32_t(odd) << 16);
  }
  std::vector<int32_t> pack(const std::vector<int16_t> &words, int64_t count) const {
    std::vector<int32_t> panel(size_t(pairs * count));
    for (int64_t p = 0; p < pairs; ++p)
      for (int64_t i = 0; i < count; ++i)
        panel[size_t(p * count + i)] = pair(words, i, p);
    return panel;
  }
  std::vector<int16_t> shift(const std::vector<int16_t> &words, int64_t count) const {
    std::vector<int16_t> shifted(size_t(count * width));
    for (int64_t i = 0; i < count; ++i)
      for (int64_t d = 0; d < dims; ++d)
        shifted[size_t(i * width + d)] =
            int16_t(words[size_t(i * dims + d)] * (1 << kernels::kValueShift));
    return shifted;
  }
};

struct Outputs {
  std::vector<int32_t> sums, exponents;
  std::vector<int16_t> out;
  int64_t aliased = 0;
};

Outputs attend(const Tile &t) {
  Outputs result;
  const size_t scratch = size_t((t.cols + t.globals) * t.stride);
  std::vector<int32_t> value(scratch), exponent(scratch);
  std::vector<int16_t> probability(scratch);
  result.sums.resize(size_t(t.stride));
  result.exponents.resize(size_t(t.stride));
  result.out.resize(size_t(t.stride * t.width));
  kernels::TilePass pass;
  pass.queries = t.queries.data();
  pass.queryStride = t.stride;
  pass.rows = t.rows;
  pass.dims = t.dims;
  pass.keys = t.keys.data();
  pass.keyStride = t.slice;
  pass.keyMask = t.mask.data();
  pass.values = t.values.data();
  pass.cols = t.cols;
  pass.globalKeys = t.globalKeys.data();
  pass.globalValues = t.globalValues.data();
  pass.globals = t.globals;
  pass.globalMask = t.globalMask.data();
  result.aliased =
      kernels::attend(pass, {value.data(), exponent.data(), probability.data()},
                      {result.sums.data(), result.exponents.data(), result.out.data()});
  return result;
}

/// Row i of a tile, PE by PE from left to right: column c sees key i + cols - 1 - c, then the
/// global keys.
struct Row {
  pe::Sum sum;
  std::vector<int32_t> out;
};
Row computeRow(const Tile &t, int64_t i) {
  const int64_t all = t.cols + t.globals;
  std::vector<pe::Sum> own;
  auto score = [&](const int16_t *key) {
    int32_t acc = 0;
    for (int64_t d = 0; d < t.dims; ++d)
      acc = pe::accumulate(acc, t.q[size_t(i * t.dims + d)], key[d]);
    return pe::exponential(acc, 3);
  };
  for (int64_t c = 0; c < all; ++c) {
    const int64_t key = i + t.cols - 1 - c;
    if (c >= t.cols)
      own.push_back(t.globalMask[size_t(c - t.cols)] ? score(&t.gk[size_t((c - t.cols) * t.dims)])
                                                     : pe::Sum());
    else
      own.push_back(t.mask[size_t(key)] ? score(&t.k[size_t(key * t.dims)]) : pe::Sum());
  }
  Row row;
  for (pe::Sum &sum : own)
    row.sum = pe::addToLeft(row.sum, sum);
  const int32_t inverse = pe::inverse(row.sum.value);
  row.out.assign(size_t(t.dims), 0);
  for (int64_t c = 0; c < all; ++c) {
    const int32_t p = pe::probability(own[size_t(c)], inverse, row.sum.exponent);
    const int16_t *v = c < t.cols ? &t.v[size_t((i + t.cols - 1 - c) * t.dims)]
                                  : &t.gv[size_t((c - t.cols) * t.dims)];
    for (int64_t d = 0; d < t.dims; ++d)
      row.out[size_t(d)] = pe::mix(row.out[size_t(d)], p, v[d]);
  }
  return row;
}

void expectEqual(const Tile &tile) {
  const Outputs outputs = attend(tile);
  for (int64_t i = 0; i < tile.rows; ++i) {
    const Row row = computeRow(tile, i);
    EXPECT_EQ(outputs.sums[size_t(i)], row.sum.value) << "row " << i;
    EXPECT_EQ(outputs.exponents[size_t(i)], row.sum.exponent) << "row " << i;
    for (int64_t d = 0; d < tile.dims; ++d)
      ASSERT_EQ(outputs.out[size_t(i * tile.width + d)], row.out[size_t(d)])
          << "row " << i << " dim " << d;
  }
}

TEST(Kernels, computes_the_published_tile_as_its_PEs_do) { expectEqual(Tile(32, 32, 64, 1, 1)); }

TEST(Kernels, computes_ragged_tiles) {
  for (auto [rows, cols, dims, globals] : {std::array<int64_t, 4>{1, 1, 1, 0},
                                           {5, 3, 7, 2},
                                           {33, 9, 33, 0},
                                           {17, 31, 48, 3},
                                           {8, 16, 100, 0}})
    expectEqual(Tile(rows, cols, dims, globals, unsigned(rows)));
}

TEST(Kernels, computes_saturated_words) {
  Tile tile(16, 32, 64, 1, 3, 256);
  expectEqual(tile);
  EXPECT_GT(attend(tile).aliased, 0);
}

TEST(Kernels, counts_scores_that_alias) {
  Tile tile(1, 1, 1, 0, 4);
  tile.mask[0] = -1;
  for (auto [q, k, aliased] : {std::array<int, 3>{181, 181, 0}, {182, 181, 1}, {-182, 181, 1}}) {
    tile.q[0] = int16_t(q); // 181 * 181 = 32761 < 2^15 <= 182 * 181
    tile.k[0] = int16_t(k);
    tile.queries = tile.pack(tile.q, tile.stride);
    tile.keys = tile.pack(tile.k, tile.slice);
    EXPECT_EQ(attend(tile).aliased, aliased) << q;
  }
}

TEST(Kernels, leaves_nothing_where_every_key_is_masked) {
  Tile tile(4, 8, 16, 0, 5);
  std::fill(tile.mask.begin(), tile.mask.end(), 0);
  const Outputs outputs = attend(tile);
  for (int64_t i = 0; i < tile.rows; ++i) {
    EXPECT_EQ(outputs.sums[size_t(i)], 0);
    EXPECT_EQ(outputs.exponents[size_t(i)], pe::kLowestExponent);
    EXPECT_EQ(outputs.out[size_t(i * tile.width)], 0);
  }
}

TEST(Kernels, quantizes_as_one_word_at_a_time) {
  std::vector<float> x;
  for (int i = -700; i < 700; ++i)
    x.push_back(float(i) * 0.0271f);
  x.push_back(std::nanf(""));
  std::vector<int16_t> words(x.size());
  kernels::quantize(x.data(), x.size(), 1.25f, words.data());
  for (size_t i = 0; i + 1 < x.size(); ++i)
    EXPECT_EQ(words[i], pe::toWord(x[i] * 1.25f)) << x[i];
  EXPECT_EQ(words.back(), 0);
}

TEST(Kernels, scores_and_merges_rows) {
  Tile tile(1, 40, 21, 0, 6);
  std::vector<int32_t> query, scores(40);
  for (int64_t p = 0; p < tile.pairs; ++p)
    query.push_back(tile.pair(tile.q, 0, p));
  kernels::scoreKeys(query.data(), tile.pairs, tile.keys.data(), tile.slice, 40, scores.data());
  for (int64_t x = 0; x < 40; ++x) {
    int32_t expected = 0;
    for (int64_t d = 0; d < tile.dims; ++d)
      expected += tile.q[size_t(d)] * tile.k[size_t(x * tile.dims + d)];
    EXPECT_EQ(scores[size_t(x)], expected);
  }
  std::vector<int16_t> own(32);
  std::vector<int32_t> running(32);
  for (int i = 0; i < 32; ++i) {
    own[size_t(i)] = int16_t(i * 37 - 500);
    running[size_t(i)] = 400 - 31 * i;
  }
  std::vector<int32_t> merged = running;
  kernels::mergeRow(170, own.data(), 32, merged.data());
  for (size_t i = 0; i < 32; ++i)
    EXPECT_EQ(merged[i], pe::mergeOutput(170, running[i], own[i]));
}

} // namespace
} // namespace sparsam::salo
