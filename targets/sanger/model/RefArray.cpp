// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- RefArray.cpp - the array in float ----------------------------------===//

#include "targets/sanger/model/SparseArray.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

namespace sparsam::sanger {

namespace {

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();
constexpr kernels::RowSum kNothing = {kMinusInfinity, 0};

class RefArray final : public SparseArray {
public:
  RefArray(const ArrayShape &shape, int64_t outputElements, int64_t outputSums)
      : width_(kernels::padded(size_t(shape.stripe))),
        output_(size_t(outputElements) + kernels::kSlack), totals_(size_t(outputSums), kNothing) {}

  void loadRow(const float *source, int64_t count, float *destination) const override {
    std::memcpy(destination, source, size_t(count) * sizeof(float));
  }

  void sddmm(std::span<const Subrow> block, RowView query, RowView key, RowView bias, int64_t dims,
             float scale) override {
    place(block);
    kernels::sddmm(rows_, query, key, bias, size_t(dims), scale);
  }

  void exp() override { kernels::expRows(rows_); }

  void spmm(RowView value, int64_t dims) override {
    partialWidth_ = kernels::padded(size_t(dims));
    partials_.resize(rows_.size() * partialWidth_);
    kernels::spmm(rows_, value, size_t(dims), partials_.data());
  }

  void accumulate(OutputView output, int64_t dims) override {
    for (size_t r = 0; r < rows_.size(); ++r) {
      const kernels::ArrayRow &row = rows_[r];
      if (!(row.total.max > kMinusInfinity))
        continue; // every score of the row is -infinity: it weighs nothing
      kernels::accumulateRow(&partials_[r * partialWidth_], size_t(dims), row.total,
                             &output_[size_t(output.offset + row.query * output.stride)],
                             totals_[size_t(output.sumOffset + row.query * output.sumStride)]);
    }
  }

  void clearRow(int64_t offset, int64_t sumOffset, int64_t dims) override {
    std::fill_n(output_.begin() + offset, dims, 0.0f);
    totals_[size_t(sumOffset)] = kNothing;
  }

  void normalizeRow(int64_t offset, int64_t sumOffset, int64_t dims) override {
    if (float sum = totals_[size_t(sumOffset)].sum; sum != 0)
      kernels::divideRow(&output_[size_t(offset)], size_t(dims), sum);
    else
      std::fill_n(output_.begin() + offset, dims, 0.0f);
  }

  void readRow(int64_t offset, int64_t dims, float *destination) const override {
    std::memcpy(destination, &output_[size_t(offset)], size_t(dims) * sizeof(float));
  }

private:
  /// Gives each kept key of the block its PE.
  void place(std::span<const Subrow> block) {
    rows_.clear();
    columns_.resize(block.size() * width_);
    scores_.resize(block.size() * width_);
    for (const Subrow &subrow : block) {
      const size_t first = rows_.size() * width_;
      uint8_t *columns = &columns_[first];
      size_t count = 0;
      for (uint64_t bits = subrow.columns; bits; bits &= bits - 1)
        columns[count++] = uint8_t(std::countr_zero(bits));
      rows_.push_back({subrow.query, columns, count, &scores_[first], kNothing});
    }
  }

  size_t width_, partialWidth_ = 0;
  std::vector<kernels::ArrayRow> rows_;
  std::vector<uint8_t> columns_;
  std::vector<float> scores_, partials_;
  std::vector<float> output_;
  std::vector<kernels::RowSum> totals_; ///< of the output rows
};

} // namespace

std::unique_ptr<SparseArray> makeRefArray(const ArrayShape &shape, int64_t outputElements,
                                          int64_t outputSums) {
  return std::make_unique<RefArray>(shape, outputElements, outputSums);
}

} // namespace sparsam::sanger
