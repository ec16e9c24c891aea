// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SemanticsTokens.cpp - rank, keep and put back tokens ---------------===//

#include "sattn/Semantics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace sparsam::sattn::semantics {

/// NaN ranks below everything.
static float rankOf(float score) {
  return std::isnan(score) ? -std::numeric_limits<float>::infinity() : score;
}

std::vector<int64_t> topK(llvm::ArrayRef<float> scores, int64_t k,
                          llvm::ArrayRef<int64_t> protect) {
  const int64_t n = int64_t(scores.size());
  std::vector<bool> isKept(scores.size(), false);
  for (int64_t position : protect)
    isKept[size_t(position < 0 ? position + n : position)] = true;
  std::vector<int64_t> others;
  for (int64_t i = 0; i < n; ++i)
    if (!isKept[size_t(i)])
      others.push_back(i);
  const int64_t protectedCount = n - int64_t(others.size());
  std::sort(others.begin(), others.end(), [&](int64_t a, int64_t b) {
    float first = rankOf(scores[size_t(a)]), second = rankOf(scores[size_t(b)]);
    return first != second ? first > second : a < b; // the first of equals come first
  });
  for (int64_t i = 0; i < std::min(k, n) - protectedCount; ++i)
    isKept[size_t(others[size_t(i)])] = true;
  std::vector<int64_t> result;
  for (int64_t i = 0; i < n; ++i)
    if (isKept[size_t(i)])
      result.push_back(i);
  return result;
}

Indices topKRows(const Floats &scores, int64_t k, llvm::ArrayRef<int64_t> protect) {
  const int64_t batch = scores.shape[2], n = scores.shape[3];
  Indices result({1, 1, batch, k});
  for (int64_t b = 0; b < batch; ++b) {
    llvm::ArrayRef<float> row(&scores.data[size_t(b * n)], size_t(n));
    llvm::copy(topK(row, k, protect), result.data.begin() + b * k);
  }
  return result;
}

Mask selectLargest(const Floats &probabilities, int64_t k) {
  Mask result(probabilities.shape);
  const int64_t keys = probabilities.shape[3];
  for (size_t row = 0; row < probabilities.data.size(); row += size_t(keys))
    for (int64_t j : topK(llvm::ArrayRef(&probabilities.data[row], size_t(keys)), k, {}))
      result.data[row + size_t(j)] = probabilities.data[row + size_t(j)] > 0;
  return result;
}

/// Calls `body(offset in the wide array, offset in the narrow one)` for every element of the narrow
/// array, whose position in `dim` stands for `indices[batch entry, position]` in the wide one.
/// False if an index lies outside.
template <typename T, typename Body>
static bool forEachKept(const Array4<T> &wide, const Array4<T> &narrow, const Indices &indices,
                        int64_t batchDim, int64_t dim, Body body) {
  std::array<int64_t, 4> at{};
  auto &[a, b, c, d] = at;
  for (a = 0; a < narrow.shape[0]; ++a)
    for (b = 0; b < narrow.shape[1]; ++b)
      for (c = 0; c < narrow.shape[2]; ++c)
        for (d = 0; d < narrow.shape[3]; ++d) {
          std::array<int64_t, 4> from = at;
          const int64_t entry = dim == batchDim ? 0 : at[size_t(batchDim)];
          int64_t index = indices(0, 0, entry, at[size_t(dim)]);
          if (index < 0 || index >= wide.shape[size_t(dim)])
            return false;
          from[size_t(dim)] = index;
          body(wide.offset(from[0], from[1], from[2], from[3]), narrow.offset(a, b, c, d));
        }
  return true;
}

template <typename T>
static std::optional<Array4<T>> gatherAny(const Array4<T> &x, const Indices &indices,
                                          int64_t batchDim, int64_t dim) {
  std::array<int64_t, 4> shape = x.shape;
  if (dim != batchDim)
    shape[size_t(batchDim)] = indices.shape[2];
  shape[size_t(dim)] = indices.shape[3];
  Array4<T> result(shape);
  bool fits = forEachKept(x, result, indices, batchDim, dim,
                          [&](size_t wide, size_t narrow) { result.data[narrow] = x.data[wide]; });
  return fits ? std::optional(std::move(result)) : std::nullopt;
}

std::optional<Floats> gather(const Floats &x, const Indices &indices, int64_t batchDim,
                             int64_t dim) {
  return gatherAny(x, indices, batchDim, dim);
}
std::optional<Indices> gather(const Indices &x, const Indices &indices, int64_t batchDim,
                              int64_t dim) {
  return gatherAny(x, indices, batchDim, dim);
}

std::optional<Floats> scatter(const Floats &y, const Indices &indices, int64_t batchDim,
                              int64_t dim, int64_t size) {
  std::array<int64_t, 4> shape = y.shape;
  shape[size_t(dim)] = size;
  Floats result(shape);
  bool fits = forEachKept(result, y, indices, batchDim, dim,
                          [&](size_t wide, size_t narrow) { result.data[wide] = y.data[narrow]; });
  return fits ? std::optional(std::move(result)) : std::nullopt;
}

void addTokenScores(const Floats &probabilities, Floats &scores) {
  const auto &[batch, heads, queries, keys] = probabilities.shape;
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t j = 0; j < keys; ++j) {
      double sum = scores.data[size_t(b * keys + j)];
      for (int64_t h = 0; h < heads; ++h)
        for (int64_t i = 0; i < queries; ++i)
          sum += probabilities(b, h, i, j);
      scores.data[size_t(b * keys + j)] = float(sum);
    }
}

void addHeadScores(const Floats &output, Floats &scores) {
  const auto &[batch, heads, queries, size] = output.shape;
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t h = 0; h < heads; ++h) {
      double sum = scores.data[size_t(b * heads + h)];
      for (int64_t i = 0; i < queries; ++i)
        for (int64_t d = 0; d < size; ++d)
          sum += std::abs(output(b, h, i, d));
      scores.data[size_t(b * heads + h)] = float(sum);
    }
}

} // namespace sparsam::sattn::semantics
