// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ComparedModel.cpp - a model on machines, beside itself on the host -===//

#include "tools/sparsam/ComparedModel.h"

#include "runtime/report/Report.h"
#include "runtime/report/Table.h"

#include <algorithm>

namespace sparsam::driver {

Status ComparedModel::runReference(const std::vector<runtime::Arch> &machines) {
  showProgress("import " + what_.model);
  if (Status status =
          compilation_.importModel(what_.model, what_.shapes, what_.cache, &what_.inputs);
      !status)
    return status;
  showProgress("dense reference");
  NeededRanges ranges;
  for (const runtime::Arch &arch : machines) {
    const NeededRanges needed = neededRanges(arch);
    ranges.ofScores |= needed.ofScores;
    ranges.ofLayers |= needed.ofLayers;
  }
  const runtime::Arch &any = machines.front(); // the host runs
  auto reference = compilation_.runOnHost(what_.inputs, any, ranges);
  if (!reference)
    return reference.error();
  reference_ = reference.take();
  statistics_ = reference_.statistics;
  if (!what_.samples.empty()) {
    showProgress("calibrate");
    auto statistics = compilation_.statisticsOf(what_.samples, any, ranges);
    if (!statistics)
      return statistics.error();
    statistics_ = statistics.take();
  }
  if (!what_.labels)
    return Status();
  auto labels = matchLabels(*what_.labels, reference_.outputs);
  if (!labels)
    return labels.error();
  labels_ = labels.take();
  return Status();
}

Json ComparedModel::reference() const {
  return labels_ ? scoreOutputs(reference_.outputs, *labels_) : Json();
}

Result<MachineRun> ComparedModel::runOn(const runtime::Arch &arch, AttentionMode mode,
                                        const Calibration &calibration) {
  MachineRun run;
  compilation_.onWarning([&](std::string text) { run.warnings.push_back(std::move(text)); });
  auto session = compilation_.start(arch, mode, calibration);
  compilation_.onWarning(printWarning);
  if (!session)
    return session.error();
  runtime::RunOptions options;
  auto result = (*session)->run(what_.inputs, options);
  if (!result)
    return result.error();
  run.report = makeReport(*result, options.mode, (*session)->program(), (*session)->arch());
  for (const Json &warning : run.report.value("warnings", Json::array()))
    run.warnings.push_back(warning);
  run.result = result.take();
  return run;
}

//===-- Figures ------------------------------------------------------------===//

Json meanMetric(const Json &report, const char *name, const char *part) {
  double sum = 0;
  int64_t count = 0;
  for (const Json &launch : report["launches"]) {
    if (!launch["metrics"].contains(name))
      continue;
    const Json &metric = launch["metrics"][name];
    if (part && (!metric.is_object() || !metric.contains(part)))
      continue;
    sum += (part ? metric[part] : metric).get<double>();
    ++count;
  }
  return count > 0 ? Json(sum / double(count)) : Json();
}

void ComparedModel::addCosts(const Json &report, Json &row) {
  for (const char *name :
       {"cycles", "seconds", "dram_read_bytes", "dram_written_bytes", "energy_picojoules"})
    row[name] = report["accelerator"][name];
  row["density"] = meanMetric(report, "density");
}

void ComparedModel::addErrors(const runtime::TensorMap &outputs, Json &row) const {
  const Json compared = compareOutputs(outputs, reference_.outputs, labels_ ? &*labels_ : nullptr);
  for (const char *name : {"max_abs_error", "cosine", "agreement"}) {
    Json &worst = row[name] = Json();
    for (const Json &output : compared)
      if (worst.is_null() ||
          (name == std::string("max_abs_error") ? output[name] > worst : output[name] < worst))
        worst = output[name];
  }
  row["accuracy"] = labels_ ? scoreOutputs(outputs, *labels_)["accuracy"] : Json();
  row["outputs"] = compared;
}

std::string describeReference(const Json &reference) {
  std::string text = "Error and answers are against dense attention in float32 on the host";
  if (!reference.is_object())
    return text + ".";
  if (reference["accuracy"].is_null())
    return text + "; no answer is scored.";
  return text + " (accuracy " + runtime::formatPercent(reference["accuracy"].get<double>()) +
         " on " + runtime::groupDigits(reference["answers"].get<int64_t>()) + " answers).";
}

} // namespace sparsam::driver
