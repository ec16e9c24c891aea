// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Statistics.h - what calibration wants to know of Q, K, V-----------===//
//
// Internal to runtime/program.
//
#ifndef SPARSAM_RUNTIME_PROGRAM_STATISTICS_H
#define SPARSAM_RUNTIME_PROGRAM_STATISTICS_H

#include "runtime/program/Session.h"

namespace sparsam::runtime {

/// Statistics of one attention core from its Q, K and V (float32, one token per row of the last
/// dimension).
CalibrationStatistics attentionStatistics(const TensorView &query, const TensorView &key,
                                          const TensorView &value);

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_PROGRAM_STATISTICS_H
