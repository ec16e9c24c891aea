// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Kernels.cpp - vector loops of the float numerics -------------------===//

#include "targets/sanger/model/Kernels.h"

#include <cmath>
#include <cstring>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "targets/sanger/model/Kernels.cpp"
#include <hwy/foreach_target.h>

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace sparsam::sanger::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, kLanes>;
using DI = hn::RebindToSigned<D>;
using V = hn::Vec<D>;
constexpr size_t kPart = hn::MaxLanes(D());
constexpr size_t kParts = kLanes / kPart;
constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

/// Sixteen virtual lanes.
struct Lanes {
  V v[kParts];
};

HWY_INLINE Lanes load(const float *p) {
  Lanes r;
  for (size_t i = 0; i < kParts; ++i)
    r.v[i] = hn::LoadU(D(), p + i * kPart);
  return r;
}
HWY_INLINE void store(const Lanes &a, float *p) {
  for (size_t i = 0; i < kParts; ++i)
    hn::StoreU(a.v[i], D(), p + i * kPart);
}
template <typename F> HWY_INLINE Lanes map(F f, const Lanes &a) {
  Lanes r;
  for (size_t i = 0; i < kParts; ++i)
    r.v[i] = f(a.v[i]);
  return r;
}
template <typename F> HWY_INLINE Lanes map(F f, const Lanes &a, const Lanes &b) {
  Lanes r;
  for (size_t i = 0; i < kParts; ++i)
    r.v[i] = f(a.v[i], b.v[i]);
  return r;
}
HWY_INLINE Lanes splat(float x) {
  return map([x](V) { return hn::Set(D(), x); }, Lanes());
}
HWY_INLINE Lanes add(const Lanes &a, const Lanes &b) {
  return map([](V x, V y) { return hn::Add(x, y); }, a, b);
}
HWY_INLINE Lanes mul(const Lanes &a, const Lanes &b) {
  return map([](V x, V y) { return hn::Mul(x, y); }, a, b);
}
HWY_INLINE Lanes max(const Lanes &a, const Lanes &b) {
  return map([](V x, V y) { return hn::Max(x, y); }, a, b);
}

using D4 = hn::FixedTag<float, 4>;
using V4 = hn::Vec<D4>;

/// Folds lanes l and l + 8, then l and l + 4: four lanes are left.
template <typename Op> HWY_INLINE V4 foldToFour(const Lanes &a, Op op) {
  HWY_ALIGN float t[kLanes];
  store(a, t);
  const V4 half0 = op(hn::Load(D4(), t), hn::Load(D4(), t + 8));
  const V4 half1 = op(hn::Load(D4(), t + 4), hn::Load(D4(), t + 12));
  return op(half0, half1);
}
/// Folds to one number: the same order for any vector width.
template <typename Op> HWY_INLINE float fold(const Lanes &a, Op op) {
  const V4 quad = foldToFour(a, op);
  const V4 pair = op(quad, hn::Shuffle1032(quad));
  return hn::GetLane(op(pair, hn::Shuffle2301(pair)));
}
HWY_INLINE float sum(const Lanes &a) {
  return fold(a, [](auto x, auto y) { return hn::Add(x, y); });
}
/// The sums of four, each added up as `sum` does.
HWY_INLINE V4 sumFour(const Lanes (&a)[4]) {
  V4 q[4];
  for (size_t i = 0; i < 4; ++i)
    q[i] = foldToFour(a[i], [](auto x, auto y) { return hn::Add(x, y); });
  const D4 d;
  const V4 low01 = hn::InterleaveLower(d, q[0], q[1]), high01 = hn::InterleaveUpper(d, q[0], q[1]);
  const V4 low23 = hn::InterleaveLower(d, q[2], q[3]), high23 = hn::InterleaveUpper(d, q[2], q[3]);
  const V4 lane0 = hn::ConcatLowerLower(d, low23, low01);
  const V4 lane1 = hn::ConcatUpperUpper(d, low23, low01);
  const V4 lane2 = hn::ConcatLowerLower(d, high23, high01);
  const V4 lane3 = hn::ConcatUpperUpper(d, high23, high01);
  return hn::Add(hn::Add(lane0, lane2), hn::Add(lane1, lane3));
}

/// a b + c, rounded once on every processor: those without the instruction compute lane by lane.
HWY_INLINE V mulAdd(V a, V b, V c) {
#if HWY_NATIVE_FMA
  return hn::MulAdd(a, b, c);
#else
  HWY_ALIGN float x[kPart], y[kPart], z[kPart];
  hn::Store(a, D(), x);
  hn::Store(b, D(), y);
  hn::Store(c, D(), z);
  for (size_t i = 0; i < kPart; ++i)
    z[i] = std::fma(x[i], y[i], z[i]);
  return hn::Load(D(), z);
#endif
}
HWY_INLINE Lanes mulAdd(const Lanes &a, const Lanes &b, const Lanes &c) {
  Lanes r;
  for (size_t i = 0; i < kParts; ++i)
    r.v[i] = mulAdd(a.v[i], b.v[i], c.v[i]);
  return r;
}

/// exp for x <= 88, at most 2 units in the last place off; 0 below the smallest normal number.
HWY_INLINE V expPart(V x) {
  const D d;
  const V lowest = hn::Set(d, -87.33654f);
  const V clamped = hn::Min(hn::Max(x, lowest), hn::Set(d, 88.0f));
  const V n = hn::Round(hn::Mul(clamped, hn::Set(d, 1.44269504088896341f)));
  V r = mulAdd(n, hn::Set(d, -0.693359375f), clamped); // ln 2 in two parts (Cody and Waite)
  r = mulAdd(n, hn::Set(d, 2.12194440e-4f), r);
  V p = hn::Set(d, 1.9875691500e-4f);
  for (float c :
       {1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f})
    p = mulAdd(p, r, hn::Set(d, c));
  p = hn::Add(mulAdd(p, hn::Mul(r, r), r), hn::Set(d, 1.0f));
  const auto exponent = hn::ShiftLeft<23>(hn::Add(hn::ConvertTo(DI(), n), hn::Set(DI(), 127)));
  const V scaled = hn::Mul(p, hn::BitCast(d, exponent));
  return hn::IfThenElseZero(hn::Ge(x, lowest), scaled);
}
HWY_INLINE Lanes exp(const Lanes &x) {
  return map([](V v) { return expPart(v); }, x);
}

/// `count` (< 16) floats, the other lanes `fill`.
HWY_INLINE Lanes loadTail(const float *p, size_t count, float fill) {
  HWY_ALIGN float t[kLanes];
  for (size_t i = 0; i < kLanes; ++i)
    t[i] = i < count ? p[i] : fill;
  return load(t);
}
HWY_INLINE Lanes loadUpTo(const float *p, size_t left, float fill) {
  return left >= kLanes ? load(p) : loadTail(p, left, fill);
}
HWY_INLINE void storeUpTo(const Lanes &a, float *p, size_t left) {
  if (left >= kLanes)
    return store(a, p);
  HWY_ALIGN float t[kLanes];
  store(a, t);
  std::memcpy(p, t, left * sizeof(float));
}

void quantizeRow(const float *x, size_t n, float norm, float scale, float maxCode, int8_t *codes) {
  const D d;
  for (size_t i = 0; i < n; i += kLanes) {
    const Lanes a = map(
        [&](V v) {
          const V t = hn::Round(hn::Mul(hn::Div(v, hn::Set(d, norm)), hn::Set(d, scale)));
          const V limited = hn::Min(hn::Max(t, hn::Set(d, -maxCode)), hn::Set(d, maxCode));
          return hn::IfThenZeroElse(hn::IsNaN(t), limited);
        },
        loadUpTo(x + i, n - i, 0.0f));
    HWY_ALIGN float t[kLanes];
    store(a, t);
    for (size_t j = 0; j < kLanes && i + j < n; ++j)
      codes[i + j] = int8_t(t[j]);
  }
}

/// Up to `R` queries times 16 `P` keys of a panel; products of codes are integers below 2^24 within
/// 1024 dimensions, so that fused and unfused multiply-adds agree.
template <size_t R, size_t P>
HWY_INLINE void scoreRows(const float *queries, size_t queryStride, const float *panel,
                          size_t panelStride, size_t dims, float *dots, size_t dotStride,
                          bool accumulate) {
  Lanes acc[R][P];
  for (size_t r = 0; r < R; ++r)
    for (size_t p = 0; p < P; ++p)
      acc[r][p] = splat(0.0f);
  for (size_t k = 0; k < dims; ++k) {
    const float *row = panel + k * panelStride;
    for (size_t p = 0; p < P; ++p) {
      const Lanes b = load(row + p * kLanes);
      for (size_t r = 0; r < R; ++r) {
        const V a = hn::Set(D(), queries[r * queryStride + k]);
        for (size_t i = 0; i < kParts; ++i)
          acc[r][p].v[i] = hn::MulAdd(a, b.v[i], acc[r][p].v[i]);
      }
    }
  }
  for (size_t r = 0; r < R; ++r)
    for (size_t p = 0; p < P; ++p) {
      float *out = dots + r * dotStride + p * kLanes;
      store(accumulate ? add(load(out), acc[r][p]) : acc[r][p], out);
    }
}

void scorePanel(const float *queries, size_t rows, size_t queryStride, const float *panel,
                size_t keys, size_t dims, float *dots, size_t dotStride, bool accumulate) {
  const size_t width = padded(keys);
  constexpr size_t kRows = 4, kWide = kParts == 1 ? 4 : 1;
  for (size_t r = 0; r < rows; r += kRows) {
    const float *q = queries + r * queryStride;
    float *out = dots + r * dotStride;
    size_t j = 0;
    if (rows - r >= kRows) {
      for (; j + kWide * kLanes <= width; j += kWide * kLanes)
        scoreRows<kRows, kWide>(q, queryStride, panel + j, width, dims, out + j, dotStride,
                                accumulate);
      for (; j < width; j += kLanes)
        scoreRows<kRows, 1>(q, queryStride, panel + j, width, dims, out + j, dotStride, accumulate);
      continue;
    }
    for (size_t s = 0; s < rows - r; ++s)
      for (j = 0; j < width; j += kLanes)
        scoreRows<1, 1>(q + s * queryStride, queryStride, panel + j, width, dims,
                        out + s * dotStride + j, dotStride, accumulate);
  }
}

void scaleScores(const float *dots, size_t n, float queryFactor, const float *keyFactors,
                 const float *bias, float *scores) {
  const Lanes q = splat(queryFactor);
  for (size_t j = 0; j < n; j += kLanes) {
    Lanes s = mul(mul(load(dots + j), q), load(keyFactors + j));
    if (bias)
      s = add(s, loadUpTo(bias + j, n - j, 0.0f));
    storeUpTo(s, scores + j, n - j);
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

/// Lane products of a query and a key.
HWY_INLINE Lanes products(const float *q, const float *key, size_t dims, const Lanes &tail) {
  const size_t whole = dims / kLanes * kLanes;
  Lanes acc = splat(0.0f);
  for (size_t k = 0; k < whole; k += kLanes)
    acc = mulAdd(load(q + k), load(key + k), acc);
  if (whole != dims)
    acc = mulAdd(tail, loadTail(key + whole, dims - whole, 0.0f), acc);
  return acc;
}

void sddmmRow(const float *q, const float *keys, size_t keyStride, const uint8_t *columns,
              size_t count, size_t dims, float scale, const float *bias, float *scores) {
  const size_t whole = dims / kLanes * kLanes;
  const Lanes tail = loadTail(q + whole, dims - whole, 0.0f);
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    Lanes acc[4];
    for (size_t j = 0; j < 4; ++j)
      acc[j] = products(q, keys + columns[i + j] * keyStride, dims, tail);
    hn::StoreU(hn::Mul(sumFour(acc), hn::Set(D4(), scale)), D4(), scores + i);
  }
  for (; i < count; ++i)
    scores[i] = sum(products(q, keys + columns[i] * keyStride, dims, tail)) * scale;
  for (i = 0; bias && i < count; ++i)
    scores[i] += bias[columns[i]];
}

void expRow(float *scores, size_t count, float &max_, float &sum_) {
  const size_t width = padded(count);
  for (size_t i = count; i < width; ++i)
    scores[i] = kMinusInfinity;
  Lanes best = splat(kMinusInfinity);
  for (size_t i = 0; i < width; i += kLanes)
    best = max(best, load(scores + i));
  max_ = fold(best, [](auto x, auto y) { return hn::Max(x, y); });
  const Lanes shift = splat(max_ > kMinusInfinity ? -max_ : 0.0f);
  Lanes total = splat(0.0f);
  for (size_t i = 0; i < width; i += kLanes) {
    const Lanes x = exp(add(load(scores + i), shift));
    store(x, scores + i);
    total = add(total, x);
  }
  sum_ = sum(total);
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

void rescaleAdd(float *out, const float *partial, size_t dims, float keep, float add_) {
  const Lanes a = splat(keep), b = splat(add_);
  for (size_t k = 0; k < dims; k += kLanes)
    storeUpTo(add(mul(load(out + k), a), mul(load(partial + k), b)), out + k, dims - k);
}

void divideRow(float *out, size_t dims, float sum) {
  const V s = hn::Set(D(), sum);
  for (size_t k = 0; k < dims; k += kLanes)
    storeUpTo(map([&](V x) { return hn::Div(x, s); }, load(out + k)), out + k, dims - k);
}

float expScalar(float x) { return hn::GetLane(expPart(hn::Set(D(), x))); }

} // namespace sparsam::sanger::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sparsam::sanger::kernels {

HWY_EXPORT(quantizeRow);
HWY_EXPORT(scorePanel);
HWY_EXPORT(scaleScores);
HWY_EXPORT(softmaxRow);
HWY_EXPORT(thresholdRow);
HWY_EXPORT(sddmmRow);
HWY_EXPORT(expRow);
HWY_EXPORT(spmmRow);
HWY_EXPORT(rescaleAdd);
HWY_EXPORT(divideRow);
HWY_EXPORT(expScalar);

float rowNorm(const float *x, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; ++i)
    sum += double(x[i]) * x[i];
  return float(std::sqrt(sum));
}

void quantizeRow(const float *x, size_t n, float norm, float scale, float maxCode, int8_t *codes) {
  HWY_DYNAMIC_DISPATCH(quantizeRow)(x, n, norm, scale, maxCode, codes);
}

void buildPanel(const int8_t *codes, size_t rows, size_t dims, size_t stride, float *panel) {
  const size_t width = padded(rows);
  for (size_t k = 0; k < dims; ++k)
    for (size_t r = 0; r < width; ++r)
      panel[k * width + r] = r < rows ? float(codes[r * stride + k]) : 0.0f;
}

void scoreTile(const int8_t *queries, size_t rows, size_t queryStride, const float *panel,
               size_t keys, size_t dims, float *dots, size_t dotStride) {
  constexpr size_t kChunk = 1024,
                   kRowGroup = 16; // 127 * 127 * 1024 < 2^24: sums of a chunk are exact in float
  const auto run = HWY_DYNAMIC_DISPATCH(scorePanel);
  alignas(64) float q[kRowGroup * kChunk];
  for (size_t r = 0; r < rows; r += kRowGroup) {
    const size_t count = std::min(kRowGroup, rows - r);
    for (size_t k = 0; k < dims; k += kChunk) {
      const size_t depth = std::min(kChunk, dims - k);
      for (size_t i = 0; i < count; ++i)
        for (size_t j = 0; j < depth; ++j)
          q[i * depth + j] = float(queries[(r + i) * queryStride + k + j]);
      run(q, count, depth, panel + k * padded(keys), keys, depth, dots + r * dotStride, dotStride,
          k != 0);
    }
  }
}

void scaleScores(const float *dots, size_t n, float queryFactor, const float *keyFactors,
                 const float *bias, float *scores) {
  HWY_DYNAMIC_DISPATCH(scaleScores)(dots, n, queryFactor, keyFactors, bias, scores);
}

float softmaxRow(const float *scores, size_t n, float *e) {
  return HWY_DYNAMIC_DISPATCH(softmaxRow)(scores, n, e);
}

void thresholdRow(const float *e, size_t n, float sum, float threshold, uint64_t *words) {
  HWY_DYNAMIC_DISPATCH(thresholdRow)(e, n, sum, threshold, words);
}

void sddmmRow(const float *q, const float *keys, size_t keyStride, const uint8_t *columns,
              size_t count, size_t dims, float scale, const float *bias, float *scores) {
  HWY_DYNAMIC_DISPATCH(sddmmRow)(q, keys, keyStride, columns, count, dims, scale, bias, scores);
}

void expRow(float *scores, size_t count, float &max, float &sum) {
  HWY_DYNAMIC_DISPATCH(expRow)(scores, count, max, sum);
}

void spmmRow(const float *weights, const float *values, size_t valueStride, const uint8_t *columns,
             size_t count, size_t dims, float *out) {
  HWY_DYNAMIC_DISPATCH(spmmRow)(weights, values, valueStride, columns, count, dims, out);
}

void rescaleAdd(float *out, const float *partial, size_t dims, float keep, float add) {
  HWY_DYNAMIC_DISPATCH(rescaleAdd)(out, partial, dims, keep, add);
}

void divideRow(float *out, size_t dims, float sum) {
  HWY_DYNAMIC_DISPATCH(divideRow)(out, dims, sum);
}

float expScalar(float x) { return HWY_DYNAMIC_DISPATCH(expScalar)(x); }

} // namespace sparsam::sanger::kernels
#endif // HWY_ONCE
