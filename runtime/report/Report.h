// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Report.h - what a run cost, for programs and for people ------------===//
#ifndef SPARSAM_RUNTIME_REPORT_REPORT_H
#define SPARSAM_RUNTIME_REPORT_REPORT_H

#include "runtime/program/Session.h"

#include <nlohmann/json.hpp>

#include <string>

namespace sparsam::runtime {

/// Entry of a program's provenance: a JSON object that says what pruning did to its weights, with
/// "n", "m", "bytes_before", "bytes_after" and "error".
inline constexpr const char *kWeightsProvenance = "weights";

/// Metric of a launch: sentences on what makes its results doubtful.
inline constexpr const char *kWarningsMetric = "warnings";

/// The whole report of a run:
///   producer, target, mode
///   parameters        name -> value, of the machine (absent without accelerator)
///   accelerator       cycles, seconds, instructions, dram_read_bytes, dram_written_bytes,
///   energy_picojoules,
///                     units: [{unit, busy_cycles, utilization, instructions}],
///                     energy: [{event, count, picojoules_each, picojoules, source}]
///   launches          the same per kernel, with its target-specific metrics
///   host              seconds, flops, kernels: [{op, calls, seconds, flops, bytes}] (of the host
///   model)
///   warnings          [sentence], of all launches; absent without
/// In a functional run nothing has cycles, units or energy. `arch` is null for a program without
/// accelerator.
nlohmann::ordered_json makeReport(const RunResult &result, RunMode mode, const Program &program,
                                  const Arch *arch);

/// Tables of a report made by makeReport.
std::string formatReport(const nlohmann::ordered_json &report);

/// "2:8, 1.2 MB -> 0.4 MB, error 0.6" of the object that kWeightsProvenance describes.
std::string formatWeights(const nlohmann::ordered_json &weights);

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_REPORT_REPORT_H
