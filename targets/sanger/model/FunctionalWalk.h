// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- FunctionalWalk.h - the numerics of a launch ------------------------===//
#ifndef SPARSAM_TARGETS_SANGER_MODEL_FUNCTIONALWALK_H
#define SPARSAM_TARGETS_SANGER_MODEL_FUNCTIONALWALK_H

#include "runtime/kernel/Machine.h"
#include "targets/sanger/model/Kernel.h"
#include "targets/sanger/model/SparseArray.h"

namespace sparsam::sanger {

/// Where a functional walk leaves its masks.
struct Observed {
  runtime::BitTensor executed;
  runtime::BitTensor predicted; ///< before the policy for empty rows; only on request
  runtime::BitTensor valid;     ///< [batch, 1, 1, keys]: keys that the bias shows to some query
  Overflows overflows;
};

/// Computes the results of a launch. Heads are dealt out to the threads; each of them walks the
/// whole program and does the arithmetic of its heads only, so that results do not depend on the
/// number of threads.
runtime::Status walkFunctional(const Kernel &kernel, const Params &params,
                               std::span<const runtime::TensorView> bindings, bool recordPredicted,
                               Observed &observed);

} // namespace sparsam::sanger

#endif // SPARSAM_TARGETS_SANGER_MODEL_FUNCTIONALWALK_H
