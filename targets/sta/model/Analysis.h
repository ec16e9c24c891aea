// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Analysis.h - figures by formula, without a program -----------------===//
#ifndef SPARSAM_TARGETS_STA_MODEL_ANALYSIS_H
#define SPARSAM_TARGETS_STA_MODEL_ANALYSIS_H

#include "runtime/kernel/Machine.h"
#include "runtime/kernel/RecipeTable.h"
#include "targets/sta/model/Params.h"

namespace sparsam::sta {

/// Cycles, bytes and speed-up of a model of `layers` encoder layers.
runtime::Result<nlohmann::ordered_json> analyze(const runtime::SimulateRequest &request,
                                                const Params &params, const runtime::Arch &arch);

/// The recipes of paper.yaml.
runtime::RecipeTable<Params> recipes();

} // namespace sparsam::sta

#endif // SPARSAM_TARGETS_STA_MODEL_ANALYSIS_H
