// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Statistics.h - what calibration wants to know of tensors -----------===//
//
// Internal to runtime/program.
//
#ifndef SPARSAM_RUNTIME_PROGRAM_STATISTICS_H
#define SPARSAM_RUNTIME_PROGRAM_STATISTICS_H

#include "runtime/host/HostKernel.h"
#include "runtime/program/Session.h"

namespace sparsam::runtime {

/// Statistics of one attention core from its Q, K and V (float32, one token per row of the last
/// dimension).
CalibrationStatistics attentionStatistics(const TensorView &query, const TensorView &key,
                                          const TensorView &value);

/// Adds `score_absmax`, the largest |scale * q . k|, of tensors [batch, heads, tokens, size]. Pairs
/// that an additive mask hides do not count; it broadcasts to [batch, heads, queries, keys] and may
/// have no data.
void addScoreStatistics(const TensorView &query, const TensorView &key, const TensorView &mask,
                        double scale, CalibrationStatistics &statistics);

/// Statistics of a linear layer or a normalisation that has run on these tensors; empty for other
/// ops. Errors come from the kernel that computes a product without activation and residual.
Result<CalibrationStatistics> layerStatistics(const std::string &op,
                                              const HostAttributes &attributes,
                                              const std::vector<TensorView> &inputs,
                                              const std::vector<TensorView> &outputs);

/// Takes the larger of the values that both have.
void mergeStatistics(const CalibrationStatistics &from, CalibrationStatistics &into);

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_PROGRAM_STATISTICS_H
