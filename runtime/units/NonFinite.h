// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- NonFinite.h - inputs that no machine has words for -----------------===//
#ifndef SPARSAM_RUNTIME_UNITS_NONFINITE_H
#define SPARSAM_RUNTIME_UNITS_NONFINITE_H

#include "runtime/kernel/Machine.h"

#include <span>
#include <string>
#include <vector>

namespace sparsam::runtime {

/// A tensor that a launch reads, as warnings call it.
struct LaunchInput {
  std::string name;
  int64_t binding = -1;        ///< -1: there is none
  bool isAdditiveMask = false; ///< -infinity hides a key there, and is a value like others
};

/// What becomes of NaN and infinity in fixed point, and in a model that computes in float.
inline constexpr const char *kTakenAsWords =
    "the machine's words have neither: NaN is taken as 0, infinity as the largest word";
inline constexpr const char *kTakenAsFloats =
    "results that they enter are wrong, though they may be finite";

/// The first `count` bindings, called "input 0" and so on; `mask` is the additive mask among them
/// (-1: none).
std::vector<LaunchInput> numberedInputs(unsigned count, int64_t mask);

/// How many of `values` are NaN or infinite; in an additive mask -infinity is neither.
int64_t countNonFinite(const float *values, int64_t count, bool isAdditiveMask = false);

/// Warns in `report` of `count` values that are NaN or infinite: where they are, and what they are
/// taken as. Nothing happens for none.
void warnOfNonFinite(int64_t count, const std::string &where, const char *takenAs,
                     LaunchReport &report);

/// Warns in `report` of values of float32 `inputs` that are NaN or infinite: how many, of which
/// tensor, and what they are taken as. Inputs without data are not looked at.
void warnOfNonFinite(std::span<const LaunchInput> inputs, std::span<const TensorView> bindings,
                     const char *takenAs, LaunchReport &report);

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_UNITS_NONFINITE_H
