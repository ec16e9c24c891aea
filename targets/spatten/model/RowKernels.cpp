// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- RowKernels.cpp - vector loops over one row of scores ---------------===//
//
// Plain loops, compiled once for each instruction set that Highway knows: the compiler vectorises
// them, and nothing it does may change a result (no contraction, no reordering of sums).
//

#include "targets/spatten/model/RowKernels.h"

#include <bit>
#include <cmath>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "targets/spatten/model/RowKernels.cpp"
#include <hwy/foreach_target.h>

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace sparsam::spatten::kernels::HWY_NAMESPACE {

constexpr int64_t kLanes = 8;

static int64_t quantizeWords(const float *x, int64_t count, float factor, float largest,
                             int16_t *words) {
  int64_t nonFinite = 0;
  constexpr int64_t kPart = 1 << 16; // counted in 32 bits, as wide as the values
  for (int64_t from = 0; from < count; from += kPart) {
    const int64_t to = count - from < kPart ? count : from + kPart;
    int32_t found = 0;
    for (int64_t i = from; i < to; ++i) {
      found += !(__builtin_fabsf(x[i]) <= std::numeric_limits<float>::max());
      float word = __builtin_rintf(x[i] * factor);
      word = word < -largest ? -largest : word;
      words[i] = int16_t(word < largest ? word : largest);
    }
    nonFinite += found;
  }
  return nonFinite;
}

template <typename Sum>
static void multiplyWords(const int16_t *q, const int16_t *keys, int64_t count, int64_t dim,
                          Sum *scores) {
  for (int64_t j = 0; j < count; ++j) {
    const int16_t *key = keys + j * dim;
    Sum score = 0;
    for (int64_t d = 0; d < dim; ++d)
      score += int32_t(q[d]) * int32_t(key[d]);
    scores[j] = score;
  }
}

static void wordProducts(const int16_t *q, const int16_t *keys, int64_t count, int64_t dim,
                         int32_t *scores) {
  multiplyWords(q, keys, count, dim, scores);
}
static void wideProducts(const int16_t *q, const int16_t *keys, int64_t count, int64_t dim,
                         int64_t *scores) {
  multiplyWords(q, keys, count, dim, scores);
}

static float fold(const float *lanes) {
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) +
         ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

static void realProducts(const float *q, const float *keys, int64_t count, int64_t dim,
                         float *scores) {
  for (int64_t j = 0; j < count; ++j) {
    const float *key = keys + j * dim;
    float lanes[kLanes] = {};
    int64_t d = 0;
    for (; d + kLanes <= dim; d += kLanes)
      for (int64_t l = 0; l < kLanes; ++l)
        lanes[l] += q[d + l] * key[d + l];
    for (int64_t l = 0; d + l < dim; ++l)
      lanes[l] += q[d + l] * key[d + l];
    scores[j] = fold(lanes);
  }
}

template <typename T>
static void scaleRow(const T *scores, int64_t count, float factor, const float *bias,
                     int64_t biasStep, float *x) {
  for (int64_t j = 0; j < count; ++j)
    x[j] = float(scores[j]) * factor;
  if (bias && biasStep == 1)
    for (int64_t j = 0; j < count; ++j)
      x[j] += bias[j];
  else if (bias)
    for (int64_t j = 0; j < count; ++j)
      x[j] += bias[0];
}
static void scaleWords(const int32_t *scores, int64_t count, float factor, const float *bias,
                       int64_t biasStep, float *x) {
  scaleRow(scores, count, factor, bias, biasStep, x);
}
static void scaleWide(const int64_t *scores, int64_t count, float factor, const float *bias,
                      int64_t biasStep, float *x) {
  scaleRow(scores, count, factor, bias, biasStep, x);
}
static void scaleReals(const float *scores, int64_t count, float factor, const float *bias,
                       int64_t biasStep, float *x) {
  scaleRow(scores, count, factor, bias, biasStep, x);
}

static float largestOf(const float *x, int64_t count) {
  float lanes[kLanes];
  for (float &lane : lanes)
    lane = x[0];
  int64_t j = 0;
  for (; j + kLanes <= count; j += kLanes)
    for (int64_t l = 0; l < kLanes; ++l)
      lanes[l] = x[j + l] > lanes[l] ? x[j + l] : lanes[l];
  for (; j < count; ++j)
    lanes[0] = x[j] > lanes[0] ? x[j] : lanes[0];
  float result = lanes[0];
  for (float lane : lanes)
    result = lane > result ? lane : result;
  return result;
}

static void expRow(float *x, int64_t count, float shift) {
  constexpr float kLog2e = 1.44269504f, kLn2 = 0.693147181f;
  for (int64_t j = 0; j < count; ++j) {
    float y = x[j] - shift;
    y = y > -87.0f ? y : -87.0f;
    float k = __builtin_floorf(y * kLog2e);
    float r = y - k * kLn2;
    float p = r * (1.0f / 120.0f) + (1.0f / 24.0f);
    p = p * r + (1.0f / 6.0f);
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    x[j] = p * std::bit_cast<float>((int32_t(k) + 127) << 23);
  }
}

static float sumOf(const float *x, int64_t count) {
  float lanes[kLanes] = {};
  int64_t j = 0;
  for (; j + kLanes <= count; j += kLanes)
    for (int64_t l = 0; l < kLanes; ++l)
      lanes[l] += x[j + l];
  for (int64_t l = 0; j + l < count; ++l)
    lanes[l] += x[j + l];
  return fold(lanes);
}

static void divideRow(float *x, int64_t count, float total) {
  for (int64_t j = 0; j < count; ++j)
    x[j] /= total;
}

static void probabilityWords(const float *x, int64_t count, uint16_t *words) {
  for (int64_t j = 0; j < count; ++j) {
    int32_t word = int32_t(x[j] * 4096.0f + 0.5f);
    words[j] = uint16_t(word < 4095 ? word : 4095);
  }
}

static void addWords(const uint16_t *words, int64_t count, double *sums) {
  for (int64_t j = 0; j < count; ++j)
    sums[j] += double(words[j]);
}
static void addReals(const float *x, int64_t count, double *sums) {
  for (int64_t j = 0; j < count; ++j)
    sums[j] += double(x[j]);
}

static void addWordRow(int32_t weight, const int16_t *row, int64_t dim, int32_t *sums) {
  for (int64_t d = 0; d < dim; ++d)
    sums[d] += weight * int32_t(row[d]);
}
static void addRealRow(float weight, const float *row, int64_t dim, float *sums) {
  for (int64_t d = 0; d < dim; ++d)
    sums[d] += weight * row[d];
}

} // namespace sparsam::spatten::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sparsam::spatten::kernels {

HWY_EXPORT(quantizeWords);
HWY_EXPORT(wordProducts);
HWY_EXPORT(wideProducts);
HWY_EXPORT(realProducts);
HWY_EXPORT(scaleWords);
HWY_EXPORT(scaleWide);
HWY_EXPORT(scaleReals);
HWY_EXPORT(largestOf);
HWY_EXPORT(expRow);
HWY_EXPORT(sumOf);
HWY_EXPORT(divideRow);
HWY_EXPORT(probabilityWords);
HWY_EXPORT(addWords);
HWY_EXPORT(addReals);
HWY_EXPORT(addWordRow);
HWY_EXPORT(addRealRow);

int64_t quantize(const float *x, int64_t count, float factor, float largest, int16_t *words) {
  return HWY_DYNAMIC_DISPATCH(quantizeWords)(x, count, factor, largest, words);
}
void products(const int16_t *q, const int16_t *keys, int64_t count, int64_t dim, int32_t *scores) {
  HWY_DYNAMIC_DISPATCH(wordProducts)(q, keys, count, dim, scores);
}
void products(const int16_t *q, const int16_t *keys, int64_t count, int64_t dim, int64_t *scores) {
  HWY_DYNAMIC_DISPATCH(wideProducts)(q, keys, count, dim, scores);
}
void products(const float *q, const float *keys, int64_t count, int64_t dim, float *scores) {
  HWY_DYNAMIC_DISPATCH(realProducts)(q, keys, count, dim, scores);
}
void scale(const int32_t *scores, int64_t count, float factor, const float *bias, int64_t biasStep,
           float *x) {
  HWY_DYNAMIC_DISPATCH(scaleWords)(scores, count, factor, bias, biasStep, x);
}
void scale(const int64_t *scores, int64_t count, float factor, const float *bias, int64_t biasStep,
           float *x) {
  HWY_DYNAMIC_DISPATCH(scaleWide)(scores, count, factor, bias, biasStep, x);
}
void scale(const float *scores, int64_t count, float factor, const float *bias, int64_t biasStep,
           float *x) {
  HWY_DYNAMIC_DISPATCH(scaleReals)(scores, count, factor, bias, biasStep, x);
}
float largest(const float *x, int64_t count) { return HWY_DYNAMIC_DISPATCH(largestOf)(x, count); }
void taylorExp(float *x, int64_t count, float shift) {
  HWY_DYNAMIC_DISPATCH(expRow)(x, count, shift);
}
float sum(const float *x, int64_t count) { return HWY_DYNAMIC_DISPATCH(sumOf)(x, count); }
void divide(float *x, int64_t count, float total) {
  HWY_DYNAMIC_DISPATCH(divideRow)(x, count, total);
}
void quantizeProbabilities(const float *x, int64_t count, uint16_t *words) {
  HWY_DYNAMIC_DISPATCH(probabilityWords)(x, count, words);
}
void addTo(const uint16_t *words, int64_t count, double *sums) {
  HWY_DYNAMIC_DISPATCH(addWords)(words, count, sums);
}
void addTo(const float *x, int64_t count, double *sums) {
  HWY_DYNAMIC_DISPATCH(addReals)(x, count, sums);
}
void addRow(int32_t weight, const int16_t *row, int64_t dim, int32_t *sums) {
  HWY_DYNAMIC_DISPATCH(addWordRow)(weight, row, dim, sums);
}
void addRow(float weight, const float *row, int64_t dim, float *sums) {
  HWY_DYNAMIC_DISPATCH(addRealRow)(weight, row, dim, sums);
}

} // namespace sparsam::spatten::kernels
#endif // HWY_ONCE
