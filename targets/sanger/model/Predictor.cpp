// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Predictor.cpp - numerics of the prediction pipe --------------------===//

#include "targets/sanger/model/Predictor.h"

#include <algorithm>
#include <limits>

namespace sparsam::sanger {

using namespace runtime;

/// qmax = 2^(b-1) - 1: symmetric, the code -qmax - 1 is never produced.
static float maxCode(int64_t bits) { return float((1 << (bits - 1)) - 1); }

Predictor::Predictor(const Kernel &kernel, const RowTags &tags) : kernel_(kernel), tags_(tags) {
  for (Role role : {Role::lowQuery, Role::lowKey}) {
    buffer(role).codes.resize(size_t(kernel.memory(role).extent) + 1); // as QueryTile says
    buffer(role).norms.resize(size_t(kernel.memory(role).rowSlots()));
  }
  scores_.resize(size_t(kernel.memory(Role::score).extent) + kernels::kSlack);
  if (kernel.config.predict) {
    queryScale_ = maxCode(kernel.config.bits) / kernel.config.q_range; // sx = qmax / tx
    keyScale_ = maxCode(kernel.config.bits) / kernel.config.k_range;   // sy = qmax / ty
  }
}

void Predictor::quantize(Role role, const float *source, const Tile &from, const Tile &to) {
  CodeBuffer &codes = buffer(role);
  const float scale = role == Role::lowQuery ? queryScale_ : keyScale_,
              limit = maxCode(kernel_.config.bits);
  const int offset = role == Role::lowQuery ? kernels::queryOffset(int(limit)) : 0;
  for (uint32_t r = 0; r < std::min(to.rows, to.validRows); ++r) {
    const float *row = source + from.offset + r * from.rowStride;
    float norm = kernel_.config.normalize ? kernels::rowNorm(row, to.cols) : 1.0f; // nq, nk
    codes.norms[tags_.slot(role, to, r)] = norm;
    kernels::quantizeRow(row, to.cols, norm, scale, limit, offset,
                         &codes.codes[size_t(to.offset + r * to.rowStride)]);
  }
  if (role == Role::lowKey) {
    int64_t end = to.offset + to.rows * to.rowStride;
    std::erase_if(panels_, [&](const Panel &panel) {
      return panel.tile.offset < end &&
             to.offset < panel.tile.offset + panel.tile.rows * panel.tile.rowStride;
    });
  }
}

const Predictor::Panel &Predictor::panelOf(const Tile &key) {
  for (const Panel &panel : panels_)
    if (panel.tile.offset == key.offset && panel.tile.rows == key.rows &&
        panel.tile.rowStride == key.rowStride)
      return panel;
  Panel panel{key,
              {&keys_.codes[size_t(key.offset)], key.rows, size_t(key.rowStride), key.cols,
               int(maxCode(kernel_.config.bits))},
              {},
              0,
              0};
  for (uint32_t j = 0; j < key.rows; ++j) {
    panel.keys.factors[j] = keys_.norms[tags_.slot(Role::lowKey, key, j)] / keyScale_;
    panel.tags.push_back(tags_.get(Role::lowKey, key, j));
  }
  auto [least, greatest] = std::minmax_element(panel.tags.begin(), panel.tags.end());
  panel.firstTag = *least;
  panel.lastTag = *greatest;
  panels_.push_back(std::move(panel));
  return panels_.back();
}

/// Pairs with padding, or hidden by causality, get the score -infinity.
void Predictor::hidePairs(int64_t query, const Panel &keys, float *scores) const {
  constexpr float kHidden = -std::numeric_limits<float>::infinity();
  const int64_t ahead = int64_t(kernel_.config.keys) - int64_t(kernel_.config.queries);
  const int64_t last = kernel_.config.causal ? query + ahead : std::numeric_limits<int32_t>::max();
  if (query >= 0 && keys.firstTag >= 0 && keys.lastTag <= last)
    return;
  for (size_t j = 0; j < keys.tags.size(); ++j)
    if (query < 0 || keys.tags[j] < 0 || keys.tags[j] > last)
      scores[j] = kHidden;
}

void Predictor::score(const Tile &query, const Tile &key, const float *bias, int64_t biasStride,
                      const Tile &score) {
  const Panel &panel = panelOf(key);
  const uint32_t rows = std::min(score.rows, score.validRows);
  queryFactors_.resize(rows);
  for (uint32_t r = 0; r < rows; ++r) // nq / sx * scale
    queryFactors_[r] =
        queries_.norms[tags_.slot(Role::lowQuery, query, r)] / queryScale_ * kernel_.config.scale;
  float *scores = &scores_[size_t(score.offset)];
  kernels::scoreTile(
      {&queries_.codes[size_t(query.offset)], rows, size_t(query.rowStride), queryFactors_.data()},
      panel.keys, bias, size_t(biasStride), scores, size_t(score.rowStride));
  for (uint32_t r = 0; r < rows; ++r)
    hidePairs(tags_.get(Role::lowQuery, query, r), panel, scores + r * score.rowStride);
}

void Predictor::threshold(const Tile &scores, uint32_t row, uint64_t *predicted,
                          uint64_t *executed) {
  const size_t n = scores.cols, words = (n + 63) / 64;
  exponentials_.resize(kernels::padded(n) + kernels::kSlack);
  const float *s = &scores_[size_t(scores.offset + row * scores.rowStride)];
  float sum = kernels::softmaxRow(s, n, exponentials_.data());
  std::fill_n(predicted, words, 0);
  if (sum > 0)
    kernels::thresholdRow(exponentials_.data(), n, sum, kernel_.config.threshold,
                          predicted); // P > T
  std::copy_n(predicted, words, executed);
  bool isEmpty = std::all_of(predicted, predicted + words, [](uint64_t word) { return word == 0; });
  if (!isEmpty || !(sum > 0))
    return;
  switch (kernel_.config.empty_row) {
  case insn::EmptyRowMode::Dense:
    kernels::thresholdRow(exponentials_.data(), n, sum, 0.0f, executed); // every P > 0
    break;
  case insn::EmptyRowMode::Argmax: {
    const size_t best = size_t(std::max_element(s, s + n) - s); // the first of equals
    executed[best / 64] |= uint64_t(1) << (best % 64);
    break;
  }
  case insn::EmptyRowMode::Zero:
    break;
  }
}

} // namespace sparsam::sanger
