// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- BlockPattern.cpp - the pattern that version 2 picks for each block -===//

#include "targets/salo/model/BlockPattern.h"

#include "runtime/support/Parallel.h"
#include "runtime/units/ValidLengths.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace sparsam::salo {

using namespace runtime;

/// Indices of the `count` largest numbers, the first of equals first.
template <typename T> static std::vector<int64_t> largest(const std::vector<T> &x, int64_t count) {
  std::vector<int64_t> order(x.size());
  std::iota(order.begin(), order.end(), 0);
  const auto end = order.begin() + std::min(count, int64_t(x.size()));
  std::partial_sort(order.begin(), end, order.end(), [&](int64_t a, int64_t b) {
    return x[size_t(a)] != x[size_t(b)] ? x[size_t(a)] > x[size_t(b)] : a < b;
  });
  order.erase(end, order.end());
  return order;
}

namespace {

/// Row, column and diagonal sums of a block, padding included.
struct Sums {
  std::vector<double> rows, columns, diagonals;

  Sums(const float *scores, int64_t stride, int64_t block)
      : rows(size_t(block)), columns(size_t(block)), diagonals(size_t(2 * block - 1)) {
    for (int64_t i = 0; i < block; ++i)
      for (int64_t j = 0; j < block; ++j) {
        const double score = scores[i * stride + j];
        rows[size_t(i)] += score;
        columns[size_t(j)] += score;
        diagonals[size_t(j - i + block - 1)] += score;
      }
  }
};

} // namespace

/// The first diagonal of the window with the largest sum.
static int64_t bestWindow(const BlockRule &rule, const std::vector<double> &diagonals) {
  const int64_t last = 2 * rule.block - 2 - (rule.window - 1) * rule.dilation;
  int64_t best = 0;
  double most = -std::numeric_limits<double>::infinity();
  for (int64_t c = 0; c <= last; ++c) {
    double sum = 0;
    for (int64_t m = 0; m < rule.window; ++m)
      sum += diagonals[size_t(c + m * rule.dilation)];
    if (sum > most) {
      most = sum;
      best = c;
    }
  }
  return best;
}

/// Adds the largest keys of each row that are not selected yet; what is selected, and padding,
/// counts as 0.
static void addRandoms(const BlockRule &rule, const float *scores, int64_t stride,
                       int64_t validKeys, uint8_t *mask) {
  std::vector<float> rest(size_t(rule.block));
  for (int64_t i = 0; i < rule.block; ++i) {
    uint8_t *row = mask + i * rule.block;
    for (int64_t j = 0; j < rule.block; ++j)
      rest[size_t(j)] = row[j] || j >= validKeys ? 0 : scores[i * stride + j];
    for (int64_t j : largest(rest, rule.randoms))
      row[j] = 1;
  }
}

BlockChoice selectBlock(const BlockRule &rule, const float *scores, int64_t stride,
                        int64_t validQueries, int64_t validKeys, uint8_t *mask) {
  const int64_t b = rule.block;
  const Sums sums(scores, stride, b);
  BlockChoice choice{bestWindow(rule, sums.diagonals), largest(sums.columns, rule.globals),
                     largest(sums.rows, rule.globals)};
  std::fill_n(mask, b * b, uint8_t(0));
  for (int64_t j : choice.columns)
    for (int64_t i = 0; i < b; ++i)
      mask[i * b + j] = 1;
  for (int64_t i : choice.rows)
    std::fill_n(mask + i * b, b, uint8_t(1));
  for (int64_t i = 0; i < std::min(b, validQueries); ++i)
    for (int64_t m = 0; m < rule.window; ++m) {
      const int64_t j = choice.window + m * rule.dilation + i - (b - 1);
      if (j >= 0 && j < std::min(b, validKeys))
        mask[i * b + j] = 1;
    }
  if (rule.randoms > 0)
    addRandoms(rule, scores, stride, validKeys, mask);
  for (int64_t i = 0; i < b; ++i)
    for (int64_t j = std::max<int64_t>(validKeys, 0); j < b; ++j)
      mask[i * b + j] = 0;
  return choice;
}

/// Row by row, over the valid keys; padded keys get probability 0.
static void softmaxRows(const float *scores, int64_t n, int64_t validKeys, float *out) {
  for (int64_t i = 0; i < n; ++i) {
    const float *row = scores + i * n;
    const float most = *std::max_element(row, row + validKeys);
    double sum = 0;
    for (int64_t j = 0; j < n; ++j) {
      out[i * n + j] = j < validKeys ? std::exp(row[j] - most) : 0;
      sum += out[i * n + j];
    }
    for (int64_t j = 0; j < n; ++j)
      out[i * n + j] = float(out[i * n + j] / sum);
  }
}

static void selectHead(const BlockRule &rule, const float *scores, int64_t n, int64_t valid,
                       int64_t head, BitTensor &masks) {
  const int64_t b = rule.block;
  std::vector<uint8_t> mask(size_t(b * b));
  for (int64_t row = 0; row < n; row += b)
    for (int64_t col = 0; col < n; col += b) {
      selectBlock(rule, scores + row * n + col, n, valid - row, valid - col, mask.data());
      for (int64_t i = 0; i < b; ++i)
        for (int64_t j = 0; j < b; ++j)
          if (mask[size_t(i * b + j)])
            masks.set(head, row + i, col + j);
    }
}

static Status checkScores(const BlockRule &rule, const TensorView &scores,
                          std::span<const int64_t> validLengths) {
  const Shape &shape = scores.shape;
  if (scores.dtype != DType::f32)
    return makeError("scores must be float32, got ", name(scores.dtype));
  if (shape.size() < 2 || shape.size() > 4 || shape.back() != shape[shape.size() - 2])
    return makeError("scores must be [n, n], [heads, n, n] or [batch, heads, n, n], got shape ",
                     toString(shape));
  const int64_t n = shape.back(), batch = shape.size() == 4 ? shape[0] : 1;
  if (n < 1 || n % rule.block != 0)
    return makeError("scores of ", n, " tokens cannot be cut into blocks of ", rule.block,
                     " (parameter 'block'); pad them to a multiple, and say with --valid-len how "
                     "many are no padding");
  if (Status status = checkValidLengths(validLengths, batch, n); !status)
    return status;
  const float *values = scores.as<float>();
  for (int64_t i = 0; i < scores.elements(); ++i)
    if (!std::isfinite(values[i]))
      return makeError("scores hold NaN or infinity; give hidden pairs a small number, or 0 where "
                       "they are probabilities");
  return Status();
}

Result<BitTensor> selectPattern(const BlockRule &rule, const TensorView &scores,
                                std::span<const int64_t> validLengths, bool softmax) {
  if (Status status = checkScores(rule, scores, validLengths); !status)
    return status.error();
  const Shape &shape = scores.shape;
  const int64_t n = shape.back(), batch = shape.size() == 4 ? shape[0] : 1;
  const int64_t heads = shape.size() == 2 ? 1 : shape[shape.size() - 3];
  BitTensor masks(batch, heads, n, n);
  parallelFor(batch * heads, [&](int64_t head) {
    const int64_t valid = validLength(validLengths, head / heads, n);
    const float *own = scores.as<float>() + head * n * n;
    std::vector<float> probabilities;
    if (softmax) {
      probabilities.resize(size_t(n * n));
      softmaxRows(own, n, valid, probabilities.data());
      own = probabilities.data();
    }
    selectHead(rule, own, n, valid, head, masks);
  });
  return masks;
}

} // namespace sparsam::salo
