// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Paper.h - published results of a design ----------------------------===//
#ifndef SPARSAM_TOOLS_SPARSAM_PAPER_H
#define SPARSAM_TOOLS_SPARSAM_PAPER_H

#include "tools/sparsam/Common.h"

#include "runtime/kernel/Machine.h"

namespace sparsam::driver {

/// The rows of a target's paper.yaml, those with a recipe evaluated at the target's default
/// parameters. Errors name the row.
Result<std::vector<runtime::PaperRow>> evaluatePaper(const std::string &target,
                                                     const runtime::TargetModel &model);

/// Fails if one of the rows misses what was published.
Status expectMet(const std::vector<runtime::PaperRow> &rows);

} // namespace sparsam::driver

#endif // SPARSAM_TOOLS_SPARSAM_PAPER_H
