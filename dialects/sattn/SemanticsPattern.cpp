// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SemanticsPattern.cpp - patterns and the order of tokens ------------===//

#include "sattn/Semantics.h"

namespace sparsam::sattn::semantics {

Mask patternMask(PatternAttr pattern, llvm::ArrayRef<int64_t> shape) {
  Mask mask(shape);
  const int64_t part = std::max(shape[2], shape[3]) / pattern.getSegments();
  auto isGlobal = [&](int64_t token) { return llvm::is_contained(pattern.getGlobals(), token); };
  auto isInWindow = [&](int64_t i, int64_t j) {
    return i / part == j / part && llvm::any_of(pattern.getWindows(), [&](const Window &window) {
             return window.contains(j - i);
           });
  };
  for (int64_t i = 0; i < shape[2]; ++i)
    for (int64_t j = 0; j < shape[3]; ++j) {
      if (!isGlobal(i) && !isGlobal(j) && !isInWindow(i, j))
        continue;
      for (int64_t b = 0; b < shape[0]; ++b)
        for (int64_t h = 0; h < shape[1]; ++h)
          mask(b, h, i, j) = 1;
    }
  return mask;
}

Floats reorder(const Floats &x, int64_t dilation, bool inverse) {
  Floats result(x.shape);
  const int64_t part = x.shape[2] / dilation;
  for (int64_t b = 0; b < x.shape[0]; ++b)
    for (int64_t h = 0; h < x.shape[1]; ++h)
      for (int64_t t = 0; t < x.shape[2]; ++t) {
        const int64_t ordered = t % dilation * part + t / dilation; // where token t stands
        for (int64_t d = 0; d < x.shape[3]; ++d)
          (inverse ? result(b, h, t, d) : result(b, h, ordered, d)) =
              inverse ? x(b, h, ordered, d) : x(b, h, t, d);
      }
  return result;
}

} // namespace sparsam::sattn::semantics
