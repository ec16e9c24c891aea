// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ReportTables.cpp - what a run cost, as tables ----------------------===//

#include "runtime/report/Report.h"

#include "runtime/report/Table.h"
#include "runtime/support/Text.h"

#include <algorithm>
#include <cstdio>

namespace sparsam::runtime {

using Json = nlohmann::ordered_json;

static std::string text(const Json &value) {
  if (value.is_number_integer())
    return groupDigits(value.get<int64_t>());
  if (value.is_number()) {
    char number[32];
    std::snprintf(number, sizeof number, "%.4g", value.get<double>());
    return number;
  }
  return value.is_string() ? value.get<std::string>() : value.dump();
}

/// Names of the scalar metrics that the launches have, in order of their first appearance.
static std::vector<std::string> metricNames(const Json &launches) {
  std::vector<std::string> names;
  for (const Json &launch : launches)
    for (const auto &[name, value] : launch["metrics"].items())
      if (value.is_primitive() && std::find(names.begin(), names.end(), name) == names.end())
        names.push_back(name);
  return names;
}

static std::string totalLines(const Json &cost) {
  std::string text = "  cycles          " + groupDigits(cost["cycles"].get<int64_t>()) + "\n";
  text += "  time            " + formatSeconds(cost["seconds"].get<double>()) + "\n";
  text += "  DRAM read       " + formatBytes(cost["dram_read_bytes"].get<double>()) + "\n";
  text += "  DRAM written    " + formatBytes(cost["dram_written_bytes"].get<double>()) + "\n";
  text += "  energy          " + formatPicojoules(cost["energy_picojoules"].get<double>()) + "\n";
  return text;
}

static std::string costTables(const Json &cost) {
  std::string result = totalLines(cost);
  Table units({"unit", "busy cycles", "utilization", "instructions"});
  for (const Json &unit : cost["units"])
    units.addRow({unit["unit"].get<std::string>(), groupDigits(unit["busy_cycles"].get<int64_t>()),
                  formatPercent(unit["utilization"].get<double>()),
                  groupDigits(unit["instructions"].get<int64_t>())});
  if (!units.empty())
    result += "\n" + units.toString();
  Table energy({"energy event", "count", "each", "energy", "source"});
  for (const Json &event : cost["energy"])
    energy.addRow({event["event"].get<std::string>(), text(event["count"]),
                   formatPicojoules(event["picojoules_each"].get<double>()),
                   formatPicojoules(event["picojoules"].get<double>()),
                   event["source"].get<std::string>()});
  if (!energy.empty())
    result += "\n" + energy.toString();
  return result;
}

static std::string launchTable(const Json &launches) {
  bool hasTime = !launches.empty() && launches[0].contains("cycles");
  std::vector<std::string> headings{"kernel"}, metrics = metricNames(launches);
  if (hasTime)
    headings.insert(headings.end(), {"cycles", "time", "energy"});
  headings.insert(headings.end(), metrics.begin(), metrics.end());
  Table table(headings);
  for (const Json &launch : launches) {
    std::vector<std::string> row{launch["kernel"].get<std::string>()};
    if (hasTime)
      row.insert(row.end(), {groupDigits(launch["cycles"].get<int64_t>()),
                             formatSeconds(launch["seconds"].get<double>()),
                             formatPicojoules(launch["energy_picojoules"].get<double>())});
    for (const std::string &metric : metrics)
      row.push_back(launch["metrics"].contains(metric) ? text(launch["metrics"][metric]) : "-");
    table.addRow(row);
  }
  return table.empty() ? "" : "\n" + table.toString();
}

std::string formatWeights(const Json &weights) {
  const int64_t n = weights["n"], m = weights["m"];
  return (n == m ? "dense" : std::to_string(n) + ":" + std::to_string(m)) + ", " +
         formatBytes(weights["bytes_before"].get<double>()) + " -> " +
         formatBytes(weights["bytes_after"].get<double>()) + ", error " + text(weights["error"]);
}

static std::string formatWarnings(const Json &report) {
  std::string result;
  if (report.contains("warnings"))
    for (const Json &warning : report["warnings"])
      result += "\nwarning: " + warning.get<std::string>() + "\n";
  return result;
}

std::string formatReport(const Json &report) {
  std::string target = report["target"].get<std::string>();
  std::string result;
  if (!target.empty()) {
    result += "accelerator " + target + "\n";
    if (report["accelerator"].contains("cycles"))
      result += costTables(report["accelerator"]);
    result += launchTable(report["launches"]);
    if (report.contains("weights"))
      result += "\nweights " + formatWeights(report["weights"]) + "\n";
  }
  const Json &host = report["host"];
  Table kernels({"host operator", "calls", "time", "GFLOP"});
  for (const Json &kernel : host["kernels"])
    kernels.addRow({kernel["op"].get<std::string>(), groupDigits(kernel["calls"].get<int64_t>()),
                    formatSeconds(kernel["seconds"].get<double>()),
                    text(Json(kernel["flops"].get<double>() / 1e9))});
  if (!kernels.empty())
    result += (result.empty() ? "" : "\n") + std::string("host (modelled)\n  time            ") +
              formatSeconds(host["seconds"].get<double>()) + "\n\n" + kernels.toString();
  return result + formatWarnings(report);
}

} // namespace sparsam::runtime
