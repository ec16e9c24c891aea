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
                          const uint8_t *columns, size_t dims, const Lanes &tail, float scale,
                          float *scores) {
  const size_t whole = dims / kLanes * kLanes;
  Lanes acc[4];
  for (Lanes &a : acc)
    a = splat(0.0f);
  for (size_t k = 0; k < whole; k += kLanes) {
    const Lanes query = load(q + k);
    for (size_t i = 0; i < N; ++i)
      acc[i] = mulAdd(query, load(keys + columns[i] * keyStride + k), acc[i]);
  }
  for (size_t i = 0; whole != dims && i < N; ++i) {
    const float *rest = keys + columns[i] * keyStride + whole;
    acc[i] = mulAdd(tail, loadTail(rest, dims - whole, 0.0f), acc[i]);
  }
  hn::StoreU(hn::Mul(sumFour(acc), hn::Set(D4(), scale)), D4(), scores);
}

void sddmmRow(const float *q, const float *keys, size_t keyStride, const uint8_t *columns,
              size_t count, size_t dims, float scale, const float *bias, float *scores) {
  const size_t whole = dims / kLanes * kLanes;
  const Lanes tail = loadTail(q + whole, dims - whole, 0.0f);
  size_t i = 0;
  for (; i + 4 <= count; i += 4)
    scoreKeys<4>(q, keys, keyStride, columns + i, dims, tail, scale, scores + i);
  if (count - i == 3)
    scoreKeys<3>(q, keys, keyStride, columns + i, dims, tail, scale, scores + i);
  else if (count - i == 2)
    scoreKeys<2>(q, keys, keyStride, columns + i, dims, tail, scale, scores + i);
  else if (count - i == 1)
    scoreKeys<1>(q, keys, keyStride, columns + i, dims, tail, scale, scores + i);
  for (i = 0; bias && i < count; ++i)
    scores[i] += bias[columns[i]];
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

void expRow(float *scores, size_t count, RowSum &total) {
  Lanes best = splat(kMinusInfinity);
  for (size_t i = 0; i < count; i += kLanes)
    for (size_t p = 0; p < kParts && i + p * kPart < count; ++p)
      best.v[p] = hn::Max(best.v[p], loadScores(scores, i + p * kPart, count));
  total.max = fold(best, [](auto x, auto y) { return hn::Max(x, y); });
  const V shift = hn::Set(D(), total.max > kMinusInfinity ? -total.max : 0.0f);
  Lanes sums = splat(0.0f);
  for (size_t i = 0; i < count; i += kLanes) {
    Lanes x = splat(0.0f);
    for (size_t p = 0; p < kParts && i + p * kPart < count; ++p)
      x.v[p] = expPart(hn::Add(loadScores(scores, i + p * kPart, count), shift));
    store(x, scores + i);
    sums = add(sums, x);
  }
  total.sum = sum(sums);
}

/// 16 N dimensions from `k` on, kept in registers over all columns.
template <size_t N>
HWY_INLINE void spmmChunk(const float *weights, const float *values, size_t valueStride,
                          const uint8_t *columns, size_t count, size_t k, float *out) {
  Lanes acc[N];
  for (Lanes &a : acc)
    a = splat(0.0f);
  for (size_t i = 0; i < count; ++i) {
    const Lanes w = splat(weights[i]);
    const float *value = values + columns[i] * valueStride + k;
    for (size_t c = 0; c < N; ++c)
      acc[c] = mulAdd(w, load(value + c * kLanes), acc[c]);
  }
  for (size_t c = 0; c < N; ++c)
    store(acc[c], out + k + c * kLanes);
}

void spmmRow(const float *weights, const float *values, size_t valueStride, const uint8_t *columns,
             size_t count, size_t dims, float *out) {
  size_t k = 0;
  for (; k + 4 * kLanes <= dims; k += 4 * kLanes)
    spmmChunk<4>(weights, values, valueStride, columns, count, k, out);
  for (; k < dims; k += kLanes)
    spmmChunk<1>(weights, values, valueStride, columns, count, k, out);
}

void accumulateRow(const float *partial, size_t dims, RowSum added, float *out, RowSum &total) {
  const float top = std::max(total.max, added.max);
  // One of the two is exp(0).
  const float keep = total.max == top ? 1.0f : expOne(total.max - top);
  const float weight = added.max == top ? 1.0f : expOne(added.max - top);
  const Lanes a = splat(keep), b = splat(weight);
  for (size_t k = 0; k < dims; k += kLanes)
    storeUpTo(add(mul(load(out + k), a), mul(load(partial + k), b)), out + k, dims - k);
  total = {top, total.sum * keep + added.sum * weight};
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

HWY_EXPORT(sddmmRow);
HWY_EXPORT(expRow);
HWY_EXPORT(spmmRow);
HWY_EXPORT(accumulateRow);
HWY_EXPORT(divideRow);

void sddmmRow(const float *q, const float *keys, size_t keyStride, const uint8_t *columns,
              size_t count, size_t dims, float scale, const float *bias, float *scores) {
  HWY_DYNAMIC_DISPATCH(sddmmRow)(q, keys, keyStride, columns, count, dims, scale, bias, scores);
}

void expRow(float *scores, size_t count, RowSum &total) {
  HWY_DYNAMIC_DISPATCH(expRow)(scores, count, total);
}

void spmmRow(const float *weights, const float *values, size_t valueStride, const uint8_t *columns,
             size_t count, size_t dims, float *out) {
  HWY_DYNAMIC_DISPATCH(spmmRow)(weights, values, valueStride, columns, count, dims, out);
}

void accumulateRow(const float *partial, size_t dims, RowSum added, float *out, RowSum &total) {
  HWY_DYNAMIC_DISPATCH(accumulateRow)(partial, dims, added, out, total);
}

void divideRow(float *out, size_t dims, float sum) {
  HWY_DYNAMIC_DISPATCH(divideRow)(out, dims, sum);
}

} // namespace sparsam::sanger::kernels
#endif // HWY_ONCE
