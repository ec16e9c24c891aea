// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- LinearOfOneRow.cpp - x W + b for a vector x ------------------------===//
//
// As fast as the weights can be read: each task streams through a part of them. Parts have a fixed
// size and their results are added up in a fixed order, so that the number of threads does not
// matter.
//

#include "runtime/host/Gemv.h"
#include "runtime/host/Linear.h"
#include "runtime/support/Parallel.h"

#include <algorithm>
#include <cmath>

namespace sparsam::runtime::host {

namespace {

/// What is behind the product, for elements [first, first + count).
void finish(const LinearShape &shape, int64_t first, int64_t count, const float *bias,
            const float *residual, float *y) {
  for (int64_t j = first; shape.hasBias && j < first + count; ++j)
    y[j] += bias[j];
  if (shape.activation != Activation::none)
    activate(shape.activation, y + first, count);
  for (int64_t j = first; shape.hasResidual && j < first + count; ++j)
    y[j] += residual[j];
}

/// Weights [width, depth]: a task has some rows, each a dot product.
class DotLinear : public Linear {
public:
  explicit DotLinear(const LinearShape &shape)
      : shape_(shape),
        rows_(std::max<int64_t>(8, kTaskElements / std::max<int64_t>(shape.depth, 1))) {}

  void run(const float *x, const float *weights, const float *bias, const float *residual,
           float *y) override {
    parallelFor((shape_.width + rows_ - 1) / rows_, [&](int64_t task) {
      const int64_t first = task * rows_, count = std::min(rows_, shape_.width - first);
      dotRows(x, weights + first * shape_.depth, count, shape_.depth, y + first);
      finish(shape_, first, count, bias, residual, y);
    });
  }

private:
  static constexpr int64_t kTaskElements = 64 * 1024;
  LinearShape shape_;
  int64_t rows_; ///< of a task
};

/// Weights [depth, width]: a task has some rows of a stripe of columns, and adds them up.
class SumLinear : public Linear {
public:
  explicit SumLinear(const LinearShape &shape)
      : shape_(shape), stripes_((shape.width + kStripe - 1) / kStripe),
        parts_(std::clamp<int64_t>(kTasks / std::max<int64_t>(stripes_, 1), 1,
                                   std::max<int64_t>(shape.depth / kMinRows, 1))),
        rows_((shape.depth + parts_ - 1) / parts_),
        sums_(parts_ > 1 ? size_t(parts_ * shape.width) : 0) {}

  void run(const float *x, const float *weights, const float *bias, const float *residual,
           float *y) override {
    parallelFor(stripes_ * parts_, [&](int64_t task) {
      const int64_t column = task / parts_ * kStripe, part = task % parts_;
      const int64_t width = std::min(kStripe, shape_.width - column);
      const int64_t first = std::min(part * rows_, shape_.depth);
      const int64_t count = std::min(rows_, shape_.depth - first);
      float *sum = (parts_ > 1 ? sums_.data() + part * shape_.width : y) + column;
      std::fill(sum, sum + width, 0.0f);
      addRows(x + first, weights + first * shape_.width + column, count, width, shape_.width, sum);
      if (parts_ == 1)
        finish(shape_, column, width, bias, residual, y);
    });
    if (parts_ == 1)
      return;
    parallelFor(stripes_, [&](int64_t stripe) {
      const int64_t column = stripe * kStripe, width = std::min(kStripe, shape_.width - column);
      std::copy_n(sums_.data() + column, width, y + column);
      for (int64_t part = 1; part < parts_; ++part)
        for (int64_t j = column; j < column + width; ++j)
          y[j] += sums_[size_t(part * shape_.width + j)];
      finish(shape_, column, width, bias, residual, y);
    });
  }

private:
  /// Columns of a task: sums stay in the first cache.
  static constexpr int64_t kStripe = 4096;
  /// Enough tasks for the threads to finish together.
  static constexpr int64_t kTasks = 16;
  /// A part of fewer rows is not worth its sums.
  static constexpr int64_t kMinRows = 16;
  LinearShape shape_;
  int64_t stripes_, parts_, rows_;
  std::vector<float> sums_; ///< of each part, if there are several
};

} // namespace

std::unique_ptr<Linear> createLinearOfOneRow(const LinearShape &shape) {
  if (shape.transposed)
    return std::make_unique<DotLinear>(shape);
  return std::make_unique<SumLinear>(shape);
}

} // namespace sparsam::runtime::host
