// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- TimingWalk.h - the cycles of a launch ------------------------------===//
#ifndef SPARSAM_TARGETS_SANGER_MODEL_TIMINGWALK_H
#define SPARSAM_TARGETS_SANGER_MODEL_TIMINGWALK_H

#include "runtime/kernel/Machine.h"
#include "targets/sanger/model/Kernel.h"

namespace sparsam::sanger {

/// Schedules a launch whose run-time selections are `masks`; fills cycles, units, traffic, energy
/// and the metrics that only time gives. `bindings` are looked at for their sizes only.
runtime::Status walkTiming(const Kernel &kernel, const Params &params,
                           std::span<const runtime::TensorView> bindings,
                           const runtime::BitTensor &masks, runtime::TraceWriter *timeline,
                           runtime::LaunchReport &report);

} // namespace sparsam::sanger

#endif // SPARSAM_TARGETS_SANGER_MODEL_TIMINGWALK_H
