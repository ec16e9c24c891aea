// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- TimingWalk.h - the cycles of a launch ------------------------------===//
#ifndef SPARSAM_TARGETS_STA_MODEL_TIMINGWALK_H
#define SPARSAM_TARGETS_STA_MODEL_TIMINGWALK_H

#include "runtime/kernel/Machine.h"
#include "targets/sta/model/Kernel.h"

namespace sparsam::sta {

/// Schedules a launch; nothing of it depends on data. Fills cycles, units, traffic, energy and
/// metrics. `bindings` are looked at for their sizes only.
runtime::Status walkTiming(const Kernel &kernel, const Params &params,
                           std::span<const runtime::TensorView> bindings,
                           runtime::TraceWriter *timeline, runtime::LaunchReport &report);

} // namespace sparsam::sta

#endif // SPARSAM_TARGETS_STA_MODEL_TIMINGWALK_H
