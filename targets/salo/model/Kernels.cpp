// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Kernels.cpp - vector loops of the array ----------------------------===//

#include "targets/salo/model/Kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "targets/salo/model/Kernels.cpp"
#include <hwy/foreach_target.h>

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace sparsam::salo::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using DF = hn::CappedTag<float, size_t(kLanes)>;
using D32 = hn::RebindToSigned<DF>;
using D16 = hn::Repartition<int16_t, D32>;
using V32 = hn::Vec<D32>;
using V16 = hn::Vec<D16>;
constexpr size_t kLanes32 = hn::MaxLanes(D32()), kLanes16 = hn::MaxLanes(D16());

//===-- Words --------------------------------------------------------------===//

HWY_INLINE V32 toWords(hn::Vec<DF> x, float factor) {
  const DF d;
  const auto scaled =
      hn::Round(hn::Mul(hn::Mul(x, hn::Set(d, factor)), hn::Set(d, float(1 << pe::kWordFraction))));
  const auto clamped =
      hn::Min(hn::Max(scaled, hn::Set(d, float(pe::kWordMin))), hn::Set(d, float(pe::kWordMax)));
  return hn::ConvertTo(D32(), hn::IfThenElseZero(hn::Eq(scaled, scaled), clamped));
}

void quantize(const float *x, size_t n, float factor, int16_t *words) {
  const hn::Rebind<int16_t, D32> half;
  size_t i = 0;
  for (; i + kLanes32 <= n; i += kLanes32)
    hn::StoreU(hn::DemoteTo(half, toWords(hn::LoadU(DF(), x + i), factor)), half, words + i);
  HWY_ALIGN float in[kLanes32] = {};
  HWY_ALIGN int16_t out[kLanes32];
  std::copy(x + i, x + n, in);
  hn::Store(hn::DemoteTo(half, toWords(hn::Load(DF(), in), factor)), half, out);
  std::copy_n(out, n - i, words + i);
}

//===-- Stages 0 and 1: scores and exponentials ----------------------------===//

/// A sum of products of pairs, in the two parts that Highway keeps on some processors.
struct Dot {
  V32 even, odd;

  HWY_INLINE void clear() { even = odd = hn::Zero(D32()); }
  HWY_INLINE void add(V32 a, V32 b) {
    even = hn::ReorderWidenMulAccumulate(D32(), hn::BitCast(D16(), a), hn::BitCast(D16(), b), even,
                                         odd);
  }
  HWY_INLINE V32 sum() const { return hn::RearrangeToOddPlusEven(even, odd); }
};

/// Products of numbers that fit 16 bits and are not negative.
HWY_INLINE V32 mulSmall(V32 a, V32 b) {
  Dot dot;
  dot.clear();
  dot.add(a, b);
  return dot.sum();
}

struct Exponential {
  V32 value, exponent;
};

HWY_INLINE Exponential exponential(V32 score, int scaleShift) {
  const D32 d;
  alignas(64) static constexpr int32_t slopes[16] = {12, 14, 17, 20, 12, 14, 17, 20,
                                                     12, 14, 17, 20, 12, 14, 17, 20};
  alignas(64) static constexpr int32_t intercepts[16] = {255, 246, 225, 185, 255, 246, 225, 185,
                                                         255, 246, 225, 185, 255, 246, 225, 185};
  static_assert(pe::kSlope == std::array<int32_t, 4>{12, 14, 17, 20} &&
                pe::kIntercept == std::array<int32_t, 4>{255, 246, 225, 185});
  constexpr int kTop = 32 - pe::kExponentBits;
  const V32 shifted = hn::ShiftRightSame(score, scaleShift);
  const V32 fraction = hn::And(shifted, hn::Set(d, 255));
  const V32 exponent = hn::ShiftRight<kTop>(hn::ShiftLeft<kTop - pe::kSumFraction>(shifted));
  const auto piece = hn::IndicesFromVec(d, hn::ShiftRight<6>(fraction));
  const V32 slope = hn::TableLookupLanes(hn::Load(d, slopes), piece);
  const V32 intercept = hn::TableLookupLanes(hn::Load(d, intercepts), piece);
  return {hn::Add(intercept, hn::ShiftRight<4>(mulSmall(slope, fraction))), exponent};
}

/// Lanes whose score the exponential cannot take.
HWY_INLINE V32 outOfRange(V32 score, int scaleShift) {
  constexpr int kInteger = pe::kExponentBits + pe::kSumFraction;
  const V32 shifted = hn::ShiftRightSame(score, scaleShift);
  const V32 kept = hn::ShiftRight<32 - kInteger>(hn::ShiftLeft<32 - kInteger>(shifted));
  return hn::Xor(shifted, kept);
}

constexpr int64_t kBlock = 8; ///< columns whose scores are accumulated together

/// Scores of `kCount` columns of one group of rows: column x of lane i sees key i + x.
template <int64_t kCount>
HWY_INLINE void scoreBlock(const int32_t *queries, int64_t queryStride, const int32_t *keys,
                           int64_t keyStride, int64_t pairs, Dot (&dots)[size_t(kCount)]) {
  for (int64_t p = 0; p < pairs; ++p) {
    const V32 q = hn::LoadU(D32(), queries + p * queryStride);
    const int32_t *row = keys + p * keyStride;
    for (int64_t x = 0; x < kCount; ++x)
      dots[x].add(q, hn::LoadU(D32(), row + x));
  }
}

struct Group {
  const TilePass &pass;
  const Scratch &scratch;
  int64_t first;  ///< row
  int64_t stride; ///< of scratch
  int64_t aliased = 0;

  /// Stage 1 of column `column`; masked lanes become neutral.
  HWY_INLINE void finish(int64_t column, V32 score, V32 mask) {
    const D32 d;
    Exponential e = exponential(score, pass.scaleShift);
    const auto valid = hn::Ne(mask, hn::Zero(d));
    const V32 bad = hn::And(outOfRange(score, pass.scaleShift), mask);
    aliased += int64_t(hn::CountTrue(d, hn::Ne(bad, hn::Zero(d))));
    hn::StoreU(hn::IfThenElseZero(valid, e.value), d, scratch.value + column * stride + first);
    hn::StoreU(hn::IfThenElse(valid, e.exponent, hn::Set(d, pe::kLowestExponent)), d,
               scratch.exponent + column * stride + first);
  }

  template <int64_t kCount> HWY_INLINE void window(int64_t x) {
    Dot dots[size_t(kCount)];
    for (Dot &dot : dots)
      dot.clear();
    scoreBlock<kCount>(pass.queries + first, pass.queryStride, pass.keys + first + x,
                       pass.keyStride, (pass.dims + 1) / 2, dots);
    for (int64_t i = 0; i < kCount; ++i)
      finish(pass.cols - 1 - x - i, dots[i].sum(), hn::LoadU(D32(), pass.keyMask + first + x + i));
  }

  HWY_INLINE void global(int64_t number) {
    const int64_t pairs = (pass.dims + 1) / 2;
    Dot dot;
    dot.clear();
    for (int64_t p = 0; p < pairs; ++p)
      dot.add(hn::LoadU(D32(), pass.queries + p * pass.queryStride + first),
              hn::Set(D32(), pass.globalKeys[number * pairs + p]));
    finish(pass.cols + number, dot.sum(), hn::Set(D32(), pass.globalMask[number]));
  }

  HWY_INLINE void scores() {
    int64_t x = 0;
    for (; x + kBlock <= pass.cols; x += kBlock)
      window<kBlock>(x);
    for (; x < pass.cols; ++x)
      window<1>(x);
    for (int64_t g = 0; g < pass.globals; ++g)
      global(g);
  }

  //===-- Stages 2 and 3: row sums and probabilities -----------------------===//

  HWY_INLINE void sums(const TileResult &result) {
    const D32 d;
    constexpr int kUnused = 32 - pe::kSumBits;
    V32 sum = hn::Zero(d), most = hn::Set(d, pe::kLowestExponent);
    for (int64_t c = 0; c < pass.cols + pass.globals; ++c) {
      int32_t *value = scratch.value + c * stride + first;
      int32_t *exponent = scratch.exponent + c * stride + first;
      const V32 e = hn::LoadU(d, exponent), next = hn::Max(most, e);
      const V32 own = hn::Shr(hn::LoadU(d, value), hn::Sub(next, e));
      sum = hn::Add(hn::Shr(sum, hn::Sub(next, most)), own);
      sum = hn::ShiftRight<kUnused>(hn::ShiftLeft<kUnused>(sum));
      most = next;
      hn::StoreU(own, d, value);
      hn::StoreU(most, d, exponent);
    }
    hn::StoreU(sum, d, result.sum + first);
    hn::StoreU(most, d, result.exponent + first);
  }

  HWY_INLINE void probabilities(const TileResult &result) {
    const D32 d;
    const hn::Rebind<int16_t, D32> half;
    HWY_ALIGN int32_t inverses[kLanes32];
    for (size_t i = 0; i < kLanes32; ++i)
      inverses[i] = pe::inverse(result.sum[first + int64_t(i)]);
    const V32 inverse = hn::Load(d, inverses), most = hn::LoadU(d, result.exponent + first);
    constexpr int kUnused = 32 - pe::kProbabilityBits;
    for (int64_t c = 0; c < pass.cols + pass.globals; ++c) {
      const int64_t at = c * stride + first;
      const V32 own = hn::And(hn::ShiftRight<1>(hn::LoadU(d, scratch.value + at)), hn::Set(d, 255));
      const V32 product =
          hn::Shr(mulSmall(own, inverse), hn::Sub(most, hn::LoadU(d, scratch.exponent + at)));
      const V32 wrapped = hn::ShiftRight<kUnused>(
          hn::ShiftLeft<kUnused>(hn::ShiftRight<pe::kProbabilityFraction>(product)));
      hn::StoreU(hn::DemoteTo(half, hn::ShiftLeft<kProbabilityShift>(wrapped)), half,
                 scratch.probability + at);
    }
  }
};

//===-- Stage 4: outputs ---------------------------------------------------===//

/// One row: every column's value, weighted. kVectors cover the dimensions.
template <int kVectors>
HWY_INLINE void mixRow(const TilePass &pass, const int16_t *probability, int64_t stride,
                       const int16_t *values, int16_t *out) {
  const D16 d;
  const int64_t width = rowWidth(pass.dims);
  V16 sums[kVectors];
  for (V16 &sum : sums)
    sum = hn::Zero(d);
  const auto add = [&](int64_t column, const int16_t *value) HWY_ATTR {
    const V16 weight = hn::Set(d, probability[column * stride]);
    for (int v = 0; v < kVectors; ++v)
      sums[v] = hn::Add(sums[v], hn::MulHigh(weight, hn::LoadU(d, value + size_t(v) * kLanes16)));
  };
  for (int64_t c = 0; c < pass.cols; ++c)
    add(c, values + (pass.cols - 1 - c) * width);
  for (int64_t g = 0; g < pass.globals; ++g)
    add(pass.cols + g, pass.globalValues + g * width);
  for (int v = 0; v < kVectors; ++v)
    hn::StoreU(sums[v], d, out + size_t(v) * kLanes16);
}

template <int kVectors>
HWY_INLINE void mix(const TilePass &pass, const Scratch &scratch, int64_t stride, int16_t *out) {
  const int64_t width = rowWidth(pass.dims);
  for (int64_t i = 0; i < pass.rows; ++i) {
    // A pass for global tokens alone has no window, and no values of one.
    const int16_t *values = pass.cols > 0 ? pass.values + i * width : nullptr;
    mixRow<kVectors>(pass, scratch.probability + i, stride, values, out + i * width);
  }
}

int64_t attend(const TilePass &pass, const Scratch &scratch, const TileResult &result) {
  const int64_t stride = padded(pass.rows, kLanes);
  int64_t aliased = 0;
  for (int64_t first = 0; first < pass.rows; first += int64_t(kLanes32)) {
    Group group{pass, scratch, first, stride};
    group.scores();
    group.sums(result);
    group.probabilities(result);
    aliased += group.aliased;
  }
  switch (rowWidth(pass.dims) / kDims) {
  case 1:
    mix<int(size_t(kDims) / kLanes16)>(pass, scratch, stride, result.out);
    break;
  case 2:
    mix<int(2 * size_t(kDims) / kLanes16)>(pass, scratch, stride, result.out);
    break;
  default:
    mix<int(size_t(kMostDims) / kLanes16)>(pass, scratch, stride, result.out);
  }
  return aliased;
}

//===-- Single rows --------------------------------------------------------===//

void scoreKeys(const int32_t *query, int64_t pairs, const int32_t *keys, int64_t keyStride,
               int64_t count, int32_t *scores) {
  for (int64_t x = 0; x < count; x += int64_t(kLanes32)) {
    Dot dot;
    dot.clear();
    for (int64_t p = 0; p < pairs; ++p)
      dot.add(hn::Set(D32(), query[p]), hn::LoadU(D32(), keys + p * keyStride + x));
    HWY_ALIGN int32_t part[kLanes32];
    hn::Store(dot.sum(), D32(), part);
    std::copy_n(part, std::min(int64_t(kLanes32), count - x), scores + x);
  }
}

void mergeRow(int32_t weight, const int16_t *tile, int64_t dims, int32_t *running) {
  const D32 d;
  const hn::Rebind<int16_t, D32> half;
  const V32 keep = hn::Set(d, weight), take = hn::Set(d, 256 - weight);
  for (int64_t i = 0; i < rowWidth(dims); i += int64_t(kLanes32)) {
    const V32 own = hn::PromoteTo(d, hn::LoadU(half, tile + i));
    const V32 sum = hn::Add(hn::Mul(keep, hn::LoadU(d, running + i)), hn::Mul(take, own));
    hn::StoreU(hn::ShiftRight<8>(sum), d, running + i);
  }
}

} // namespace sparsam::salo::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sparsam::salo::kernels {

HWY_EXPORT(quantize);
HWY_EXPORT(attend);
HWY_EXPORT(scoreKeys);
HWY_EXPORT(mergeRow);

void quantize(const float *x, size_t n, float factor, int16_t *words) {
  HWY_DYNAMIC_DISPATCH(quantize)(x, n, factor, words);
}
int64_t attend(const TilePass &pass, const Scratch &scratch, const TileResult &result) {
  return HWY_DYNAMIC_DISPATCH(attend)(pass, scratch, result);
}
void scoreKeys(const int32_t *query, int64_t pairs, const int32_t *keys, int64_t keyStride,
               int64_t count, int32_t *scores) {
  HWY_DYNAMIC_DISPATCH(scoreKeys)(query, pairs, keys, keyStride, count, scores);
}
void mergeRow(int32_t weight, const int16_t *tile, int64_t dims, int32_t *running) {
  HWY_DYNAMIC_DISPATCH(mergeRow)(weight, tile, dims, running);
}

} // namespace sparsam::salo::kernels
#endif
