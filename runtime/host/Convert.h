// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Convert.h - numbers from one type to another -----------------------===//
#ifndef SPARSAM_RUNTIME_HOST_CONVERT_H
#define SPARSAM_RUNTIME_HOST_CONVERT_H

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace sparsam::runtime::host {

using Half = _Float16;

/// Like a cast, but saturating where C++ leaves it undefined; not-a-number becomes integer 0.
template <typename Out, typename In> Out convert(In x) {
  if constexpr (std::is_same_v<In, Half>)
    return convert<Out>(float(x));
  else if constexpr (std::is_same_v<Out, bool>)
    return x != In(0);
  else if constexpr (std::is_floating_point_v<In> && std::is_integral_v<Out>) {
    if (std::isnan(x))
      return 0;
    if (x <= In(std::numeric_limits<Out>::min()))
      return std::numeric_limits<Out>::min();
    if (x >= In(std::numeric_limits<Out>::max()))
      return std::numeric_limits<Out>::max();
    return Out(x);
  } else
    return Out(x);
}

} // namespace sparsam::runtime::host

#endif // SPARSAM_RUNTIME_HOST_CONVERT_H
