// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- FunctionalWalk.h - the numerics of a launch ------------------------===//
#ifndef SPARSAM_TARGETS_SPATTEN_MODEL_FUNCTIONALWALK_H
#define SPARSAM_TARGETS_SPATTEN_MODEL_FUNCTIONALWALK_H

#include "runtime/kernel/Machine.h"
#include "targets/spatten/model/Decisions.h"

namespace sparsam::spatten {

/// Computes the results of a launch and records what it decides. Heads are computed on all threads;
/// rankings and sums follow when they are done, in a fixed order.
runtime::Status walkFunctional(const Kernel &kernel, const Params &params,
                               std::span<const runtime::TensorView> bindings, Decisions &decisions);

} // namespace sparsam::spatten

#endif // SPARSAM_TARGETS_SPATTEN_MODEL_FUNCTIONALWALK_H
