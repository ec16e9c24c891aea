// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- PredictKernels.cpp - vector loops of the prediction pipe -----------===//

#include "targets/sanger/model/Kernels.h"

#include <algorithm>
#include <type_traits>

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

void quantizeRow(const float *x, size_t n, float norm, float scale, float maxCode, int offset,
                 int8_t *codes) {
  const D d;
  const hn::Rebind<int8_t, D> d8;
  const V divisor = hn::Set(d, norm), factor = hn::Set(d, scale);
  const V lowest = hn::Set(d, -maxCode), highest = hn::Set(d, maxCode);
  const auto quantize = [&](V v) HWY_ATTR {
    const V t = hn::Round(hn::Mul(hn::Div(v, divisor), factor));
    const V code = hn::IfThenZeroElse(hn::IsNaN(t), hn::Min(hn::Max(t, lowest), highest));
    return hn::DemoteTo(d8, hn::Add(hn::ConvertTo(DI(), code), hn::Set(DI(), offset)));
  };
  size_t i = 0;
  for (; i + kPart <= n; i += kPart)
    hn::StoreU(quantize(hn::LoadU(d, x + i)), d8, codes + i);
  if (i == n)
    return;
  HWY_ALIGN float rest[kPart] = {};
  HWY_ALIGN int8_t tail[kPart];
  std::memcpy(rest, x + i, (n - i) * sizeof(float));
  hn::StoreU(quantize(hn::Load(d, rest)), d8, tail);
  std::memcpy(codes + i, tail, n - i);
}

using D16 = hn::Twice<hn::Rebind<int16_t, D>>;
using V16 = hn::Vec<D16>;
constexpr size_t kPart16 = 2 * kPart;
constexpr size_t kWords = kPanelLanes / kPart16;

/// Products of two codes of a query with two of each key, added up: |sum| <= limit(maxCode).
struct SignedPairs {
  static constexpr int limit(int maxCode) { return 2 * maxCode * maxCode; }
  HWY_INLINE static V16 multiply(int16_t query, V16 keys) {
    const D16 d;
    const V16 first = hn::ShiftRight<8>(hn::ShiftLeft<8>(keys)), second = hn::ShiftRight<8>(keys);
    return hn::Add(hn::Mul(hn::Set(d, int8_t(query)), first),
                   hn::Mul(hn::Set(d, int16_t(query >> 8)), second));
  }
};

#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
/// The same where the query's codes have their largest added, so that none is negative.
struct OffsetPairs {
  static constexpr int limit(int maxCode) { return 2 * (2 * maxCode) * maxCode; }
  HWY_INLINE static V16 multiply(int16_t query, V16 keys) {
    const V16 pair = hn::Set(D16(), query);
#if HWY_TARGET == HWY_AVX2
    return V16{_mm256_maddubs_epi16(pair.raw, keys.raw)};
#else
    return V16{_mm512_maddubs_epi16(pair.raw, keys.raw)};
#endif
  }
};
#else
using OffsetPairs = SignedPairs;
#endif

/// A sum of two products must fit into 16 bits.
bool hasOffset(int maxCode) {
  return !std::is_same_v<OffsetPairs, SignedPairs> &&
         OffsetPairs::limit(maxCode) <= std::numeric_limits<int16_t>::max();
}
int queryOffset(int maxCode) { return hasOffset(maxCode) ? maxCode : 0; }

HWY_INLINE int16_t pairOf(const int8_t *codes) {
  int16_t pair;
  std::memcpy(&pair, codes, sizeof(pair));
  return pair;
}

/// Products of R queries with kPanelLanes keys from `first` on.
template <typename Pairs, size_t R>
HWY_INLINE void dotRows(const int8_t *queries, size_t queryStride, const KeyPanel &keys,
                        size_t first, int32_t (*dots)[kPanelLanes]) {
  const D16 d;
  const hn::Rebind<int16_t, D> half;
  const size_t width = panelWidth(keys.count), pairs = (keys.dims + 1) / 2;
  const size_t chunk = size_t(std::numeric_limits<int16_t>::max() / Pairs::limit(keys.maxCode));
  for (size_t r = 0; r < R; ++r)
    std::memcpy(dots[r], &keys.corrections[first], sizeof(dots[r]));
  for (size_t begin = 0; begin < pairs; begin += chunk) {
    V16 acc[R][kWords];
    for (size_t r = 0; r < R; ++r)
      for (size_t w = 0; w < kWords; ++w)
        acc[r][w] = hn::Zero(d);
    for (size_t k = begin; k < std::min(pairs, begin + chunk); ++k)
      for (size_t w = 0; w < kWords; ++w) {
        const V16 b = hn::LoadU(d, &keys.pairs[k * width + first + w * kPart16]);
        for (size_t r = 0; r < R; ++r)
          acc[r][w] =
              hn::Add(acc[r][w], Pairs::multiply(pairOf(queries + r * queryStride + 2 * k), b));
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

template <typename Pairs>
void scorePairs(const QueryTile &queries, const KeyPanel &keys, const float *bias,
                size_t biasStride, float *scores, size_t scoreStride) {
  constexpr size_t kRows = 4;
  HWY_ALIGN int32_t dots[kRows][kPanelLanes];
  for (size_t j = 0; j < panelWidth(keys.count); j += kPanelLanes)
    for (size_t r = 0; r < queries.count; r += kRows) {
      const int8_t *codes = queries.codes + r * queries.stride;
      const size_t count = std::min(kRows, queries.count - r);
      if (count == kRows)
        dotRows<Pairs, kRows>(codes, queries.stride, keys, j, dots);
      for (size_t s = 0; count != kRows && s < count; ++s)
        dotRows<Pairs, 1>(codes + s * queries.stride, 0, keys, j, dots + s);
      for (size_t s = 0; s < count; ++s)
        scaleRow(dots[s], keys.count - j, queries.factors[r + s], &keys.factors[j],
                 bias ? bias + (r + s) * biasStride + j : nullptr,
                 scores + (r + s) * scoreStride + j);
    }
}

void scoreTile(const QueryTile &queries, const KeyPanel &keys, const float *bias, size_t biasStride,
               float *scores, size_t scoreStride) {
  if (hasOffset(keys.maxCode))
    scorePairs<OffsetPairs>(queries, keys, bias, biasStride, scores, scoreStride);
  else
    scorePairs<SignedPairs>(queries, keys, bias, biasStride, scores, scoreStride);
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
HWY_EXPORT(queryOffset);
HWY_EXPORT(scoreTile);
HWY_EXPORT(softmaxRow);
HWY_EXPORT(thresholdRow);

float rowNorm(const float *x, size_t n) { return HWY_DYNAMIC_DISPATCH(rowNorm)(x, n); }

void quantizeRow(const float *x, size_t n, float norm, float scale, float maxCode, int offset,
                 int8_t *codes) {
  HWY_DYNAMIC_DISPATCH(quantizeRow)(x, n, norm, scale, maxCode, offset, codes);
}

int queryOffset(int maxCode) { return HWY_DYNAMIC_DISPATCH(queryOffset)(maxCode); }

KeyPanel::KeyPanel(const int8_t *codes, size_t keys, size_t keyStride, size_t dims, int maxCode)
    : count(keys), dims(dims), maxCode(maxCode), pairs(panelWidth(keys) * ((dims + 1) / 2)),
      corrections(panelWidth(keys)), factors(panelWidth(keys)) {
  const size_t width = panelWidth(keys);
  const int offset = queryOffset(maxCode);
  for (size_t r = 0; r < keys; ++r) {
    const int8_t *row = codes + r * keyStride;
    for (size_t k = 0; k < dims; k += 2) {
      const int second = k + 1 < dims ? row[k + 1] : 0;
      pairs[k / 2 * width + r] = int16_t(uint8_t(row[k]) | second * 256);
      corrections[r] -= offset * (row[k] + second);
    }
  }
}

void scoreTile(const QueryTile &queries, const KeyPanel &keys, const float *bias, size_t biasStride,
               float *scores, size_t scoreStride) {
  HWY_DYNAMIC_DISPATCH(scoreTile)(queries, keys, bias, biasStride, scores, scoreStride);
}

float softmaxRow(const float *scores, size_t n, float *e) {
  return HWY_DYNAMIC_DISPATCH(softmaxRow)(scores, n, e);
}

void thresholdRow(const float *e, size_t n, float sum, float threshold, uint64_t *words) {
  HWY_DYNAMIC_DISPATCH(thresholdRow)(e, n, sum, threshold, words);
}

} // namespace sparsam::sanger::kernels
#endif // HWY_ONCE
