// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Vector.cpp - loops for the widest vectors of this processor --------===//
//
// Compiled for several instruction sets; Highway picks one at run time. Every sum runs in lanes
// whose number depends on the processor alone, never on threads.
//

#include "runtime/host/Vector.h"

#include <cmath>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/host/Vector.cpp"
#include <hwy/foreach_target.h>

#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace sparsam::runtime::host::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();
/// e^x is 0 in float below this.
constexpr float kSmallestExponent = -104.0f;

/// Calls f(index, count) for whole vectors, and for what is left of one.
template <typename F> HWY_INLINE void forVectors(int64_t n, F f) {
  const int64_t lanes = int64_t(hn::Lanes(D()));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
    f(i, lanes);
  if (i < n)
    f(i, n - i);
}

/// The first `count` elements, and `other` in the lanes behind them.
HWY_INLINE hn::Vec<D> load(const float *p, int64_t count, float other) {
  const D d;
  if (size_t(count) == hn::Lanes(d))
    return hn::LoadU(d, p);
  HWY_ALIGN float lanes[hn::MaxLanes(D())];
  hn::Store(hn::Set(d, other), d, lanes);
  for (int64_t i = 0; i < count; ++i)
    lanes[i] = p[i];
  return hn::Load(d, lanes);
}

HWY_INLINE void store(hn::Vec<D> v, float *p, int64_t count) {
  const D d;
  if (size_t(count) == hn::Lanes(d))
    return hn::StoreU(v, d, p);
  HWY_ALIGN float lanes[hn::MaxLanes(D())];
  hn::Store(v, d, lanes);
  for (int64_t i = 0; i < count; ++i)
    p[i] = lanes[i];
}

/// Adds up lanes in double precision.
HWY_INLINE double sumLanes(hn::Vec<D> v) {
  const D d;
  HWY_ALIGN float lanes[hn::MaxLanes(D())];
  hn::Store(v, d, lanes);
  double sum = 0;
  for (size_t i = 0; i < hn::Lanes(d); ++i)
    sum += double(lanes[i]);
  return sum;
}

/// The largest element; not a number if one is not.
HWY_INLINE float largestOf(const float *x, int64_t n) {
  const D d;
  auto largest = hn::Set(d, kMinusInfinity);
  auto poison = hn::Zero(d);
  forVectors(n, [&](int64_t i, int64_t count) {
    const auto v = load(x + i, count, kMinusInfinity);
    largest = hn::Max(largest, v);
    poison = hn::IfThenElse(hn::IsNaN(v), v, poison);
  });
  const double nan = sumLanes(poison);
  return std::isnan(nan) ? float(nan) : hn::GetLane(hn::MaxOfLanes(d, largest));
}

void softmaxRow(const float *x, int64_t n, bool hidesAll, float *y) {
  const D d;
  const float largest = largestOf(x, n);
  if (!std::isfinite(largest)) {
    const bool isHidden = largest == kMinusInfinity && hidesAll;
    for (int64_t i = 0; i < n; ++i)
      y[i] = isHidden ? 0.0f : std::numeric_limits<float>::quiet_NaN();
    return;
  }
  const auto shift = hn::Set(d, largest);
  auto sums = hn::Zero(d);
  forVectors(n, [&](int64_t i, int64_t count) {
    auto e = hn::Sub(load(x + i, count, kMinusInfinity), shift);
    e = hn::IfThenElseZero(hn::Ge(e, hn::Set(d, kSmallestExponent)), hn::Exp(d, e));
    sums = hn::Add(sums, e);
    store(e, y + i, count);
  });
  const auto factor = hn::Set(d, float(1.0 / sumLanes(sums)));
  forVectors(n, [&](int64_t i, int64_t count) {
    store(hn::Mul(load(y + i, count, 0), factor), y + i, count);
  });
}

void normalizeRow(const float *x, const float *scale, const float *bias, int64_t n, float epsilon,
                  float *y) {
  const D d;
  auto sums = hn::Zero(d);
  forVectors(n, [&](int64_t i, int64_t count) { sums = hn::Add(sums, load(x + i, count, 0)); });
  const float mean = float(sumLanes(sums) / double(n));
  const auto shift = hn::Set(d, mean);
  auto squares = hn::Zero(d);
  forVectors(n, [&](int64_t i, int64_t count) {
    const auto v = hn::Sub(load(x + i, count, mean), shift);
    squares = hn::MulAdd(v, v, squares);
  });
  const double variance = sumLanes(squares) / double(n);
  const auto factor = hn::Set(d, float(1.0 / std::sqrt(variance + double(epsilon))));
  forVectors(n, [&](int64_t i, int64_t count) {
    const auto v = hn::Mul(hn::Sub(load(x + i, count, 0), shift), factor);
    const auto b = bias ? load(bias + i, count, 0) : hn::Zero(d);
    store(hn::MulAdd(v, load(scale + i, count, 0), b), y + i, count);
  });
}

} // namespace sparsam::runtime::host::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sparsam::runtime::host {

HWY_EXPORT(softmaxRow);
HWY_EXPORT(normalizeRow);

void softmaxRow(const float *x, int64_t n, bool hidesAll, float *y) {
  HWY_DYNAMIC_DISPATCH(softmaxRow)(x, n, hidesAll, y);
}

void normalizeRow(const float *x, const float *scale, const float *bias, int64_t n, float epsilon,
                  float *y) {
  HWY_DYNAMIC_DISPATCH(normalizeRow)(x, scale, bias, n, epsilon, y);
}

} // namespace sparsam::runtime::host
#endif // HWY_ONCE
