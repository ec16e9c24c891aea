// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Products.cpp - the inner loop of the matrix engine -----------------===//

#include "targets/sta/model/Products.h"

#include <algorithm>
#include <type_traits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "targets/sta/model/Products.cpp"
#include <hwy/foreach_target.h>

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace sparsam::sta::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Rows that run in step: enough sums in flight to hide the latency of an addition.
constexpr size_t kRowBlock = 4;

template <typename D, typename V> HWY_INLINE V shifted(D, V product, int shift) {
  if constexpr (std::is_integral_v<hn::TFromD<D>>)
    return hn::ShiftRightSame(product, shift);
  else
    return product;
}

template <typename T, size_t kRows, bool kSelects>
HWY_INLINE void accumulateBlock(const Product &p, const T *HWY_RESTRICT factors,
                                const uint16_t *HWY_RESTRICT positions,
                                const T *HWY_RESTRICT columns, T *HWY_RESTRICT sums) {
  const hn::CappedTag<T, kProductLanes> d;
  using V = hn::Vec<decltype(d)>;
  const size_t lanes = hn::Lanes(d);
  for (size_t c = 0; c < p.width; c += 2 * lanes) {
    const bool isPair = c + lanes < p.width;
    V low[kRows], high[kRows];
    for (size_t r = 0; r < kRows; ++r) {
      low[r] = hn::LoadU(d, sums + r * p.width + c);
      high[r] = isPair ? hn::LoadU(d, sums + r * p.width + c + lanes) : hn::Zero(d);
    }
    for (size_t i = 0; i < p.count; ++i)
      for (size_t r = 0; r < kRows; ++r) {
        const size_t at = kSelects ? positions[r * p.count + i] : i;
        const T *HWY_RESTRICT column = columns + at * p.width + c;
        const V factor = hn::Set(d, factors[r * p.count + i]);
        low[r] = hn::Add(low[r], shifted(d, hn::Mul(factor, hn::LoadU(d, column)), p.shift));
        if (isPair)
          high[r] =
              hn::Add(high[r], shifted(d, hn::Mul(factor, hn::LoadU(d, column + lanes)), p.shift));
      }
    for (size_t r = 0; r < kRows; ++r) {
      hn::StoreU(low[r], d, sums + r * p.width + c);
      if (isPair)
        hn::StoreU(high[r], d, sums + r * p.width + c + lanes);
    }
  }
}

template <typename T, bool kSelects>
HWY_INLINE void accumulateRows(const Product &p, const T *factors, const T *columns, T *sums) {
  size_t r = 0;
  auto at = [&](size_t row) { return kSelects ? p.positions + row * p.count : nullptr; };
  for (; r + kRowBlock <= p.rows; r += kRowBlock)
    accumulateBlock<T, kRowBlock, kSelects>(p, factors + r * p.count, at(r), columns,
                                            sums + r * p.width);
  for (; r < p.rows; ++r)
    accumulateBlock<T, 1, kSelects>(p, factors + r * p.count, at(r), columns, sums + r * p.width);
}

template <typename T>
HWY_INLINE void accumulateAny(const Product &p, const T *factors, const T *columns, T *sums) {
  if (p.positions)
    accumulateRows<T, true>(p, factors, columns, sums);
  else
    accumulateRows<T, false>(p, factors, columns, sums);
}

void accumulateFloats(const Product &p, const float *factors, const float *columns, float *sums) {
  accumulateAny(p, factors, columns, sums);
}
void accumulateIntegers(const Product &p, const int32_t *factors, const int32_t *columns,
                        int32_t *sums) {
  accumulateAny(p, factors, columns, sums);
}

} // namespace sparsam::sta::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace sparsam::sta {

HWY_EXPORT(accumulateFloats);
HWY_EXPORT(accumulateIntegers);

void accumulate(const Product &product, const float *factors, const float *columns, float *sums) {
  HWY_DYNAMIC_DISPATCH(accumulateFloats)(product, factors, columns, sums);
}
void accumulate(const Product &product, const int32_t *factors, const int32_t *columns,
                int32_t *sums) {
  HWY_DYNAMIC_DISPATCH(accumulateIntegers)(product, factors, columns, sums);
}

} // namespace sparsam::sta

#endif // HWY_ONCE
