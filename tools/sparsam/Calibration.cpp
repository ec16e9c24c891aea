// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Calibration.cpp - parameters that depend on the data ---------------===//

#include "tools/sparsam/Compiler.h"

#include "runtime/program/Statistics.h"
#include "runtime/support/Text.h"
#include "tools/common/Registry.h"

#include <algorithm>
#include <fstream>

namespace sparsam::driver {

/// What is set stays as it is, whatever a calibration found.
static Calibration withoutSet(Calibration calibration, const runtime::Arch &arch) {
  for (auto &[core, values] : calibration)
    std::erase_if(values, [&](const auto &value) { return arch.isSet(value.first); });
  return calibration;
}

//===-- From samples -------------------------------------------------------===//

Result<runtime::RunResult> Compilation::runOnHost(const runtime::TensorMap &inputs,
                                                  const runtime::Arch &arch, NeededRanges ranges) {
  auto session = start(arch, AttentionMode::calibrate, {});
  if (!session)
    return session.error();
  runtime::RunOptions options;
  options.collectStatistics = true;
  options.collectScores = ranges.ofScores;
  options.collectLayers = ranges.ofLayers;
  return (*session)->run(inputs, options);
}

Result<Statistics> Compilation::statisticsOf(const Samples &samples, const runtime::Arch &arch,
                                             NeededRanges ranges) {
  Statistics statistics;
  for (const runtime::TensorMap &sample : samples) {
    auto run = runOnHost(sample, arch, ranges);
    if (!run)
      return makeError("calibration: ", run.error().message);
    for (const auto &[core, values] : run->statistics)
      runtime::mergeStatistics(values, statistics[core]);
  }
  return statistics;
}

Calibration Compilation::calibrationFrom(const Statistics &statistics, const runtime::Arch &arch) {
  const runtime::TargetModel *model = modelRegistry().find(arch.spec().target());
  Calibration calibration;
  for (const auto &[core, ofCore] : statistics)
    for (const auto &[name, value] : model->calibrate(ofCore, arch))
      calibration[core][name] = value;
  return withoutSet(std::move(calibration), arch);
}

Result<Calibration> Compilation::calibrate(const Samples &samples, const runtime::Arch &arch) {
  auto statistics = statisticsOf(samples, arch, neededRanges(arch));
  if (!statistics)
    return statistics.error();
  return calibrationFrom(*statistics, arch);
}

//===-- In a file ----------------------------------------------------------===//

/// Says in a file what the values were made for; files of old have none.
static constexpr const char *kMadeFor = "for";

Json toJson(const Calibration &calibration, const runtime::Arch &arch) {
  Json json = Json::object();
  for (const auto &[core, values] : calibration)
    json[core] = values;
  json[kMadeFor] = calibrationRules(arch);
  json[kMadeFor]["target"] = arch.spec().target();
  return json;
}

/// Refuses values that another target, or these settings, would have taken from something else.
static Status checkMadeFor(const Json &madeFor, const std::string &path,
                           const runtime::Arch &arch) {
  auto said = [&](const std::string &key) {
    const Json text = madeFor.value(key, Json());
    return text.is_string() ? runtime::printable(text.get<std::string>()) : "";
  };
  if (const std::string target = said("target"); target != arch.spec().target())
    return makeError(path, " was made for target '", target, "', not for '", arch.spec().target(),
                     "'; calibrate for this one");
  for (const auto &[parameter, statistic] : calibrationRules(arch))
    if (const std::string made = said(parameter); made != statistic && !arch.isSet(parameter))
      return makeError(path, " was made with other settings: it takes ", parameter, " from '", made,
                       "', these take it from '", statistic, "'; calibrate with these");
  return Status();
}

/// {"attention_0": {"NAME": VALUE, ...}, ...} as it stands in a file.
static Result<Calibration> parseCalibration(const std::string &path, const runtime::Arch &arch) {
  std::ifstream file(path);
  if (!file)
    return makeError("cannot open ", path);
  Json json = Json::parse(file, nullptr, /*allow_exceptions=*/false);
  auto bad = [&] {
    return makeError(path, " is no calibration; expects {\"attention_0\": {\"NAME\": VALUE, ...}, "
                           "...}, as `sparsam calibrate` writes it");
  };
  if (!json.is_object())
    return bad();
  Calibration calibration;
  for (const auto &[core, values] : json.items()) {
    if (!values.is_object())
      return bad();
    if (core == kMadeFor) {
      if (Status status = checkMadeFor(values, path, arch); !status)
        return status.error();
      continue;
    }
    for (const auto &[name, value] : values.items()) {
      if (!value.is_number())
        return bad();
      calibration[core][name] = value.get<double>();
    }
  }
  return calibration;
}

/// Refuses values of parameters that are none of calibration's.
static Status checkNames(const Calibration &calibration, const std::string &path,
                         const runtime::Arch &arch) {
  std::vector<std::string> names;
  for (const auto &[name, value] : calibratedParameters(arch))
    names.push_back(name);
  for (const auto &[core, values] : calibration)
    for (const auto &[name, value] : values)
      if (!names.empty() && std::find(names.begin(), names.end(), name) == names.end())
        return makeError(path, ": '", runtime::printable(name), "' of '", runtime::printable(core),
                         "' is no parameter that calibration sets; those are ",
                         runtime::join(names));
  return Status();
}

Result<Calibration> readCalibration(const std::string &path, const runtime::Arch &arch) {
  auto calibration = parseCalibration(path, arch);
  if (!calibration)
    return calibration;
  if (Status status = checkNames(*calibration, path, arch); !status)
    return status.error();
  return withoutSet(calibration.take(), arch);
}

} // namespace sparsam::driver
