// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- FunctionalWalk.h - the numerics of a launch ------------------------===//
#ifndef SPARSAM_TARGETS_SALO_MODEL_FUNCTIONALWALK_H
#define SPARSAM_TARGETS_SALO_MODEL_FUNCTIONALWALK_H

#include "runtime/kernel/Machine.h"
#include "targets/salo/model/Kernel.h"

namespace sparsam::salo {

/// What a functional walk notes beside the results.
struct Observed {
  runtime::BitTensor pairs;  ///< (query, key) pairs that were computed
  int64_t aliasedScores = 0; ///< scores that the exponential cannot take
};

/// Computes the results of a launch. Heads are dealt out to the threads; each of them walks the
/// whole program and does the arithmetic of its heads only, so that results do not depend on the
/// number of threads.
runtime::Status walkFunctional(const Kernel &kernel, const Params &params,
                               std::span<const runtime::TensorView> bindings, Observed &observed);

} // namespace sparsam::salo

#endif // SPARSAM_TARGETS_SALO_MODEL_FUNCTIONALWALK_H
