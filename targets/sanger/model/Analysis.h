// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Analysis.h - figures of masks and of the paper without a program ---===//
#ifndef SPARSAM_TARGETS_SANGER_MODEL_ANALYSIS_H
#define SPARSAM_TARGETS_SANGER_MODEL_ANALYSIS_H

#include "runtime/kernel/Machine.h"
#include "runtime/kernel/RecipeTable.h"
#include "targets/sanger/model/Params.h"

namespace sparsam::sanger {

/// Statistics of the given masks and the closed forms at their density and load balance, or the
/// closed forms alone
/// ("density", "load-balance" and the sequence length are given).
runtime::Result<nlohmann::ordered_json> analyze(const runtime::SimulateRequest &request,
                                                const Params &params, const runtime::Arch &arch);

/// The recipes of paper.yaml:
///   compute_saving(density)
///   effective_throughput(multipliers, clock_ghz, load_balance, density)              GOP/s
///   throughput_ratio(multipliers, clock_ghz, load_balance, density, baseline)
///   bernoulli_load_balance(density, pes, tokens, heads)       of seeded masks, packed and split
///   estimator1(tokens, density, load_balance), estimator2(...)                       ms
///   power()                                                                          W
runtime::RecipeTable<Params> recipes();

} // namespace sparsam::sanger

#endif // SPARSAM_TARGETS_SANGER_MODEL_ANALYSIS_H
