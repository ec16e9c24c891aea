// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- RtlArray.cpp - the array in the fixed point of its hardware --------===//
//
// Words of Q, K and V are rounded when they are loaded (half to even) and saturate. A PE adds
// products in ascending dimension, the accumulators hold twice the word's fraction bits and
// saturate at every addition. Right shifts drop bits (towards minus infinity), the divider rounds
// towards zero. Rounding and saturation are assumed: only the exp unit is published bit by bit.
//

#include "targets/sanger/model/ExpUnit.h"
#include "targets/sanger/model/SparseArray.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace sparsam::sanger {

namespace {

/// Fraction bits of the constant that scales scores.
constexpr int kScaleFraction = 16;

/// Products and shifted sums may take more than 64 bits before they saturate.
__extension__ typedef __int128 Wide;

Wide shifted(Wide value, int left) { return left >= 0 ? value << left : value >> -left; }

class RtlArray final : public SparseArray {
public:
  RtlArray(const ArrayShape &shape, const FixedPointFormat &format, int64_t outputElements,
           int64_t outputSums)
      : shape_(shape), format_(format),
        expUnit_(format.expBits, format.expFraction, format.isExpSigned, format.isExpSaturating),
        wordScale_(float(std::ldexp(1.0, format.wordFraction))),
        largestWord_((int64_t(1) << (format.wordBits - 1)) - 1),
        largestSum_((int64_t(1) << (format.accumulatorBits - 1)) - 1),
        output_(size_t(outputElements)), sums_(size_t(outputSums)) {}

  void loadRow(const float *source, int64_t count, float *destination) const override {
    for (int64_t i = 0; i < count; ++i) {
      float scaled = std::nearbyint(source[i] * wordScale_);
      float limit = float(largestWord_);
      float word = std::isnan(scaled) ? 0.0f : std::clamp(scaled, -limit - 1, limit);
      destination[i] = word / wordScale_;
    }
  }

  void sddmm(std::span<const Subrow> block, RowView query, RowView key, RowView bias, int64_t dims,
             float scale) override {
    rows_.clear();
    scores_.assign(block.size() * size_t(shape_.stripe), 0);
    queryWords_.resize(size_t(dims));
    const int64_t factor = std::llround(std::ldexp(double(scale), kScaleFraction));
    for (const Subrow &subrow : block) {
      for (int64_t k = 0; k < dims; ++k)
        queryWords_[size_t(k)] = wordOf(query.row(subrow.query)[k]);
      int64_t *scores = &scores_[rows_.size() * size_t(shape_.stripe)];
      size_t count = 0;
      for (uint64_t bits = subrow.columns; bits; bits &= bits - 1) {
        int column = std::countr_zero(bits);
        Wide score = Wide(dot(key.row(column), dims)) * factor >> kScaleFraction;
        if (bias.data)
          score += sumOf(bias.row(subrow.query)[column]);
        scores[count++] = saturate(score);
      }
      rows_.push_back({subrow.query, subrow.columns, count, 0});
    }
  }

  void exp() override {
    const int64_t largest = (int64_t(1) << (format_.expBits - 1)) - 1;
    for (size_t r = 0; r < rows_.size(); ++r) {
      int64_t *scores = &scores_[r * size_t(shape_.stripe)];
      rows_[r].sum = 0;
      for (size_t i = 0; i < rows_[r].count; ++i) {
        Wide x = shifted(scores[i], format_.expFraction - 2 * format_.wordFraction);
        bool isOverflow = x > largest;
        scores[i] = expUnit_(int64_t(std::clamp<Wide>(x, -largest - 1, largest)), &isOverflow);
        overflows_.scores += isOverflow;
        rows_[r].sum = addUp(rows_[r].sum, scores[i]);
      }
    }
  }

  void spmm(RowView value, int64_t dims) override {
    partials_.assign(rows_.size() * size_t(dims), 0);
    const int drop =
        format_.wordFraction - format_.expFraction; // products to accumulator fraction bits
    for (size_t r = 0; r < rows_.size(); ++r) {
      int64_t *partial = &partials_[r * size_t(dims)];
      const int64_t *weight = &scores_[r * size_t(shape_.stripe)];
      for (uint64_t bits = rows_[r].columns; bits; bits &= bits - 1, ++weight) {
        const float *v = value.row(std::countr_zero(bits));
        for (int64_t k = 0; k < dims; ++k)
          partial[k] = addUp(partial[k], shifted(Wide(*weight) * wordOf(v[k]), drop));
      }
    }
  }

  void accumulate(OutputView output, int64_t dims) override {
    for (size_t r = 0; r < rows_.size(); ++r) {
      int64_t *row = &output_[size_t(output.offset + rows_[r].query * output.stride)];
      int64_t &sum = sums_[size_t(output.sumOffset + rows_[r].query * output.sumStride)];
      for (int64_t k = 0; k < dims; ++k)
        row[k] = addUp(row[k], partials_[r * size_t(dims) + size_t(k)]);
      sum = addUp(sum, rows_[r].sum);
    }
  }

  void clearRow(int64_t offset, int64_t sumOffset, int64_t dims) override {
    std::fill_n(output_.begin() + offset, dims, 0);
    sums_[size_t(sumOffset)] = 0;
  }

  void normalizeRow(int64_t offset, int64_t sumOffset, int64_t dims) override {
    int64_t sum = sums_[size_t(sumOffset)];
    // Quotients have the word's fraction bits: (2 wordFraction) + (expFraction - wordFraction) -
    // expFraction.
    const int up = format_.expFraction - format_.wordFraction;
    for (int64_t k = 0; k < dims; ++k) {
      int64_t &x = output_[size_t(offset + k)];
      Wide quotient = sum == 0 ? 0 : shifted(x, up) / sum;
      x = int64_t(std::clamp<Wide>(quotient, -largestWord_ - 1, largestWord_));
    }
  }

  void readRow(int64_t offset, int64_t dims, float *destination) const override {
    for (int64_t k = 0; k < dims; ++k)
      destination[k] = float(output_[size_t(offset + k)]) / wordScale_;
  }

  Overflows overflows() const override { return overflows_; }

private:
  struct Row {
    int64_t query;
    uint64_t columns;
    size_t count;
    int64_t sum;
  };

  int64_t wordOf(float x) const { return int64_t(x * wordScale_); } // exact: loadRow has rounded
  int64_t saturate(int64_t x) const { return std::clamp(x, -largestSum_ - 1, largestSum_); }
  int64_t saturate(Wide x) const {
    return int64_t(std::clamp<Wide>(x, -largestSum_ - 1, largestSum_));
  }
  /// A sum of exponentials, which it counts if it saturates.
  int64_t addUp(int64_t sum, Wide x) {
    const Wide exact = sum + x;
    const int64_t result = saturate(exact);
    overflows_.sums += result != exact;
    return result;
  }
  /// A bias in the accumulators' format.
  int64_t sumOf(float x) const {
    double scaled = std::nearbyint(std::ldexp(double(x), 2 * format_.wordFraction));
    if (std::isnan(scaled))
      return 0;
    return int64_t(std::clamp(scaled, -double(largestSum_) - 1, double(largestSum_)));
  }
  int64_t dot(const float *key, int64_t dims) const {
    int64_t sum = 0;
    for (int64_t k = 0; k < dims; ++k)
      sum = saturate(sum + queryWords_[size_t(k)] * wordOf(key[k]));
    return sum;
  }

  ArrayShape shape_;
  FixedPointFormat format_;
  ExpUnit expUnit_;
  float wordScale_;
  int64_t largestWord_, largestSum_;
  std::vector<Row> rows_;
  std::vector<int64_t> queryWords_, scores_, partials_;
  std::vector<int64_t> output_, sums_;
  Overflows overflows_;
};

} // namespace

std::unique_ptr<SparseArray> makeRtlArray(const ArrayShape &shape, const FixedPointFormat &format,
                                          int64_t outputElements, int64_t outputSums) {
  return std::make_unique<RtlArray>(shape, format, outputElements, outputSums);
}

} // namespace sparsam::sanger
