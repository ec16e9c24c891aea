// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- NonFinite.cpp - inputs that no machine has words for ---------------===//

#include "runtime/units/NonFinite.h"

#include "runtime/report/Report.h"
#include "runtime/support/Parallel.h"
#include "runtime/support/Text.h"

#include <algorithm>
#include <atomic>
#include <cstring>

namespace sparsam::runtime {

/// Of so few values, in 32 bits: what compilers make vector instructions of on any processor.
static int32_t countOfPart(const float *values, int64_t count, bool isAdditiveMask) {
  constexpr uint32_t kMagnitude = 0x7fffffff, kInfinity = 0x7f800000, kMinusInfinity = 0xff800000;
  int32_t found = 0;
  for (int64_t i = 0; i < count; ++i) {
    uint32_t bits;
    std::memcpy(&bits, values + i, sizeof(bits));
    const bool hides = isAdditiveMask & (bits == kMinusInfinity);
    found += (int32_t(bits & kMagnitude) >= int32_t(kInfinity)) & !hides;
  }
  return found;
}

int64_t countNonFinite(const float *values, int64_t count, bool isAdditiveMask) {
  constexpr int64_t kPart = int64_t(1) << 16;
  std::atomic<int64_t> found{0};
  parallelFor((count + kPart - 1) / kPart, [&](int64_t part) {
    const int64_t first = part * kPart;
    found += countOfPart(values + first, std::min(kPart, count - first), isAdditiveMask);
  });
  return found;
}

void warnOfNonFinite(int64_t count, const std::string &where, const char *takenAs,
                     LaunchReport &report) {
  if (count == 0)
    return;
  report.metrics["non_finite_inputs"] = count;
  report.metrics[kWarningsMetric].push_back("there are values that are NaN or infinite (" + where +
                                            "); " + takenAs);
}

std::vector<LaunchInput> numberedInputs(unsigned count, int64_t mask) {
  std::vector<LaunchInput> inputs;
  for (int64_t i = 0; i < int64_t(count); ++i)
    inputs.push_back({"input " + std::to_string(i), i, i == mask});
  return inputs;
}

void warnOfNonFinite(std::span<const LaunchInput> inputs, std::span<const TensorView> bindings,
                     const char *takenAs, LaunchReport &report) {
  int64_t all = 0;
  std::vector<std::string> places;
  for (const LaunchInput &input : inputs) {
    if (input.binding < 0)
      continue;
    const TensorView &tensor = bindings[size_t(input.binding)];
    if (tensor.dtype != DType::f32 || !tensor.data)
      continue;
    const int64_t found =
        countNonFinite(tensor.as<float>(), tensor.elements(), input.isAdditiveMask);
    if (found > 0)
      places.push_back(std::to_string(found) + " in " + input.name);
    all += found;
  }
  warnOfNonFinite(all, join(places), takenAs, report);
}

} // namespace sparsam::runtime
