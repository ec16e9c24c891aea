// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- TimingWalk.h - the cycles of a launch ------------------------------===//
#ifndef SPARSAM_TARGETS_SPATTEN_MODEL_TIMINGWALK_H
#define SPARSAM_TARGETS_SPATTEN_MODEL_TIMINGWALK_H

#include "runtime/kernel/Machine.h"
#include "targets/spatten/model/Decisions.h"

namespace sparsam::spatten {

/// Schedules a launch whose decisions are known. `bindings` may have no data.
runtime::Status walkTiming(const Kernel &kernel, const Params &params,
                           std::span<const runtime::TensorView> bindings,
                           const Decisions &decisions, runtime::TraceWriter *timeline,
                           runtime::LaunchReport &report);

/// E = P * t by module, and the DRAM's apart.
std::vector<runtime::EnergyUse> energyOf(const Params &params, int64_t cycles, int64_t dramBytes);

} // namespace sparsam::spatten

#endif // SPARSAM_TARGETS_SPATTEN_MODEL_TIMINGWALK_H
