// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Units.h - strong types for cycles, bytes and energy ----------------===//
#ifndef SPARSAM_RUNTIME_KERNEL_UNITS_H
#define SPARSAM_RUNTIME_KERNEL_UNITS_H

#include <compare>
#include <cstdint>

namespace sparsam::runtime {

/// A number with a unit of measure: adding cycles to bytes does not compile.
template <typename Tag, typename Rep> struct Quantity {
  Rep value{};

  constexpr Quantity() = default;
  constexpr explicit Quantity(Rep v) : value(v) {}
  constexpr auto operator<=>(const Quantity &) const = default;
  constexpr Quantity operator+(Quantity o) const { return Quantity(value + o.value); }
  constexpr Quantity operator-(Quantity o) const { return Quantity(value - o.value); }
  constexpr Quantity &operator+=(Quantity o) {
    value += o.value;
    return *this;
  }
  constexpr Quantity operator*(Rep f) const { return Quantity(value * f); }
};

using Cycle = Quantity<struct CycleTag, int64_t>; ///< machine clock cycles
using Bytes = Quantity<struct BytesTag, int64_t>;
using Energy = Quantity<struct EnergyTag, double>; ///< picojoules

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_KERNEL_UNITS_H
