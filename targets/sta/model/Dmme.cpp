// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Dmme.cpp - the diverse matrix multiplication engine ----------------===//

#include "targets/sta/model/Dmme.h"

#include "runtime/support/Parallel.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>

namespace sparsam::sta {

using namespace runtime;

/// Multiplications worth another thread.
static constexpr size_t kParallelWork = 1 << 18;
/// Rows that one thread takes at a time.
static constexpr size_t kRowGroup = 16;

template <typename Domain> void Factors<Domain>::measure() {
  if constexpr (Domain::isFixed)
    for (size_t r = 0; r < rows; ++r) {
      int64_t sum = 0;
      for (size_t i = 0; i < count; ++i)
        sum += std::abs(int64_t(factors[r * count + i]));
      largestSum = std::max(largestSum, sum);
    }
}

/// For sums that may leave 32 bits.
static void multiplyWide(const Product &p, const int32_t *factors, const int32_t *columns,
                         int64_t *sums) {
  for (size_t r = 0; r < p.rows; ++r)
    for (size_t i = 0; i < p.count; ++i) {
      const size_t at = p.positions ? p.positions[r * p.count + i] : i;
      for (size_t c = 0; c < p.width; ++c)
        sums[r * p.width + c] +=
            int64_t(factors[r * p.count + i]) * columns[at * p.width + c] >> p.shift;
    }
}

static void multiplyRows(const Product &p, const float *factors, const float *columns, float *sums,
                         bool) {
  accumulate(p, factors, columns, sums);
}
static void multiplyRows(const Product &p, const int32_t *factors, const int32_t *columns,
                         int64_t *sums, bool isNarrow) {
  if (!isNarrow)
    return multiplyWide(p, factors, columns, sums);
  thread_local std::vector<int32_t> partial;
  partial.assign(p.rows * p.width, 0);
  accumulate(p, factors, columns, partial.data());
  for (size_t i = 0; i < partial.size(); ++i)
    sums[i] += partial[i];
}

template <typename Domain>
void multiply(const Factors<Domain> &factors, const Columns<Domain> &columns, int shift,
              std::vector<typename Domain::Sum> &sums) {
  const size_t width = columns.width(), groups = (factors.rows + kRowGroup - 1) / kRowGroup;
  // Rounding down makes each product at most 1 larger in magnitude.
  const bool isNarrow = std::ldexp(double(factors.largestSum) * double(columns.largest), -shift) +
                            double(factors.count) <
                        2147483648.0;
  auto work = [&](int64_t group) {
    const size_t first = size_t(group) * kRowGroup;
    Product product{std::min(kRowGroup, factors.rows - first), factors.count, width, shift,
                    nullptr};
    if (!factors.positions.empty())
      product.positions = factors.positions.data() + first * factors.count;
    multiplyRows(product, factors.factors.data() + first * factors.count, columns.data.data(),
                 sums.data() + first * width, isNarrow);
  };
  if (factors.rows * factors.count * width >= kParallelWork)
    return parallelFor(int64_t(groups), work);
  for (size_t group = 0; group < groups; ++group)
    work(int64_t(group));
}

template <typename Domain>
const Columns<Domain> &ColumnCache<Domain>::get(int64_t offset, int64_t rows, int64_t cols,
                                                int64_t rowStride) {
  for (const auto &entry : entries_)
    if (entry->offset == offset && int64_t(entry->rows) == rows && int64_t(entry->cols) == cols &&
        entry->rowStride == rowStride)
      return *entry;
  auto entry = std::make_unique<Columns<Domain>>();
  entry->offset = offset;
  entry->rowStride = rowStride;
  entry->rows = size_t(rows);
  entry->cols = size_t(cols);
  const size_t width = entry->width();
  entry->data.assign(size_t(cols) * width, 0);
  for (size_t t = 0; t < entry->rows; ++t) {
    const Word *row = &activation_[size_t(offset) + t * size_t(rowStride)];
    for (size_t k = 0; k < entry->cols; ++k) {
      entry->data[k * width + t] = row[k];
      if constexpr (Domain::isFixed)
        entry->largest = std::max<int64_t>(entry->largest, std::abs(int64_t(row[k])));
    }
  }
  entries_.push_back(std::move(entry));
  return *entries_.back();
}

template <typename Domain> void ColumnCache<Domain>::overwrite(int64_t begin, int64_t end) {
  std::erase_if(entries_, [&](const auto &entry) {
    const int64_t last =
        entry->offset + (int64_t(entry->rows) - 1) * entry->rowStride + int64_t(entry->cols);
    return entry->offset < end && begin < last;
  });
}

Status selectPositions(const Geometry &geometry, const uint16_t *bitmaps, size_t rows, size_t cols,
                       size_t rowStride, std::vector<uint16_t> &positions) {
  positions.clear();
  positions.reserve(rows * cols * size_t(geometry.n));
  for (size_t r = 0; r < rows; ++r)
    for (size_t g = 0; g < cols; ++g) {
      uint32_t bitmap = bitmaps[r * rowStride + g];
      if (std::popcount(bitmap) != geometry.n || bitmap >> geometry.m != 0)
        return makeError("the bitmap of row ", r, ", group ", g, " keeps ", std::popcount(bitmap),
                         " of ", geometry.m, " positions, not n = ", geometry.n);
      for (; bitmap; bitmap &= bitmap - 1)
        positions.push_back(uint16_t(g * size_t(geometry.m) + size_t(std::countr_zero(bitmap))));
    }
  return Status();
}

template struct Factors<FixedDomain>;
template struct Factors<FloatDomain>;
template class ColumnCache<FixedDomain>;
template class ColumnCache<FloatDomain>;
template void multiply(const Factors<FixedDomain> &, const Columns<FixedDomain> &, int,
                       std::vector<int64_t> &);
template void multiply(const Factors<FloatDomain> &, const Columns<FloatDomain> &, int,
                       std::vector<float> &);

} // namespace sparsam::sta
