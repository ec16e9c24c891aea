// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Array.cpp - the PE array, one pass at a time -----------------------===//

#include "targets/salo/model/Array.h"

#include <algorithm>

namespace sparsam::salo {

using namespace runtime;

Array::Array(const Kernel &kernel, const Params &params)
    : kernel_(kernel), shape_(params.array), dims_(kernel.config.head_dim), pairs_((dims_ + 1) / 2),
      width_(kernels::rowWidth(dims_)) {
  const size_t rows = size_t(kernels::padded(shape_.rows, kernels::kLanes));
  const size_t columns = size_t(shape_.cols + shape_.globals);
  panelStride_ = int64_t(rows);
  panel_.resize(size_t(pairs_) * rows);
  scratchValues_.resize(columns * rows);
  scratchExponents_.resize(columns * rows);
  probabilities_.resize(columns * rows);
  sums_.resize(rows);
  exponents_.resize(rows);
  out_.resize(rows * size_t(width_));
  scores_.resize(columns + size_t(kernels::kLanes));
  own_.resize(columns);
}

static int32_t pairAt(const int16_t *words, int64_t pair, int64_t dims) {
  const uint16_t even = uint16_t(words[2 * pair]);
  const uint16_t odd = 2 * pair + 1 < dims ? uint16_t(words[2 * pair + 1]) : 0;
  return int32_t(even | uint32_t(odd) << 16);
}

void Array::setQueries(const int16_t *words, const Tile &tile) {
  if (queries_ == words)
    return;
  queries_ = words;
  tileRows_ = tile.rows;
  for (int64_t i = 0; i < tileRows_; ++i)
    for (int64_t p = 0; p < pairs_; ++p)
      panel_[size_t(p * panelStride_ + i)] = pairAt(words + i * tile.rowStride, p, dims_);
}

void Array::setGlobals(const WordRows &keys, const WordRows &values, const WordRows &queries) {
  globalKeyTokens_ = keys.tokens;
  globalMask_ = keys.valid;
  globalQueryTokens_ = queries.tokens;
  globalColumns_ = keys.count;
  globalRows_ = queries.count;
  globalKeys_.resize(size_t(globalColumns_ * pairs_));
  globalValues_.assign(size_t(globalColumns_ * width_), 0);
  globalQueries_.resize(size_t(globalRows_ * pairs_));
  for (int64_t g = 0; g < globalColumns_; ++g) {
    for (int64_t p = 0; p < pairs_; ++p)
      globalKeys_[size_t(g * pairs_ + p)] = pairAt(keys.data + g * keys.stride, p, dims_);
    for (int64_t d = 0; d < dims_; ++d)
      globalValues_[size_t(g * width_ + d)] =
          int16_t(values.data[g * values.stride + d] * (1 << kernels::kValueShift));
  }
  for (uint32_t g = 0; g < globalRows_; ++g)
    for (int64_t p = 0; p < pairs_; ++p)
      globalQueries_[size_t(g * pairs_ + p)] = pairAt(queries.data + g * queries.stride, p, dims_);
}

bool Array::isGlobal(int64_t token) const {
  return std::binary_search(kernel_.globals.begin(), kernel_.globals.end(), token);
}

//===-- Tiles --------------------------------------------------------------===//

/// True if no token of the slice exists.
static bool isEmpty(const Slice &keys, int64_t rows, int64_t tokens) {
  return keys.first + rows <= 0 || keys.first >= tokens;
}

void Array::run(const Pass &pass, const Slice &keys, const Slice &values) {
  runTile(pass, keys, values);
  globalSums_.assign(globalRows_, pe::Sum());
  globalOut_.assign(size_t(globalRows_ * width_), 0);
  const Columns columns = rowColumns(pass, keys);
  for (uint32_t g = 0; g < globalRows_; ++g)
    if (columns.begin < columns.end)
      runGlobalRow(g, columns, keys, values);
}

void Array::runTile(const Pass &pass, const Slice &keys, const Slice &values) {
  kernels::TilePass tile;
  tile.cols = isEmpty(keys, tileRows_ + shape_.cols - 1, kernel_.config.keys) ? 0 : pass.cols;
  tile.globals = globalColumns_;
  if (tile.cols + tile.globals == 0 || pass.validRows == 0) {
    std::fill(sums_.begin(), sums_.end(), 0);
    std::fill(exponents_.begin(), exponents_.end(), pe::kLowestExponent);
    std::fill(out_.begin(), out_.end(), int16_t(0));
    return;
  }
  tile.queries = panel_.data();
  tile.queryStride = panelStride_;
  tile.rows = pass.validRows;
  tile.dims = dims_;
  if (tile.cols > 0) {
    const int64_t at = keys.panel->pad + keys.first;
    tile.keys = keys.panel->keys.data() + at;
    tile.keyStride = keys.panel->stride;
    tile.keyMask = keys.panel->mask.data() + at;
    tile.values = values.panel->values.data() + (values.panel->pad + values.first) * width_;
  }
  tile.globalKeys = globalKeys_.data();
  tile.globalMask = globalMask_.data();
  tile.globalValues = globalValues_.data();
  tile.scaleShift = shape_.scaleShift;
  aliased_ += kernels::attend(
      tile, {scratchValues_.data(), scratchExponents_.data(), probabilities_.data()},
      {sums_.data(), exponents_.data(), out_.data()});
}

//===-- Global rows --------------------------------------------------------===//

/// Column x of the global row sees the key first + R - 1 + x. With more columns than rows, all but
/// the last R have passed in the tile before.
Array::Columns Array::rowColumns(const Pass &pass, const Slice &keys) const {
  const int64_t last = keys.first + tileRows_ - 1;
  const int64_t seen = pass.firstRow > 0 ? std::max<int64_t>(0, shape_.cols - tileRows_) : 0;
  const int64_t from = std::max<int64_t>(0, pass.rowFrom);
  const int64_t to = std::min<int64_t>(kernel_.config.keys, pass.rowTo);
  return {std::max(seen, from - last), std::min(pass.rowCols, to - last)};
}

void Array::runGlobalRow(uint32_t row, const Columns &columns, const Slice &keys,
                         const Slice &values) {
  const int64_t count = columns.end - columns.begin;
  const int64_t first = keys.first + tileRows_ - 1 + columns.begin;
  kernels::scoreKeys(&globalQueries_[size_t(row * pairs_)], pairs_,
                     keys.panel->keys.data() + keys.panel->pad + first, keys.panel->stride, count,
                     scores_.data());
  // From the left the last key comes first, as in the rows of the tile.
  const int32_t *valid = keys.panel->valid.data() + keys.panel->pad + first;
  pe::Sum sum;
  for (int64_t c = 0; c < count; ++c) {
    const int32_t score = pe::wrap(scores_[size_t(count - 1 - c)], pe::kSumBits);
    own_[size_t(c)] = valid[count - 1 - c] ? pe::exponential(score, shape_.scaleShift) : pe::Sum();
    sum = pe::addToLeft(sum, own_[size_t(c)]);
  }
  globalSums_[row] = sum;
  const int32_t inverse = pe::inverse(sum.value);
  const int16_t *value = values.panel->values.data() + (values.panel->pad + first) * width_;
  int16_t *out = &globalOut_[size_t(row * width_)];
  for (int64_t c = 0; c < count; ++c) {
    const int32_t p = pe::probability(own_[size_t(c)], inverse, sum.exponent);
    const int16_t *v = value + (count - 1 - c) * width_;
    for (int64_t d = 0; d < dims_; ++d)
      out[d] = int16_t(pe::mix(out[d], p, v[d] >> kernels::kValueShift));
  }
}

//===-- What was computed --------------------------------------------------===//

void Array::record(const Pass &pass, const Slice &keys, int64_t head, int64_t segment,
                   BitTensor &pairs) const {
  const int64_t segments = kernel_.config.segments, tokens = kernel_.config.keys;
  auto tokenAt = [&](int64_t position) { return position * segments + segment; };
  for (uint32_t i = 0; i < pass.validRows; ++i) {
    const int64_t query = tokenAt(pass.firstRow + i);
    if (isGlobal(query))
      continue; // its global row counts
    const int64_t from = std::max<int64_t>(0, keys.first + i);
    const int64_t to = std::min<int64_t>(tokens, keys.first + i + pass.cols);
    for (int64_t key = from; key < to; ++key)
      if (keys.panel->mask[size_t(keys.panel->pad + key)])
        pairs.set(head, query, tokenAt(key));
    for (size_t g = 0; g < globalKeyTokens_.size(); ++g)
      if (globalMask_[g])
        pairs.set(head, query, globalKeyTokens_[g]);
  }
  const Columns columns = rowColumns(pass, keys);
  for (int64_t query : globalQueryTokens_)
    for (int64_t x = columns.begin; x < columns.end; ++x) {
      const int64_t key = keys.first + tileRows_ - 1 + x;
      if (keys.panel->valid[size_t(keys.panel->pad + key)])
        pairs.set(head, query, tokenAt(key));
    }
}

} // namespace sparsam::salo
