// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Report.cpp - what a run cost, as JSON ------------------------------===//

#include "runtime/report/Report.h"

#include "runtime/kernel/Energy.h"
#include "runtime/program/Program_generated.h"

#include <algorithm>

namespace sparsam::runtime {

using Json = nlohmann::ordered_json;

static const char *name(RunMode mode) {
  return mode == RunMode::full ? "full" : mode == RunMode::functional ? "functional" : "timing";
}

static Json toJson(const ParamValue &value) {
  return std::visit([](const auto &v) -> Json { return v; }, value);
}

/// Adds up the launches: units and energy events by name, in order of their first appearance.
static LaunchReport sum(const std::vector<LaunchReport> &launches) {
  LaunchReport total;
  for (const LaunchReport &launch : launches) {
    total.cycles += launch.cycles;
    total.instructions += launch.instructions;
    total.dramRead += launch.dramRead;
    total.dramWritten += launch.dramWritten;
    for (const UnitUse &use : launch.units) {
      auto it = std::find_if(total.units.begin(), total.units.end(),
                             [&](auto &u) { return u.unit == use.unit; });
      if (it == total.units.end()) {
        total.units.push_back(use);
        continue;
      }
      it->busy += use.busy;
      it->instructions += use.instructions;
    }
    for (const EnergyUse &use : launch.energy) {
      auto it = std::find_if(total.energy.begin(), total.energy.end(),
                             [&](auto &e) { return e.event == use.event; });
      if (it == total.energy.end())
        total.energy.push_back(use);
      else
        it->count += use.count;
    }
  }
  return total;
}

/// Cost of one launch or of all.
static Json costJson(const LaunchReport &launch, RunMode mode, double clockMhz) {
  Json json;
  if (mode == RunMode::functional)
    return json = Json::object();
  json["cycles"] = launch.cycles.value;
  json["seconds"] = clockMhz > 0 ? double(launch.cycles.value) / (clockMhz * 1e6) : 0.0;
  json["instructions"] = launch.instructions;
  json["dram_read_bytes"] = launch.dramRead.value;
  json["dram_written_bytes"] = launch.dramWritten.value;
  json["energy_picojoules"] = totalEnergy(launch.energy).value;
  json["units"] = Json::array();
  for (const UnitUse &use : launch.units)
    json["units"].push_back(
        {{"unit", use.unit},
         {"busy_cycles", use.busy.value},
         {"utilization",
          launch.cycles.value ? double(use.busy.value) / double(launch.cycles.value) : 0.0},
         {"instructions", use.instructions}});
  json["energy"] = Json::array();
  for (const EnergyUse &use : launch.energy)
    json["energy"].push_back({{"event", use.event},
                              {"count", use.count},
                              {"picojoules_each", use.picojoulesEach},
                              {"picojoules", use.count * use.picojoulesEach},
                              {"source", use.source}});
  return json;
}

/// Host kernels summed by op, in order of their first appearance.
static Json hostJson(const std::vector<HostReport> &reports) {
  struct Sum {
    std::string op;
    int64_t calls = 0;
    double seconds = 0, flops = 0, bytes = 0;
  };
  std::vector<Sum> sums;
  Sum total;
  for (const HostReport &report : reports) {
    auto it =
        std::find_if(sums.begin(), sums.end(), [&](const Sum &s) { return s.op == report.op; });
    if (it == sums.end())
      it = sums.insert(sums.end(), Sum{report.op});
    for (Sum *s : {&*it, &total}) {
      ++s->calls;
      s->seconds += report.seconds;
      s->flops += report.flops;
      s->bytes += report.bytes;
    }
  }
  Json json{{"seconds", total.seconds}, {"flops", total.flops}, {"kernels", Json::array()}};
  for (const Sum &s : sums)
    json["kernels"].push_back({{"op", s.op},
                               {"calls", s.calls},
                               {"seconds", s.seconds},
                               {"flops", s.flops},
                               {"bytes", s.bytes}});
  return json;
}

/// What pruning did to the weights; null if the program does not say.
static Json weightsJson(const program::Program &table) {
  for (unsigned i = 0; table.provenance() && i < table.provenance()->size(); ++i) {
    const program::Attribute *entry = table.provenance()->Get(i);
    if (entry->name()->string_view() != kWeightsProvenance || !entry->s())
      continue;
    Json json = Json::parse(entry->s()->str(), nullptr, /*allow_exceptions=*/false);
    for (const char *name : {"n", "m", "bytes_before", "bytes_after", "error"})
      if (!json.is_object() || !json.contains(name) || !json[name].is_number())
        return nullptr;
    return json;
  }
  return nullptr;
}

Json makeReport(const RunResult &result, RunMode mode, const Program &program, const Arch *arch) {
  const program::Program &table = program.table();
  double clockMhz = arch ? arch->real(Arch::kClockParameter) : 0;
  Json report;
  report["producer"] = table.producer()->str();
  report["target"] = table.target() ? table.target()->str() : "";
  report["mode"] = name(mode);
  if (arch) {
    Json &parameters = report["parameters"] = Json::object();
    for (const ParamInfo &param : arch->spec().params())
      parameters[param.name] = toJson(arch->value(param.name));
  }
  if (Json weights = weightsJson(table); !weights.is_null())
    report["weights"] = std::move(weights);
  report["accelerator"] = costJson(sum(result.launches), mode, clockMhz);
  report["launches"] = Json::array();
  for (const LaunchReport &launch : result.launches) {
    Json json{{"kernel", launch.kernel}};
    json.update(costJson(launch, mode, clockMhz));
    json["metrics"] = launch.metrics.is_null() ? Json::object() : launch.metrics;
    report["launches"].push_back(std::move(json));
  }
  report["host"] = hostJson(result.host);
  for (const LaunchReport &launch : result.launches)
    if (launch.metrics.contains(kWarningsMetric))
      for (const Json &warning : launch.metrics[kWarningsMetric])
        report["warnings"].push_back("kernel '" + launch.kernel +
                                     "': " + warning.get<std::string>());
  return report;
}

} // namespace sparsam::runtime
