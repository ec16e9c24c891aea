// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Placement.h - what runs on the target, and what on the host --------===//
#ifndef SPARSAM_PLACEMENT_H
#define SPARSAM_PLACEMENT_H

#include "llvm/ADT/StringRef.h"

namespace sparsam {

/// What `sattn-sparsify` does with attention.
enum class SparsifyMode {
  sparse, ///< on the target, with its selection policy
  dense,  ///< on the target, keeping every pair
  host,   ///< not on a target
};

/// Discardable attribute of an op: the target that runs it. `sattn-sparsify` sets it on attention, a
/// target's preparation passes on whatever else the machine runs. Without it an op runs on the host.
inline constexpr llvm::StringLiteral kTargetAttr = "sattn.target";

/// Discardable attribute of an op with `sattn.target`: the kernel it becomes a part of, together with
/// all others of that name. Attention without it makes a kernel of its own.
inline constexpr llvm::StringLiteral kKernelAttr = "sattn.kernel";

} // namespace sparsam

#endif // SPARSAM_PLACEMENT_H
