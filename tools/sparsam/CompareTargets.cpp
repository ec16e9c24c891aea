// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CompareTargets.cpp - one model on many machines --------------------===//

#include "tools/sparsam/CompareTargets.h"

#include "runtime/arch/Provenance.h"

namespace sparsam::driver {

namespace {

/// Figures of a row, and the figure of arch.yaml whose parameters it rests on.
constexpr std::pair<const char *, const char *> kFigures[] = {
    {"cycles", "cycles"},         {"seconds", "seconds"},
    {"dram_bytes", "dram_bytes"}, {"energy_picojoules", "energy"},
    {"area_mm2", "area"},         {"density", "density"},
    {"utilization", "cycles"},    {"max_abs_error", "error"},
    {"cosine", "error"},          {"agreement", "error"},
    {"accuracy", "error"}};

} // namespace

/// The unit that computes and is busy longest; units called dma, load or store move.
static Json busiestUnit(const Json &units) {
  Json busiest;
  for (const Json &unit : units) {
    const std::string name = unit["unit"];
    const bool moves =
        name.starts_with("dma") || name.starts_with("load") || name.starts_with("store");
    if (!moves && (busiest.is_null() || unit["busy_cycles"] > busiest["busy_cycles"]))
      busiest = unit;
  }
  return busiest;
}

/// The value of a parameter, null where it is not declared or not published (0).
static Json published(const runtime::Arch &arch, const std::string &name) {
  if (!arch.spec().find(name) || arch.real(name) == 0)
    return Json();
  return arch.real(name);
}

static Json describeMachine(const runtime::ComparedMachine &machine) {
  Json json = {{"technology_nm", Json()},
               {"multipliers", Json()},
               {"clock_mhz", machine.arch.real(runtime::Arch::kClockParameter)},
               {"bandwidth_gbps", Json()}};
  const std::optional<runtime::Normalization> &rules = machine.rules.normalization;
  if (!rules)
    return json;
  json["technology_nm"] = published(machine.arch, rules->technology);
  json["bandwidth_gbps"] = published(machine.arch, rules->bandwidth);
  if (auto count = runtime::multipliers(machine))
    json["multipliers"] = *count;
  return json;
}

static void addSources(const runtime::ComparedMachine &machine, Json &row) {
  row["sources"] = row["rests_on"] = Json::object();
  for (auto [figure, restsOn] : kFigures) {
    if (row.contains(figure) && row[figure].is_null())
      continue;
    const runtime::Provenance provenance = runtime::provenanceOf(machine, restsOn);
    row["sources"][figure] = std::string(1, provenance.weakest);
    Json &parameters = row["rests_on"][figure] = Json::object();
    for (const auto &[letter, names] : provenance.parameters)
      parameters[std::string(1, letter)] = names;
  }
}

static void addMachineCosts(const Json &report, const runtime::Arch &arch, Json &row) {
  ComparedModel::addCosts(report, row);
  row["area_mm2"] = published(arch, runtime::kAreaParameter);
  const Json unit = busiestUnit(report["accelerator"]["units"]);
  row["busiest_unit"] = unit.is_null() ? Json() : unit["unit"];
  row["utilization"] = unit.is_null() ? Json() : unit["utilization"];
}

/// What the comparison says of one machine.
static Result<Json> runMachine(const runtime::ComparedMachine &declared,
                               const std::optional<runtime::CommonGround> &ground,
                               ComparedModel &model) {
  runtime::Normalized normalized{declared, {}};
  if (ground) {
    auto result = runtime::normalize(declared, *ground);
    if (!result)
      return result.error();
    normalized = result.take();
  }
  const runtime::ComparedMachine &machine = normalized.machine;
  auto run = model.runOn(machine.arch, AttentionMode::sparse, model.calibration(machine.arch));
  if (!run)
    return run.error();
  if (run->result.launches.empty())
    return makeError("nothing of this model runs on it");
  Json row = {{"target", machine.name()}};
  addMachineCosts(run->report, machine.arch, row);
  model.addErrors(run->result.outputs, row);
  addSources(machine, row);
  row["machine"] = describeMachine(machine);
  row["normalized"] = normalized.steps;
  row["warnings"] = run->warnings;
  return row;
}

Result<Json> compareTargets(const ComparisonRequest &request) {
  ComparedModel model(request.what);
  std::vector<runtime::Arch> machines;
  for (const runtime::ComparedMachine &machine : request.machines)
    machines.push_back(machine.arch);
  if (Status status = model.runReference(machines); !status)
    return status.error();
  Json report = {
      {"model", request.what.model}, {"reference", model.reference()}, {"targets", Json::array()}};
  for (const runtime::ComparedMachine &machine : request.machines) {
    const std::string &target = machine.name();
    showProgress(target + " (" + std::to_string(report["targets"].size() + 1) + " of " +
                 std::to_string(request.machines.size()) + ")");
    auto row = runMachine(machine, request.ground, model);
    if (row) {
      report["targets"].push_back(row.take());
      continue;
    }
    const std::string &message = row.error().message;
    report["targets"].push_back(
        {{"target", target}, {"error", message.substr(0, message.find('\n'))}});
  }
  return report;
}

} // namespace sparsam::driver
