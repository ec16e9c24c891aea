// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Walks.h - numerics and time of a launch ----------------------------===//
#ifndef SPARSAM_TARGETS_TEMPLATE_MODEL_WALKS_H
#define SPARSAM_TARGETS_TEMPLATE_MODEL_WALKS_H

#include "runtime/kernel/Machine.h"
#include "targets/template/model/Kernel.h"

namespace sparsam::template_ {

/// Does the arithmetic of a launch on its bindings.
runtime::Status walkFunctional(const Kernel &kernel, std::span<const runtime::TensorView> bindings);

/// Schedules a launch; fills cycles, units, traffic, energy. Bindings may have no data.
runtime::Status walkTiming(const Kernel &kernel, const Params &params,
                           std::span<const runtime::TensorView> bindings,
                           runtime::TraceWriter *timeline, runtime::LaunchReport &report);

} // namespace sparsam::template_

#endif // SPARSAM_TARGETS_TEMPLATE_MODEL_WALKS_H
