// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Analysis.h - figures of layers and of the paper without a program --===//
#ifndef SPARSAM_TARGETS_SALO_MODEL_ANALYSIS_H
#define SPARSAM_TARGETS_SALO_MODEL_ANALYSIS_H

#include "runtime/kernel/Machine.h"
#include "runtime/kernel/RecipeTable.h"
#include "targets/salo/model/Params.h"

namespace sparsam::salo {

/// The pattern that version 2 picks for given scores, with the mask in `request.tensors`; without
/// scores, the closed forms of a layer: sequence length, "window", "heads" and "dim" are given.
runtime::Result<nlohmann::ordered_json> analyze(const runtime::SimulateRequest &request,
                                                const Params &params, const runtime::Arch &arch);

/// The recipes of paper.yaml:
///   cycles(tokens, window, dim, heads), milliseconds(...), utilization(...)       version 1
///   utilization_ratio(tokens, window, dim, heads, baseline)
///   pass_ratio(head_dim)         cycles of a pass, version 1 over version 2
///   match_cycles(tokens, dim, heads), scaled_milliseconds(tokens, window, dim, heads, multipliers)
///                                version 2, 64 x 8 PEs
///   block_density(window)        most kept pairs of a block, version 2
///   exp_error()                  percent, largest of the 256 fractions
///   power()                      W
runtime::RecipeTable<Params> recipes();

} // namespace sparsam::salo

#endif // SPARSAM_TARGETS_SALO_MODEL_ANALYSIS_H
