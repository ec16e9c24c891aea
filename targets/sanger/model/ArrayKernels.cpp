// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ArrayKernels.cpp - vector loops of the sparse array ----------------===//

#include "targets/sanger/model/Kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "targets/sanger/model/ArrayKernels.cpp"
#include <hwy/foreach_target.h>

#include "targets/sanger/model/Lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sparsam::sanger::kernels::HWY_NAMESPACE {

/// Lane products of a query with N keys.
template <size_t N>
HWY_INLINE void products(const float *q, const float *const (&keys)[N], size_t dims,
                         const Lanes &tail, Lanes (&acc)[N]) {
  const size_t whole = dims / kLanes * kLanes;
  for (Lanes &a : acc)
    a = splat(0.0f);
  for (size_t k = 0; k < whole; k += kLanes) {
    const Lanes query = load(q + k);
    for (size_t i = 0; i < N; ++i)
      acc[i] = mulAdd(query, load(keys[i] + k), acc[i]);
  }
  for (size_t i = 0; whole != dims && i < N; ++i)
    acc[i] = mulAdd(tail, loadTail(keys[i] + whole, dims - whole, 0.0f), acc[i]);
}

void sddmmRow(const float *q, const float *keys, size_t keyStride, const uint8_t *columns,
              size_t count, size_t dims, float scale, const float *bias, float *scores) {
  const size_t whole = dims / kLanes * kLanes;
  const Lanes tail = loadTail(q + whole, dims - whole, 0.0f);
  auto key = [&](size_t i) { return keys + columns[i] * keyStride; };
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    Lanes acc[4];
    products<4>(q, {key(i), key(i + 1), key(i + 2), key(i + 3)}, dims, tail, acc);
    hn::StoreU(hn::Mul(sumFour(acc), hn::Set(D4(), scale)), D4(), scores + i);
  }
  for (; i < count; ++i) {
    Lanes acc[1];
    products<1>(q, {key(i)}, dims, tail, acc);
    scores[i] = sum(acc[0]) * scale;
  }
  for (i = 0; bias && i < count; ++i)
    scores[i] += bias[columns[i]];
}

void expRow(float *scores, size_t count, RowSum &total) {
  const size_t width = padded(count);
  for (size_t i = count; i < width; ++i)
    scores[i] = kMinusInfinity;
  Lanes best = splat(kMinusInfinity);
  for (size_t i = 0; i < width; i += kLanes)
    best = max(best, load(scores + i));
  total.max = fold(best, [](auto x, auto y) { return hn::Max(x, y); });
  const Lanes shift = splat(total.max > kMinusInfinity ? -total.max : 0.0f);
  Lanes sums = splat(0.0f);
  for (size_t i = 0; i < width; i += kLanes) {
    const Lanes x = exp(add(load(scores + i), shift));
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
