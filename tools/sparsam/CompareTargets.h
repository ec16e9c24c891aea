// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CompareTargets.h - one model on many machines ----------------------===//
#ifndef SPARSAM_TOOLS_SPARSAM_COMPARETARGETS_H
#define SPARSAM_TOOLS_SPARSAM_COMPARETARGETS_H

#include "tools/sparsam/ComparedModel.h"

#include "runtime/arch/Normalize.h"

namespace sparsam::driver {

struct ComparisonRequest {
  ModelOnInputs what;
  std::vector<runtime::ComparedMachine> machines;
  std::optional<runtime::CommonGround> ground; ///< to normalize the machines to
};

/// Runs the model on every machine and once, dense, on the host:
///   model, reference   {accuracy, answers} of the dense model, with labels
///   targets            per machine target, cycles, seconds, dram_read_bytes, dram_written_bytes,
///                      energy_picojoules, area_mm2, density, busiest_unit, utilization,
///                      max_abs_error, cosine, agreement, accuracy (null where there is none),
///                      sources {figure: letter}, rests_on {figure: {letter: [parameter]}},
///                      machine {technology_nm, multipliers, clock_mhz, bandwidth_gbps}, normalized
///                      [step], warnings [sentence], outputs; or target and error
/// A machine that cannot run the model does not fail the others.
Result<Json> compareTargets(const ComparisonRequest &request);

/// The comparison as tables; with what each figure rests on if `withSources`.
std::string formatComparison(const Json &report, bool withSources);
/// One line per machine under a line of names.
std::string comparisonCsv(const Json &report);

} // namespace sparsam::driver

#endif // SPARSAM_TOOLS_SPARSAM_COMPARETARGETS_H
