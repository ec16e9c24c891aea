// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Gemv.cpp - products of a vector and a matrix -----------------------===//
//
// Compiled for several instruction sets, as Vector.cpp.
//

#include "runtime/host/Gemv.h"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/host/Gemv.cpp"
#include <hwy/foreach_target.h>

#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace sparsam::runtime::host::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;

/// Rows that are read side by side: enough to hide the latency of the additions, few enough for the
/// processor to prefetch each of them.
constexpr int64_t kRowsAtOnce = 4;

/// Dot products with x of `Rows` rows that are `step` rows apart.
template <int64_t Rows>
HWY_INLINE void dotSome(const float *x, const float *w, int64_t depth, int64_t step, float *y) {
  const D d;
  const int64_t lanes = int64_t(hn::Lanes(d));
  hn::Vec<D> sums[Rows];
  for (auto &sum : sums)
    sum = hn::Zero(d);
  int64_t k = 0;
  for (; k + lanes <= depth; k += lanes) {
    const auto v = hn::LoadU(d, x + k);
    for (int64_t r = 0; r < Rows; ++r)
      sums[r] = hn::MulAdd(v, hn::LoadU(d, w + r * step * depth + k), sums[r]);
  }
  for (int64_t r = 0; r < Rows; ++r) {
    float sum = hn::GetLane(hn::SumOfLanes(d, sums[r]));
    for (int64_t i = k; i < depth; ++i)
      sum += x[i] * w[r * step * depth + i];
    y[r * step] = sum;
  }
}

/// Rows that are read side by side lie a quarter of all apart. Processors prefetch within a page:
/// neighbouring rows, several in a page, halve the rate at which memory is read.
void dotRows(const float *x, const float *w, int64_t rows, int64_t depth, float *y) {
  const int64_t step = rows / kRowsAtOnce;
  for (int64_t r = 0; r < step; ++r)
    dotSome<kRowsAtOnce>(x, w + r * depth, depth, step, y + r);
  for (int64_t r = step * kRowsAtOnce; r < rows; ++r)
    dotSome<1>(x, w + r * depth, depth, 1, y + r);
}

/// Adds `Rows` rows, `step` elements apart, to y.
template <int64_t Rows>
HWY_INLINE void addSome(const float *x, int64_t xStep, const float *w, int64_t width, int64_t step,
                        float *y) {
  const D d;
  const int64_t lanes = int64_t(hn::Lanes(d));
  hn::Vec<D> factors[Rows];
  for (int64_t r = 0; r < Rows; ++r)
    factors[r] = hn::Set(d, x[r * xStep]);
  int64_t j = 0;
  for (; j + lanes <= width; j += lanes) {
    auto sum = hn::LoadU(d, y + j);
    for (int64_t r = 0; r < Rows; ++r)
      sum = hn::MulAdd(factors[r], hn::LoadU(d, w + r * step + j), sum);
    hn::StoreU(sum, d, y + j);
  }
  for (; j < width; ++j)
    for (int64_t r = 0; r < Rows; ++r)
      y[j] += x[r * xStep] * w[r * step + j];
}

/// As in dotRows: rows that are read side by side lie far apart.
void addRows(const float *x, const float *w, int64_t rows, int64_t width, int64_t stride,
             float *y) {
  const int64_t step = rows / kRowsAtOnce;
  for (int64_t r = 0; r < step; ++r)
    addSome<kRowsAtOnce>(x + r, step, w + r * stride, width, step * stride, y);
  for (int64_t r = step * kRowsAtOnce; r < rows; ++r)
    addSome<1>(x + r, 1, w + r * stride, width, stride, y);
}

/// tanh(x) = 1 - 2 / (e^2x + 1)
HWY_INLINE hn::Vec<D> tanhOf(hn::Vec<D> x) {
  const D d;
  const auto limit = hn::Set(d, 15.0f); // tanh is 1 in float from 9.1 on
  const auto e = hn::Exp(d, hn::Mul(hn::Min(hn::Max(x, hn::Neg(limit)), limit), hn::Set(d, 2.0f)));
  return hn::Sub(hn::Set(d, 1.0f), hn::Div(hn::Set(d, 2.0f), hn::Add(e, hn::Set(d, 1.0f))));
}

/// 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))
HWY_INLINE hn::Vec<D> geluTanhOf(hn::Vec<D> x) {
  const D d;
  const auto cubic = hn::Mul(hn::Mul(hn::Set(d, 0.044715f), hn::Mul(x, x)), x);
  const auto inner = hn::Mul(hn::Set(d, 0.7978845608f), hn::Add(x, cubic));
  return hn::Mul(hn::Mul(hn::Set(d, 0.5f), x), hn::Add(hn::Set(d, 1.0f), tanhOf(inner)));
}

template <typename F> HWY_INLINE void forAll(float *y, int64_t n, F f) {
  const D d;
  const int64_t lanes = int64_t(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
    hn::StoreU(f(hn::LoadU(d, y + i)), d, y + i);
  if (i == n)
    return;
  HWY_ALIGN float rest[hn::MaxLanes(D())] = {};
  std::copy(y + i, y + n, rest);
  hn::Store(f(hn::Load(d, rest)), d, rest);
  std::copy(rest, rest + (n - i), y + i);
}

void activate(Activation activation, float *y, int64_t n) {
  const D d;
  if (activation == Activation::geluTanh)
    return forAll(y, n, [](hn::Vec<D> x) { return geluTanhOf(x); });
  if (activation == Activation::tanh)
    return forAll(y, n, [](hn::Vec<D> x) { return tanhOf(x); });
  if (activation == Activation::relu)
    return forAll(y, n, [=](hn::Vec<D> x) { return hn::Max(x, hn::Zero(d)); });
  for (int64_t i = 0; i < n; ++i) // gelu
    y[i] = 0.5f * y[i] * (1.0f + std::erf(y[i] * 0.70710678f));
}

} // namespace sparsam::runtime::host::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sparsam::runtime::host {

HWY_EXPORT(dotRows);
HWY_EXPORT(addRows);
HWY_EXPORT(activate);

void dotRows(const float *x, const float *w, int64_t rows, int64_t depth, float *y) {
  HWY_DYNAMIC_DISPATCH(dotRows)(x, w, rows, depth, y);
}

void addRows(const float *x, const float *w, int64_t rows, int64_t width, int64_t stride,
             float *y) {
  HWY_DYNAMIC_DISPATCH(addRows)(x, w, rows, width, stride, y);
}

void activate(Activation activation, float *y, int64_t n) {
  HWY_DYNAMIC_DISPATCH(activate)(activation, y, n);
}

} // namespace sparsam::runtime::host
#endif // HWY_ONCE
