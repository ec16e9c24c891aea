// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- HiddenKeys.h - what an additive mask hides -------------------------===//
#ifndef SPARSAM_RUNTIME_UNITS_HIDDENKEYS_H
#define SPARSAM_RUNTIME_UNITS_HIDDENKEYS_H

namespace sparsam::runtime {

/// What an additive mask gives to a key that it hides, or less: the largest that exporters use.
/// [R modeling_bert]
constexpr float kHidesKey = -10000.0f;

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_UNITS_HIDDENKEYS_H
