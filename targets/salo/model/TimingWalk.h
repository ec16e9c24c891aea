// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- TimingWalk.h - the cycles of a launch ------------------------------===//
#ifndef SPARSAM_TARGETS_SALO_MODEL_TIMINGWALK_H
#define SPARSAM_TARGETS_SALO_MODEL_TIMINGWALK_H

#include "runtime/kernel/Machine.h"
#include "targets/salo/model/Kernel.h"

namespace sparsam::salo {

/// Schedules a launch; fills cycles, units, traffic, energy and the metrics that only time gives.
/// Nothing that the machine does depends on data. `bindings` are looked at for their sizes only.
runtime::Status walkTiming(const Kernel &kernel, const Params &params,
                           std::span<const runtime::TensorView> bindings,
                           runtime::TraceWriter *timeline, runtime::LaunchReport &report);

} // namespace sparsam::salo

#endif // SPARSAM_TARGETS_SALO_MODEL_TIMINGWALK_H
