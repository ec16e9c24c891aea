// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Analysis.h - figures of workloads, masks and of the paper ----------===//
#ifndef SPARSAM_TARGETS_SPATTEN_MODEL_ANALYSIS_H
#define SPARSAM_TARGETS_SPATTEN_MODEL_ANALYSIS_H

#include "runtime/kernel/Machine.h"
#include "runtime/kernel/RecipeTable.h"
#include "targets/spatten/model/Workload.h"

namespace sparsam::spatten {

struct Params;

/// What `sparsam simulate` prints: of a workload table, of masks, or of a layer of `--seq-len`
/// tokens.
runtime::Result<nlohmann::ordered_json> analyze(const runtime::SimulateRequest &request,
                                                const Params &params, const runtime::Arch &arch);

/// Cycles by layer, traffic and throughput of a workload.
nlohmann::ordered_json analyzeWorkload(const std::vector<Request> &requests, const Params &params);

/// The recipes of paper.yaml.
runtime::RecipeTable<Params> recipes();

} // namespace sparsam::spatten

#endif // SPARSAM_TARGETS_SPATTEN_MODEL_ANALYSIS_H
