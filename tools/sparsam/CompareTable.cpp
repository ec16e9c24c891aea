// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CompareTable.cpp - one model on many machines, as tables -----------===//

#include "tools/sparsam/CompareTargets.h"

#include "runtime/arch/Provenance.h"
#include "runtime/report/Table.h"

#include <cstdio>

namespace sparsam::driver {

static std::string number(const char *format, const Json &value) {
  char text[48];
  std::snprintf(text, sizeof text, format, value.get<double>());
  return text;
}

/// "text A", or "-" where there is no value.
template <typename Text> static std::string cell(const Json &row, const char *name, Text text) {
  if (row[name].is_null())
    return "-";
  return text(row[name]) + " " + row["sources"][name].get<std::string>();
}

static std::string dramCell(const Json &row) {
  const double bytes =
      row["dram_read_bytes"].get<double>() + row["dram_written_bytes"].get<double>();
  return runtime::formatBytes(bytes) + " " + row["sources"]["dram_bytes"].get<std::string>();
}

static std::vector<std::string> cellsOf(const Json &row) {
  auto percent = [](const Json &v) { return runtime::formatPercent(v.get<double>()); };
  return {
      row["target"].get<std::string>(),
      cell(row, "cycles", [](const Json &v) { return runtime::groupDigits(v.get<int64_t>()); }),
      cell(row, "seconds", [](const Json &v) { return runtime::formatSeconds(v.get<double>()); }),
      dramCell(row),
      cell(row, "energy_picojoules",
           [](const Json &v) { return runtime::formatPicojoules(v.get<double>()); }),
      cell(row, "area_mm2", [](const Json &v) { return number("%.4g mm2", v); }),
      cell(row, "density", percent),
      cell(
          row, "utilization",
          [&](const Json &v) { return percent(v) + " " + row["busiest_unit"].get<std::string>(); }),
      cell(row, "max_abs_error", [](const Json &v) { return number("%.3g", v); }),
      cell(row, "cosine", [](const Json &v) { return number("%.6f", v); }),
      cell(row, "agreement", percent),
      cell(row, "accuracy", percent)};
}

static std::string costTable(const Json &targets) {
  runtime::Table table({"target", "cycles", "time", "DRAM", "energy", "area", "density",
                        "busiest unit", "max error", "cosine", "same answer", "accuracy"});
  std::string refused;
  for (const Json &row : targets) {
    const std::string target = row["target"].get<std::string>();
    if (!row.contains("error")) {
      table.addRow(cellsOf(row));
      continue;
    }
    table.addRow({target, "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-"});
    refused += "  " + target + " does not run it: " + row["error"].get<std::string>() + "\n";
  }
  return table.toString() + (refused.empty() ? "" : "\n" + refused);
}

static std::string machineTable(const Json &targets) {
  runtime::Table table({"machine", "technology", "multipliers", "clock", "bandwidth"});
  std::string steps;
  for (const Json &row : targets) {
    if (row.contains("error"))
      continue;
    const std::string target = row["target"].get<std::string>();
    const Json &machine = row["machine"];
    auto text = [&](const char *name, const char *format) {
      return machine[name].is_null() ? "-" : number(format, machine[name]);
    };
    table.addRow({target, text("technology_nm", "%.4g nm"), text("multipliers", "%.0f"),
                  text("clock_mhz", "%.4g MHz"), text("bandwidth_gbps", "%.4g GB/s")});
    for (const Json &step : row["normalized"])
      steps += "  " + target + ": " + step.get<std::string>() + "\n";
  }
  if (table.empty())
    return "";
  return "\n" + table.toString() + (steps.empty() ? "" : "\n" + steps);
}

static std::string sourceTable(const Json &targets) {
  runtime::Table table({"target", "figure", "source", "parameters that it rests on"});
  for (const Json &row : targets) {
    if (row.contains("error"))
      continue;
    for (const auto &[figure, letters] : row["rests_on"].items())
      for (const auto &[letter, names] : letters.items()) {
        std::string list;
        for (const Json &name : names)
          list += (list.empty() ? "" : ", ") + name.get<std::string>();
        table.addRow({row["target"].get<std::string>(), figure, letter, list});
      }
  }
  return "\n" + table.toString();
}

static std::string warningLines(const Json &targets) {
  std::string text;
  for (const Json &row : targets)
    if (row.contains("warnings"))
      for (const Json &warning : row["warnings"])
        text += "  " + row["target"].get<std::string>() + ": " + warning.get<std::string>() + "\n";
  return text.empty() ? "" : "\n" + text;
}

std::string formatComparison(const Json &report, bool withSources) {
  const Json &targets = report["targets"];
  std::string text = costTable(targets) + machineTable(targets);
  text += "\n  " + describeReference(report["reference"]);
  text += "\n  The letter is the weakest source of the parameters that a figure rests on: ";
  text += runtime::sourceLegend() + ".\n" + warningLines(targets);
  return text + (withSources ? sourceTable(targets) : "");
}

//===-- CSV ----------------------------------------------------------------===//

static std::string csvField(const Json &value) {
  if (value.is_null())
    return "";
  const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  if (text.find_first_of(",\"\n\r") == text.npos)
    return text;
  std::string quoted = "\"";
  for (char c : text)
    quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string comparisonCsv(const Json &report) {
  const char *figures[] = {
      "cycles",   "seconds",   "dram_read_bytes", "dram_written_bytes", "energy_picojoules",
      "area_mm2", "density",   "busiest_unit",    "utilization",        "max_abs_error",
      "cosine",   "agreement", "accuracy"};
  const char *sources[] = {"cycles",   "seconds", "dram_bytes",  "energy_picojoules",
                           "area_mm2", "density", "utilization", "max_abs_error",
                           "accuracy"};
  std::string text = "target";
  for (const char *figure : figures)
    text += std::string(",") + figure;
  for (const char *source : sources)
    text += std::string(",") + source + "_source";
  text += ",error\n";
  for (const Json &row : report["targets"]) {
    auto field = [](const Json &from, const char *name) {
      return "," + (from.contains(name) ? csvField(from[name]) : "");
    };
    text += csvField(row["target"]);
    for (const char *figure : figures)
      text += field(row, figure);
    for (const char *source : sources)
      text += row.contains("sources") ? field(row["sources"], source) : ",";
    text += field(row, "error") + "\n";
  }
  return text;
}

} // namespace sparsam::driver
