// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ArrayKernels.cpp - vector loops of the sparse array ----------------===//

#include "targets/sanger/model/Kernels.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "targets/sanger/model/ArrayKernels.cpp"
#include <hwy/foreach_target.h>

#include "targets/sanger/model/Lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sparsam::sanger::kernels::HWY_NAMESPACE {

/// Scores of a query with the keys of N <= 4 columns; writes four of them.
template <size_t N>
HWY_INLINE void scoreKeys(const float *q, const float *keys, size_t keyStride,
                          const uint8_t *columns, size_t dims, float scale, float *scores) {
  const size_t whole = dims / kLanes * kLanes;
  const float *key[N];
  Lanes acc[4];
  HWY_UNROLL(4)
  for (size_t i = 0; i < 4; ++i)
    acc[i] = splat(0.0f);
  HWY_UNROLL(4)
  for (size_t i = 0; i < N; ++i)
    key[i] = keys + columns[i] * keyStride;
  for (size_t k = 0; k < whole; k += kLanes) {
    const Lanes query = load(q + k);
    HWY_UNROLL(4)
    for (size_t i = 0; i < N; ++i)
      acc[i] = mulAdd(query, load(key[i] + k), acc[i]);
  }
  if (whole != dims) {
    const Lanes query = loadTail(q + whole, dims - whole, 0.0f);
    HWY_UNROLL(4)
    for (size_t i = 0; i < N; ++i)
      acc[i] = mulAdd(query, loadTail(key[i] + whole, dims - whole, 0.0f), acc[i]);
  }
  hn::StoreU(hn::Mul(sumFour(acc), hn::Set(D4(), scale)), D4(), scores);
}

HWY_INLINE void sddmmRow(const ArrayRow &row, const float *q, RowView keys, const float *bias,
                         size_t dims, float scale) {
  const size_t count = row.count, keyStride = size_t(keys.stride);
  size_t i = 0;
  for (; i + 4 <= count; i += 4)
    scoreKeys<4>(q, keys.data, keyStride, row.columns + i, dims, scale, row.scores + i);
  if (count - i == 3)
    scoreKeys<3>(q, keys.data, keyStride, row.columns + i, dims, scale, row.scores + i);
  else if (count - i == 2)
    scoreKeys<2>(q, keys.data, keyStride, row.columns + i, dims, scale, row.scores + i);
  else if (count - i == 1)
    scoreKeys<1>(q, keys.data, keyStride, row.columns + i, dims, scale, row.scores + i);
  for (i = 0; bias && i < count; ++i)
    row.scores[i] += bias[row.columns[i]];
}

void sddmm(std::span<const ArrayRow> rows, RowView queries, RowView keys, RowView bias, size_t dims,
           float scale) {
  for (const ArrayRow &row : rows)
    sddmmRow(row, queries.row(row.query), keys, bias.data ? bias.row(row.query) : nullptr, dims,
             scale);
}

/// Scores from `first` on, and -infinity behind the last of `count`. Masked in the register: stores
/// of single scores would delay the load.
HWY_INLINE V loadScores(const float *scores, size_t first, size_t count) {
  const D d;
  const V v = hn::LoadU(d, scores + first);
  return first + kPart <= count
             ? v
             : hn::IfThenElse(hn::FirstN(d, count - first), v, hn::Set(d, kMinusInfinity));
}

HWY_INLINE void expRow(ArrayRow &row) {
  float *scores = row.scores;
  const size_t count = row.count;
  Lanes best = splat(kMinusInfinity);
  for (size_t i = 0; i < count; i += kLanes)
    for (size_t p = 0; p < kParts && i + p * kPart < count; ++p)
      best.v[p] = hn::Max(best.v[p], loadScores(scores, i + p * kPart, count));
  row.total.max = fold(best, [](auto x, auto y) { return hn::Max(x, y); });
  const V shift = hn::Set(D(), row.total.max > kMinusInfinity ? -row.total.max : 0.0f);
  Lanes sums = splat(0.0f);
  for (size_t i = 0; i < count; i += kLanes) {
    Lanes x = splat(0.0f);
    for (size_t p = 0; p < kParts && i + p * kPart < count; ++p)
      x.v[p] = expPart(hn::Add(loadScores(scores, i + p * kPart, count), shift));
    store(x, scores + i);
    sums = add(sums, x);
  }
  row.total.sum = sum(sums);
}

void expRows(std::span<ArrayRow> rows) {
  for (ArrayRow &row : rows)
    expRow(row);
}

/// 16 N dimensions from `k` on, kept in registers over all columns.
template <size_t N>
HWY_INLINE void spmmChunk(const ArrayRow &row, RowView values, size_t k, float *out) {
  Lanes acc[N];
  HWY_UNROLL(4)
  for (size_t c = 0; c < N; ++c)
    acc[c] = splat(0.0f);
  for (size_t i = 0; i < row.count; ++i) {
    const Lanes w = splat(row.scores[i]);
    const float *value = values.row(row.columns[i]) + k;
    HWY_UNROLL(4)
    for (size_t c = 0; c < N; ++c)
      acc[c] = mulAdd(w, load(value + c * kLanes), acc[c]);
  }
  HWY_UNROLL(4)
  for (size_t c = 0; c < N; ++c)
    store(acc[c], out + k + c * kLanes);
}

void spmm(std::span<const ArrayRow> rows, RowView values, size_t dims, float *partials) {
  for (const ArrayRow &row : rows) {
    size_t k = 0;
    for (; k + 4 * kLanes <= dims; k += 4 * kLanes)
      spmmChunk<4>(row, values, k, partials);
    for (; k < dims; k += kLanes)
      spmmChunk<1>(row, values, k, partials);
    partials += padded(dims);
  }
}

void accumulateRow(const float *partial, size_t dims, RowSum added, float *out, RowSum &total) {
  const bool isHigher = added.max > total.max;
  const float factor = isHigher ? expOne(total.max - added.max) : expOne(added.max - total.max);
  const float keep = isHigher ? factor : 1.0f, weight = isHigher ? 1.0f : factor;
  const Lanes a = splat(keep), b = splat(weight);
  for (size_t k = 0; k < dims; k += kLanes)
    storeUpTo(add(mul(load(out + k), a), mul(load(partial + k), b)), out + k, dims - k);
  total = {isHigher ? added.max : total.max, total.sum * keep + added.sum * weight};
}

void divideRow(float *out, size_t dims, float sum) {
  const V s = hn::Set(D(), sum);
  for (size_t k = 0; k < dims; k += kLanes)
    storeUpTo(map([&](V x) { return hn::Div(x, s); }, load(out + k)), out + k, dims - k);
}

} // namespace sparsam::sanger::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sparsam::sanger::kernels {

HWY_EXPORT(sddmm);
HWY_EXPORT(expRows);
HWY_EXPORT(spmm);
HWY_EXPORT(accumulateRow);
HWY_EXPORT(divideRow);

void sddmm(std::span<const ArrayRow> rows, RowView queries, RowView keys, RowView bias, size_t dims,
           float scale) {
  HWY_DYNAMIC_DISPATCH(sddmm)(rows, queries, keys, bias, dims, scale);
}

void expRows(std::span<ArrayRow> rows) { HWY_DYNAMIC_DISPATCH(expRows)(rows); }

void spmm(std::span<const ArrayRow> rows, RowView values, size_t dims, float *partials) {
  HWY_DYNAMIC_DISPATCH(spmm)(rows, values, dims, partials);
}

void accumulateRow(const float *partial, size_t dims, RowSum added, float *out, RowSum &total) {
  HWY_DYNAMIC_DISPATCH(accumulateRow)(partial, dims, added, out, total);
}

void divideRow(float *out, size_t dims, float sum) {
  HWY_DYNAMIC_DISPATCH(divideRow)(out, dims, sum);
}

} // namespace sparsam::sanger::kernels
#endif // HWY_ONCE
