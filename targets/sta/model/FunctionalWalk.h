// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- FunctionalWalk.h - the numerics of a launch ------------------------===//
#ifndef SPARSAM_TARGETS_STA_MODEL_FUNCTIONALWALK_H
#define SPARSAM_TARGETS_STA_MODEL_FUNCTIONALWALK_H

#include "runtime/program/Tensor.h"
#include "targets/sta/model/Kernel.h"

#include <span>

namespace sparsam::sta {

/// What a launch says about its data.
struct Events {
  int64_t maskedRows = 0; ///< rows of scores with nothing to attend to; they became zeros
};

/// Computes the results of a launch from its inputs.
runtime::Status walkFunctional(const Kernel &kernel, const Params &params,
                               std::span<const runtime::TensorView> bindings, Events &events);

} // namespace sparsam::sta

#endif // SPARSAM_TARGETS_STA_MODEL_FUNCTIONALWALK_H
