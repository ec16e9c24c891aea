// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Statistics.cpp - what calibration wants to know of Q, K, V---------===//

#include "runtime/program/Statistics.h"

#include <algorithm>
#include <cmath>

namespace sparsam::runtime {

namespace {
struct AbsMax {
  float plain = 0;
  float normalized = 0; ///< of tokens divided by their 2-norm
};
} // namespace

static AbsMax absMax(const TensorView &tensor) {
  AbsMax result;
  int64_t width = tensor.shape.empty() ? 1 : tensor.shape.back();
  const float *token = tensor.as<float>();
  for (int64_t rest = tensor.elements(); rest > 0; rest -= width, token += width) {
    float largest = 0;
    double squares = 0;
    for (int64_t i = 0; i < width; ++i) {
      largest = std::max(largest, std::abs(token[i]));
      squares += double(token[i]) * double(token[i]);
    }
    result.plain = std::max(result.plain, largest);
    // A token of zeros has no direction.
    if (squares > 0)
      result.normalized = std::max(result.normalized, largest / float(std::sqrt(squares)));
  }
  return result;
}

CalibrationStatistics attentionStatistics(const TensorView &query, const TensorView &key,
                                          const TensorView &value) {
  AbsMax q = absMax(query), k = absMax(key), v = absMax(value);
  return {{"q_absmax", q.plain},
          {"k_absmax", k.plain},
          {"v_absmax", v.plain},
          {"q_normalized_absmax", q.normalized},
          {"k_normalized_absmax", k.normalized}};
}

} // namespace sparsam::runtime
