// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- PredictKernels.cpp - vector loops of the prediction pipe -----------===//

#include "targets/sanger/model/Kernels.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "targets/sanger/model/PredictKernels.cpp"
#include <hwy/foreach_target.h>

#include "targets/sanger/model/Lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sparsam::sanger::kernels::HWY_NAMESPACE {

float rowNorm(const float *x, size_t n) {
  using DD = hn::CappedTag<double, 8>;
  const DD d;
  const hn::Rebind<float, DD> single;
  constexpr size_t kPart8 = hn::MaxLanes(DD());
  HWY_ALIGN double sums[8] = {};
  size_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (size_t j = 0; j < 8; j += kPart8) {
      const auto v = hn::PromoteTo(d, hn::LoadU(single, x + i + j)); // its square is exact
      hn::Store(hn::Add(hn::Load(d, sums + j), hn::Mul(v, v)), d, sums + j);
    }
  for (; i < n; ++i)
    sums[i % 8] += double(x[i]) * double(x[i]);
  for (size_t j : {4, 2, 1})
    for (size_t k = 0; k < j; ++k)
      sums[k] += sums[k + j];
  return float(std::sqrt(sums[0]));
}

using D16 = hn::Twice<hn::Rebind<int16_t, D>>;
constexpr size_t kPart16 = 2 * kPart;
constexpr size_t kWords = kPanelLanes / kPart16;

void quantizeRow(const float *x, size_t n, float norm, float scale, float maxCode, int16_t *codes) {
  const D d;
  for (size_t i = 0; i < n; i += kLanes) {
    const Lanes a = map(
        [&](V v) {
          const V t = hn::Round(hn::Mul(hn::Div(v, hn::Set(d, norm)), hn::Set(d, scale)));
          const V limited = hn::Min(hn::Max(t, hn::Set(d, -maxCode)), hn::Set(d, maxCode));
          return hn::IfThenZeroElse(hn::IsNaN(t), limited);
        },
        loadUpTo(x + i, n - i, 0.0f));
    HWY_ALIGN int16_t t[kLanes];
    for (size_t p = 0; p < kParts; ++p) {
      const hn::Rebind<int16_t, D> d16;
      hn::StoreU(hn::DemoteTo(d16, hn::ConvertTo(DI(), a.v[p])), d16, t + p * kPart);
    }
    std::memcpy(codes + i, t, std::min(kLanes, n - i) * sizeof(int16_t));
  }
}

/// Products of R queries with kPanelLanes keys. Sums of `chunk` products fit into 16 bits.
template <size_t R>
HWY_INLINE void dotRows(const int16_t *queries, size_t queryStride, const int16_t *panel,
                        size_t panelStride, size_t dims, size_t chunk,
                        int32_t (*dots)[kPanelLanes]) {
  const D16 d;
  const hn::Rebind<int16_t, D> half;
  std::memset(dots, 0, R * sizeof(*dots));
  for (size_t first = 0; first < dims; first += chunk) {
    hn::Vec<D16> acc[R][kWords];
    for (size_t r = 0; r < R; ++r)
      for (size_t w = 0; w < kWords; ++w)
        acc[r][w] = hn::Zero(d);
    for (size_t k = first; k < std::min(dims, first + chunk); ++k)
      for (size_t w = 0; w < kWords; ++w) {
        const auto b = hn::LoadU(d, panel + k * panelStride + w * kPart16);
        for (size_t r = 0; r < R; ++r)
          acc[r][w] = hn::Add(acc[r][w], hn::Mul(hn::Set(d, queries[r * queryStride + k]), b));
      }
    for (size_t r = 0; r < R; ++r)
      for (size_t w = 0; w < kWords; ++w) {
        int32_t *sums = dots[r] + w * kPart16;
        const auto low = hn::PromoteTo(DI(), hn::LowerHalf(half, acc[r][w]));
        const auto high = hn::PromoteTo(DI(), hn::UpperHalf(half, acc[r][w]));
        hn::StoreU(hn::Add(hn::LoadU(DI(), sums), low), DI(), sums);
        hn::StoreU(hn::Add(hn::LoadU(DI(), sums + kPart), high), DI(), sums + kPart);
      }
  }
}

/// Sh = (Qi . Ki / sx / sy) * nq * nk * scale + Am for kPanelLanes keys, of which `keys` are there.
HWY_INLINE void scaleRow(const int32_t *dots, size_t keys, float queryFactor,
                         const float *keyFactors, const float *bias, float *scores) {
  const Lanes q = splat(queryFactor);
  for (size_t j = 0; j < std::min(keys, kPanelLanes); j += kLanes) {
    Lanes s;
    for (size_t p = 0; p < kParts; ++p)
      s.v[p] = hn::ConvertTo(D(), hn::LoadU(DI(), dots + j + p * kPart));
    s = mul(mul(s, q), load(keyFactors + j));
    if (bias)
      s = add(s, loadUpTo(bias + j, keys - j, 0.0f));
    storeUpTo(s, scores + j, keys - j);
  }
}

void scoreTile(const QueryTile &queries, const KeyPanel &keys, size_t dims, size_t chunk,
               const float *bias, size_t biasStride, float *scores, size_t scoreStride) {
  constexpr size_t kRows = 4;
  const size_t width = panelWidth(keys.count);
  HWY_ALIGN int32_t dots[kRows][kPanelLanes];
  for (size_t j = 0; j < width; j += kPanelLanes)
    for (size_t r = 0; r < queries.count; r += kRows) {
      const int16_t *codes = queries.codes + r * queries.stride;
      const size_t count = std::min(kRows, queries.count - r);
      if (count == kRows)
        dotRows<kRows>(codes, queries.stride, keys.codes + j, width, dims, chunk, dots);
      for (size_t s = 0; count != kRows && s < count; ++s)
        dotRows<1>(codes + s * queries.stride, 0, keys.codes + j, width, dims, chunk, dots + s);
      for (size_t s = 0; s < count; ++s)
        scaleRow(dots[s], keys.count - j, queries.factors[r + s], keys.factors + j,
                 bias ? bias + (r + s) * biasStride + j : nullptr,
                 scores + (r + s) * scoreStride + j);
    }
}

float softmaxRow(const float *scores, size_t n, float *e) {
  Lanes best = splat(kMinusInfinity);
  for (size_t j = 0; j < n; j += kLanes)
    best = max(best, loadUpTo(scores + j, n - j, kMinusInfinity));
  const float top = fold(best, [](auto x, auto y) { return hn::Max(x, y); });
  if (!(top > kMinusInfinity)) {
    std::memset(e, 0, padded(n) * sizeof(float));
    return 0.0f;
  }
  const Lanes shift = splat(-top);
  Lanes total = splat(0.0f);
  for (size_t j = 0; j < n; j += kLanes) {
    const Lanes x = exp(add(loadUpTo(scores + j, n - j, kMinusInfinity), shift));
    store(x, e + j);
    total = add(total, x);
  }
  return sum(total);
}

void thresholdRow(const float *e, size_t n, float sum, float threshold, uint64_t *words) {
  const D d;
  const V total = hn::Set(d, sum), limit = hn::Set(d, threshold);
  for (size_t w = 0; w * 64 < n; ++w) {
    uint64_t word = 0;
    for (size_t j = 0; j < 64 && w * 64 + j < n; j += kPart) {
      uint8_t bits[8] = {};
      const V p = hn::Div(hn::LoadU(d, e + w * 64 + j), total);
      hn::StoreMaskBits(d, hn::Gt(p, limit), bits);
      uint64_t part;
      std::memcpy(&part, bits, sizeof(part));
      word |= (part & ((uint64_t(1) << kPart) - 1)) << j;
    }
    if (n - w * 64 < 64)
      word &= (uint64_t(1) << (n - w * 64)) - 1;
    words[w] = word;
  }
}

} // namespace sparsam::sanger::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sparsam::sanger::kernels {

HWY_EXPORT(rowNorm);
HWY_EXPORT(quantizeRow);
HWY_EXPORT(scoreTile);
HWY_EXPORT(softmaxRow);
HWY_EXPORT(thresholdRow);

float rowNorm(const float *x, size_t n) { return HWY_DYNAMIC_DISPATCH(rowNorm)(x, n); }

void quantizeRow(const float *x, size_t n, float norm, float scale, float maxCode, int16_t *codes) {
  HWY_DYNAMIC_DISPATCH(quantizeRow)(x, n, norm, scale, maxCode, codes);
}

void buildPanel(const int16_t *codes, size_t rows, size_t dims, size_t stride, int16_t *panel) {
  const size_t width = panelWidth(rows);
  for (size_t k = 0; k < dims; ++k)
    for (size_t r = 0; r < width; ++r)
      panel[k * width + r] = r < rows ? codes[r * stride + k] : int16_t(0);
}

void scoreTile(const QueryTile &queries, const KeyPanel &keys, size_t dims, int maxCode,
               const float *bias, size_t biasStride, float *scores, size_t scoreStride) {
  const size_t chunk = size_t(std::numeric_limits<int16_t>::max() / (maxCode * maxCode));
  HWY_DYNAMIC_DISPATCH(scoreTile)
  (queries, keys, dims, chunk, bias, biasStride, scores, scoreStride);
}

float softmaxRow(const float *scores, size_t n, float *e) {
  return HWY_DYNAMIC_DISPATCH(softmaxRow)(scores, n, e);
}

void thresholdRow(const float *e, size_t n, float sum, float threshold, uint64_t *words) {
  HWY_DYNAMIC_DISPATCH(thresholdRow)(e, n, sum, threshold, words);
}

} // namespace sparsam::sanger::kernels
#endif // HWY_ONCE
