// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Paper.cpp - published results of a design --------------------------===//

#include "tools/sparsam/Paper.h"

#include "runtime/support/Text.h"
#include "tools/common/Registry.h"

#include <algorithm>
#include <cmath>

#include <yaml-cpp/yaml.h>

namespace sparsam::driver {

static std::optional<double> numberOf(const YAML::Node &node) {
  return node ? std::optional(node.as<double>()) : std::nullopt;
}

/// Keys of a row. A text with a comma that lacks its quotes makes others.
static Status checkKeys(const YAML::Node &node) {
  static const std::vector<std::string> known = {"metric", "workload",  "published",
                                                 "unit",   "tolerance", "source",
                                                 "recipe", "arguments", "reason"};
  for (const auto &entry : node)
    if (std::string key = entry.first.as<std::string>();
        std::find(known.begin(), known.end(), key) == known.end())
      return makeError("'", node["metric"].as<std::string>(""), "' has the unknown key '",
                       runtime::printable(key), "'; there are: ", runtime::join(known));
  return Status();
}

static Result<runtime::PaperRow>
evaluateRow(const YAML::Node &node, const runtime::TargetModel &model, const runtime::Arch &arch) {
  if (Status status = checkKeys(node); !status)
    return status.error();
  auto text = [&](const char *name) { return node[name].as<std::string>(""); };
  runtime::PaperRow row;
  row.metric = text("metric");
  row.workload = text("workload");
  row.source = text("source");
  row.reason = text("reason");
  row.unit = text("unit");
  row.recipe = text("recipe");
  row.published = numberOf(node["published"]);
  row.tolerance = numberOf(node["tolerance"]);
  if (row.recipe.empty() == row.reason.empty())
    return makeError("'", row.metric, ", ", row.workload, "' needs either a recipe or a reason");
  if (row.recipe.empty())
    return row;
  if (!row.published || !row.tolerance)
    return makeError("'", row.metric, ", ", row.workload, "' needs published and tolerance");
  std::map<std::string, double> arguments;
  for (const auto &argument : node["arguments"])
    arguments[argument.first.as<std::string>()] = argument.second.as<double>();
  auto ours = model.evaluateRecipe(row.recipe, arguments, arch);
  if (!ours)
    return makeError("'", row.metric, ", ", row.workload, "': ", ours.error().message);
  row.ours = *ours;
  row.pass = std::abs(*ours - *row.published) <= *row.tolerance * std::abs(*row.published);
  return row;
}

Result<std::vector<runtime::PaperRow>> evaluatePaper(const std::string &target,
                                                     const runtime::TargetModel &model) {
  auto arch = resolveArch(target, "", {});
  if (!arch)
    return arch.error();
  std::vector<runtime::PaperRow> rows;
  try {
    for (const YAML::Node &node : YAML::Load(std::string(model.paperYaml()))["rows"]) {
      auto row = evaluateRow(node, model, *arch);
      if (!row)
        return makeError(target, "/paper.yaml: ", row.error().message);
      rows.push_back(row.take());
    }
  } catch (const YAML::Exception &error) {
    return makeError(target, "/paper.yaml: ", error.what());
  }
  return rows;
}

Status expectMet(const std::vector<runtime::PaperRow> &rows) {
  for (const runtime::PaperRow &row : rows)
    if (row.reason.empty() && !row.pass)
      return makeError("some published results were not met");
  return Status();
}

} // namespace sparsam::driver
