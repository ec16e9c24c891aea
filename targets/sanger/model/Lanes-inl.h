// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Lanes-inl.h - sixteen virtual lanes over vectors of any width ------===//
//
// Included by files that Highway compiles once per instruction set, each time for another one.
//
#if defined(SPARSAM_TARGETS_SANGER_MODEL_LANES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SPARSAM_TARGETS_SANGER_MODEL_LANES_INL_H
#undef SPARSAM_TARGETS_SANGER_MODEL_LANES_INL_H
#else
#define SPARSAM_TARGETS_SANGER_MODEL_LANES_INL_H
#endif

#include "targets/sanger/model/Kernels.h"

#include <hwy/highway.h>

#include <cmath>
#include <cstring>
#include <limits>

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

/// Folds the upper half of a vector onto its lower half until four lanes are left.
template <typename Tag, typename Vec, typename Op>
HWY_INLINE V4 foldVector(Tag, const Vec &v, Op op) {
  if constexpr (hn::MaxLanes(Tag()) == 4) {
    return v;
  } else {
    const hn::Half<Tag> half;
    return foldVector(half, op(hn::LowerHalf(half, v), hn::UpperHalf(half, v)), op);
  }
}
/// Folds lanes l and l + 8, then l and l + 4: four lanes are left.
template <typename Op> HWY_INLINE V4 foldToFour(Lanes a, Op op) {
  for (size_t n = kParts / 2; n > 0; n /= 2)
    for (size_t i = 0; i < n; ++i)
      a.v[i] = op(a.v[i], a.v[i + n]);
  return foldVector(D(), a.v[0], op);
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
  const V limited = hn::Max(x, lowest);
  // Beyond 2^23 floats are whole numbers: the sum is rounded, and its last bits are that number.
  const V magic = hn::Set(d, 12582912.0f);
  const V shifted = hn::Add(hn::Mul(limited, hn::Set(d, 1.44269504088896341f)), magic);
  const V n = hn::Sub(shifted, magic);
  V r = mulAdd(n, hn::Set(d, -0.693359375f), limited); // ln 2 in two parts (Cody and Waite)
  r = mulAdd(n, hn::Set(d, 2.12194440e-4f), r);
  V p = hn::Set(d, 1.9875691500e-4f);
  for (float c :
       {1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f})
    p = mulAdd(p, r, hn::Set(d, c));
  p = hn::Add(mulAdd(p, hn::Mul(r, r), r), hn::Set(d, 1.0f));
  // p * 2^n, by adding n to the exponent of p, which is 0 or -1.
  const auto exponent = hn::ShiftLeft<23>(hn::BitCast(DI(), shifted));
  const V scaled = hn::BitCast(d, hn::Add(hn::BitCast(DI(), p), exponent));
  return hn::IfThenElseZero(hn::Ge(x, lowest), scaled);
}
HWY_INLINE float expOne(float x) { return hn::GetLane(expPart(hn::Set(D(), x))); }
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

} // namespace sparsam::sanger::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif // SPARSAM_TARGETS_SANGER_MODEL_LANES_INL_H
