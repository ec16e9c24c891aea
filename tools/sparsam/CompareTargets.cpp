// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CompareTargets.cpp - one model on many machines --------------------===//

#include "tools/sparsam/CompareTargets.h"

#include "runtime/arch/Provenance.h"
#include "runtime/report/Report.h"
#include "tools/sparsam/CompareOutputs.h"

#include <algorithm>

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

class Comparison {
public:
  explicit Comparison(const ComparisonRequest &request) : request_(request) {}
  Result<Json> run();

private:
  Status runReference();
  Result<Json> runMachine(const runtime::ComparedMachine &declared);
  Result<runtime::RunResult> execute(const runtime::Arch &arch, Json &report);
  void addErrors(const runtime::RunResult &result, Json &row) const;

  const ComparisonRequest &request_;
  Compilation compilation_;
  std::vector<std::string> warnings_; ///< of the machine that is compiled for
  runtime::RunResult reference_;      ///< of the inputs
  runtime::RunResult samples_;        ///< its statistics calibrate
  std::optional<Labels> labels_;
};

} // namespace

/// Mean of a metric over launches, null where there is none.
static Json meanMetric(const Json &report, const char *name) {
  double sum = 0;
  int64_t count = 0;
  for (const Json &launch : report["launches"])
    if (const Json &metrics = launch["metrics"]; metrics.contains(name)) {
      sum += metrics[name].get<double>();
      ++count;
    }
  return count > 0 ? Json(sum / double(count)) : Json();
}

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

static void addCosts(const Json &report, const runtime::Arch &arch, Json &row) {
  const Json &cost = report["accelerator"];
  for (const char *name :
       {"cycles", "seconds", "dram_read_bytes", "dram_written_bytes", "energy_picojoules"})
    row[name] = cost[name];
  row["area_mm2"] = published(arch, runtime::kAreaParameter);
  row["density"] = meanMetric(report, "density");
  const Json unit = busiestUnit(cost["units"]);
  row["busiest_unit"] = unit.is_null() ? Json() : unit["unit"];
  row["utilization"] = unit.is_null() ? Json() : unit["utilization"];
}

/// The largest error, the smallest cosine and agreement over the outputs.
void Comparison::addErrors(const runtime::RunResult &result, Json &row) const {
  const Json outputs =
      compareOutputs(result.outputs, reference_.outputs, labels_ ? &*labels_ : nullptr);
  for (const char *name : {"max_abs_error", "cosine", "agreement"}) {
    Json &worst = row[name] = Json();
    for (const Json &output : outputs)
      if (worst.is_null() ||
          (name == std::string("max_abs_error") ? output[name] > worst : output[name] < worst))
        worst = output[name];
  }
  row["accuracy"] = labels_ ? scoreOutputs(result.outputs, *labels_)["accuracy"] : Json();
  row["outputs"] = outputs;
}

Result<runtime::RunResult> Comparison::execute(const runtime::Arch &arch, Json &report) {
  auto program =
      compilation_.build(arch, AttentionMode::sparse, Compilation::calibrationFrom(samples_, arch));
  if (!program)
    return program.error();
  auto session = createSession(*program);
  if (!session)
    return session.error();
  runtime::RunOptions options;
  auto result = (*session)->run(request_.inputs, options);
  if (result)
    report = makeReport(*result, options.mode, **program, (*session)->arch());
  return result;
}

Result<Json> Comparison::runMachine(const runtime::ComparedMachine &declared) {
  runtime::Normalized normalized{declared, {}};
  if (request_.ground) {
    auto result = runtime::normalize(declared, *request_.ground);
    if (!result)
      return result.error();
    normalized = result.take();
  }
  const runtime::ComparedMachine &machine = normalized.machine;
  Json report;
  warnings_.clear();
  auto result = execute(machine.arch, report);
  if (!result)
    return result.error();
  if (result->launches.empty())
    return makeError("nothing of this model runs on it");
  Json row = {{"target", machine.name()}};
  addCosts(report, machine.arch, row);
  addErrors(*result, row);
  addSources(machine, row);
  row["machine"] = describeMachine(machine);
  row["normalized"] = normalized.steps;
  row["warnings"] = warnings_;
  if (report.contains("warnings"))
    row["warnings"].insert(row["warnings"].end(), report["warnings"].begin(),
                           report["warnings"].end());
  return row;
}

Status Comparison::runReference() {
  showProgress("import " + request_.model);
  if (Status status = compilation_.importModel(request_.model, request_.shapes, request_.cache,
                                               &request_.inputs);
      !status)
    return status;
  showProgress("dense reference");
  NeededRanges ranges; // what any of the machines needs
  for (const runtime::ComparedMachine &machine : request_.machines) {
    const NeededRanges needed = neededRanges(machine.arch);
    ranges.ofScores |= needed.ofScores;
    ranges.ofLayers |= needed.ofLayers;
  }
  const runtime::Arch &any = request_.machines.front().arch; // the host runs
  auto reference = compilation_.runOnHost(request_.inputs, any, ranges);
  if (!reference)
    return reference.error();
  reference_ = reference.take();
  samples_.statistics = reference_.statistics;
  if (request_.samples) {
    showProgress("calibrate");
    auto samples = compilation_.runOnHost(*request_.samples, any, ranges);
    if (!samples)
      return makeError("calibration: ", samples.error().message);
    samples_.statistics = samples->statistics;
  }
  if (!request_.labels)
    return Status();
  auto labels = matchLabels(*request_.labels, reference_.outputs);
  if (!labels)
    return labels.error();
  labels_ = labels.take();
  return Status();
}

Result<Json> Comparison::run() {
  compilation_.onWarning([this](std::string text) { warnings_.push_back(std::move(text)); });
  if (Status status = runReference(); !status)
    return status.error();
  Json report = {{"model", request_.model},
                 {"reference", labels_ ? scoreOutputs(reference_.outputs, *labels_) : Json()},
                 {"targets", Json::array()}};
  for (const runtime::ComparedMachine &machine : request_.machines) {
    const std::string &target = machine.name();
    showProgress(target + " (" + std::to_string(report["targets"].size() + 1) + " of " +
                 std::to_string(request_.machines.size()) + ")");
    auto row = runMachine(machine);
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

Result<Json> compareTargets(const ComparisonRequest &request) { return Comparison(request).run(); }

} // namespace sparsam::driver
