// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- RowPipe.cpp - one query of one head through the pipe ---------------===//

#include "targets/spatten/model/RowPipe.h"

#include "runtime/units/NonFinite.h"
#include "targets/spatten/model/RowKernels.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sparsam::spatten {

template <typename T>
void RowPipe::keepLargest(std::span<const T> probabilities, int64_t values, const PivotRule &pivot,
                          uint64_t stream, Fifos<T> &fifos) {
  const int64_t count = int64_t(probabilities.size());
  decisions_.keepsValue.assign(probabilities.size(), 1);
  decisions_.rounds.clear();
  decisions_.keptValues = std::min(count, values);
  if (values >= count)
    return;
  Threshold<T> threshold = quickSelect(probabilities, values, Pivots(pivot, stream), fifos);
  int64_t equal = 0;
  for (size_t j = 0; j < probabilities.size(); ++j) {
    const bool isEqual = probabilities[j] == threshold.theta;
    equal += isEqual;
    decisions_.keepsValue[j] =
        isEqual ? equal <= threshold.equalToKeep : probabilities[j] > threshold.theta;
  }
  decisions_.rounds = std::move(threshold.rounds);
}

void RowPipe::seeNothing(float *output, int64_t size) {
  decisions_ = {};
  std::fill_n(output, size, 0.0f);
}

namespace {

constexpr int kWordBits = 12; ///< on-chip words of Q, K, V, prob and outputs [P IV]

float largestWord(int64_t bits) { return float((int64_t(1) << (bits - 1)) - 1); }

//===-- Words --------------------------------------------------------------===//

class WordPipe final : public RowPipe {
public:
  explicit WordPipe(const PipeFormat &format)
      : f_(format), keyBits_(f_.msbBits + f_.lsbBits),
        isProgressive_(f_.lsbBits > 0 && !f_.forceLsb && f_.allowsLsb),
        queryScale_(f_.queryRange / largestWord(kWordBits)),
        keyScale_(f_.keyRange / largestWord(keyBits_)),
        valueScale_(f_.valueRange / largestWord(f_.valueBits)),
        factor_(float(double(queryScale_) * double(keyScale_) * double(f_.scale))),
        // Values lie left-aligned in their words. [R MatrixFetcher]
        valueShift_(std::max<int64_t>(kWordBits - f_.valueBits, 0)),
        outputScale_(float(double(valueScale_) / double(int64_t(1) << valueShift_))),
        needsWideSums_(double(largestWord(kWordBits)) * double(largestWord(keyBits_)) *
                           double(f_.headDim) >=
                       2147483648.0),
        query_(size_t(f_.headDim)), sums_(size_t(f_.headDim)) {}

  void reserve(int64_t slots) override {
    keys_.resize(size_t(slots * f_.headDim));
    values_.resize(size_t(slots * f_.headDim));
    if (isProgressive_)
      highKeys_.resize(keys_.size());
  }

  void loadKeys(const float *rows, int64_t count, int64_t slot) override {
    int16_t *words = &keys_[size_t(slot * f_.headDim)];
    const int64_t size = count * f_.headDim;
    nonFinite_ += kernels::quantize(rows, size, 1.0f / keyScale_, largestWord(keyBits_), words);
    if (!isProgressive_)
      return;
    int16_t *high = &highKeys_[size_t(slot * f_.headDim)];
    for (int64_t i = 0; i < size; ++i) // the low bits read as zero [R MatrixFetcher]
      high[i] = int16_t(words[i] >> f_.lsbBits << f_.lsbBits);
  }

  void loadValues(const float *rows, int64_t count, int64_t slot) override {
    int16_t *words = &values_[size_t(slot * f_.headDim)];
    const int64_t size = count * f_.headDim;
    nonFinite_ +=
        kernels::quantize(rows, size, 1.0f / valueScale_, largestWord(f_.valueBits), words);
    for (int64_t i = 0; i < size; ++i)
      words[i] = int16_t(words[i] * (1 << valueShift_));
  }

  void run(const float *query, const RowKeys &keys, float *output, double *tokenSums,
           double *headSum) override {
    if (keys.count == 0)
      return seeNothing(output, f_.headDim);
    nonFinite_ += kernels::quantize(query, f_.headDim, 1.0f / queryScale_, largestWord(kWordBits),
                                    query_.data());
    float likeliest = softmax(isProgressive_ ? highKeys_ : keys_, keys);
    decisions_.needsLsb =
        isProgressive_ && likeliest < f_.threshold; // strictly [R RequantDecision]
    if (decisions_.needsLsb)
      softmax(keys_, keys);
    words_.resize(size_t(keys.count));
    kernels::quantizeProbabilities(row_.data(), keys.count, words_.data());
    if (tokenSums)
      kernels::addTo(words_.data(), keys.count, tokenSums);
    keepLargest(std::span<const uint16_t>(words_), f_.values, f_.pivot, keys.stream, fifos_);
    mix(keys, output, headSum);
  }

  double tokenUnit() const override { return 1.0 / 4096; }
  double headUnit() const override { return double(outputScale_); }

private:
  /// Probabilities into row_; returns the largest of them.
  float softmax(const std::vector<int16_t> &words, const RowKeys &keys) {
    row_.resize(size_t(keys.count));
    if (needsWideSums_)
      score(wideScores_, words, keys);
    else
      score(scores_, words, keys);
    const float largest = kernels::largest(row_.data(), keys.count);
    if (!(largest > -std::numeric_limits<float>::infinity())) {
      std::fill(row_.begin(), row_.end(), 0.0f);
      return 0;
    }
    kernels::taylorExp(row_.data(), keys.count, largest);
    const float total = kernels::sum(row_.data(), keys.count);
    kernels::divide(row_.data(), keys.count, total);
    return kernels::largest(row_.data(), keys.count);
  }

  template <typename Sum>
  void score(std::vector<Sum> &scores, const std::vector<int16_t> &words, const RowKeys &keys) {
    scores.resize(size_t(keys.count));
    kernels::products(query_.data(), &words[size_t(keys.first * f_.headDim)], keys.count,
                      f_.headDim, scores.data());
    kernels::scale(scores.data(), keys.count, factor_, keys.bias, keys.biasStep, row_.data());
  }

  /// prob x V: exact sums, shifted to words of the output's scale, half up, saturating.
  void mix(const RowKeys &keys, float *output, double *headSum) {
    std::fill(sums_.begin(), sums_.end(), 0);
    for (int64_t j = 0; j < keys.count; ++j)
      if (decisions_.keepsValue[size_t(j)] && words_[size_t(j)] != 0)
        kernels::addRow(int32_t(words_[size_t(j)]), &values_[size_t((keys.first + j) * f_.headDim)],
                        f_.headDim, sums_.data());
    int64_t magnitude = 0;
    constexpr int32_t kLargest = (1 << (kWordBits - 1)) - 1;
    for (int64_t d = 0; d < f_.headDim; ++d) {
      int32_t word = (sums_[size_t(d)] + (1 << (kWordBits - 1))) >> kWordBits;
      word = std::clamp(word, -kLargest - 1, kLargest);
      magnitude += std::abs(word);
      output[d] = float(word) * outputScale_;
    }
    if (headSum)
      *headSum += double(magnitude);
  }

  PipeFormat f_;
  int64_t keyBits_;
  bool isProgressive_;
  float queryScale_, keyScale_, valueScale_, factor_;
  int64_t valueShift_;
  float outputScale_;
  bool needsWideSums_; ///< the exact sum of products can exceed 32 bits
  std::vector<int16_t> query_, keys_, highKeys_, values_;
  std::vector<int32_t> scores_, sums_;
  std::vector<int64_t> wideScores_;
  std::vector<float> row_;
  std::vector<uint16_t> words_;
  Fifos<uint16_t> fifos_;
};

//===-- Floats -------------------------------------------------------------===//

class ExactPipe final : public RowPipe {
public:
  explicit ExactPipe(const PipeFormat &format) : f_(format) {}

  void reserve(int64_t slots) override {
    keys_.resize(size_t(slots * f_.headDim));
    values_.resize(size_t(slots * f_.headDim));
  }
  void loadKeys(const float *rows, int64_t count, int64_t slot) override {
    load(rows, count, slot, keys_);
  }
  void loadValues(const float *rows, int64_t count, int64_t slot) override {
    load(rows, count, slot, values_);
  }

  void run(const float *query, const RowKeys &keys, float *output, double *tokenSums,
           double *headSum) override {
    if (keys.count == 0)
      return seeNothing(output, f_.headDim);
    nonFinite_ += runtime::countNonFinite(query, f_.headDim);
    row_.resize(size_t(keys.count));
    kernels::products(query, &keys_[size_t(keys.first * f_.headDim)], keys.count, f_.headDim,
                      row_.data());
    kernels::scale(row_.data(), keys.count, f_.scale, keys.bias, keys.biasStep, row_.data());
    softmax();
    const float likeliest = kernels::largest(row_.data(), keys.count);
    decisions_.needsLsb =
        f_.lsbBits > 0 && !f_.forceLsb && f_.allowsLsb && likeliest < f_.threshold;
    if (tokenSums)
      kernels::addTo(row_.data(), keys.count, tokenSums);
    keepLargest(std::span<const float>(row_), f_.values, f_.pivot, keys.stream, fifos_);
    std::fill_n(output, f_.headDim, 0.0f);
    for (int64_t j = 0; j < keys.count; ++j)
      if (decisions_.keepsValue[size_t(j)])
        kernels::addRow(row_[size_t(j)], &values_[size_t((keys.first + j) * f_.headDim)],
                        f_.headDim, output);
    for (int64_t d = 0; headSum && d < f_.headDim; ++d)
      *headSum += double(std::abs(output[d]));
  }

  double tokenUnit() const override { return 1; }
  double headUnit() const override { return 1; }

private:
  void load(const float *rows, int64_t count, int64_t slot, std::vector<float> &memory) {
    nonFinite_ += runtime::countNonFinite(rows, count * f_.headDim);
    std::copy_n(rows, count * f_.headDim, &memory[size_t(slot * f_.headDim)]);
  }
  void softmax() {
    const int64_t count = int64_t(row_.size());
    const float largest = kernels::largest(row_.data(), count);
    if (!(largest > -std::numeric_limits<float>::infinity())) {
      std::fill(row_.begin(), row_.end(), 0.0f);
      return;
    }
    for (float &x : row_)
      x = std::exp(x - largest);
    kernels::divide(row_.data(), count, kernels::sum(row_.data(), count));
  }

  PipeFormat f_;
  std::vector<float> keys_, values_, row_;
  Fifos<float> fifos_;
};

} // namespace

std::unique_ptr<RowPipe> makeWordPipe(const PipeFormat &format) {
  return std::make_unique<WordPipe>(format);
}
std::unique_ptr<RowPipe> makeExactPipe(const PipeFormat &format) {
  return std::make_unique<ExactPipe>(format);
}

} // namespace sparsam::spatten
