// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Common.cpp - what the driver's commands share ----------------------===//

#include "tools/sparsam/Common.h"

#include "runtime/io/Npy.h"
#include "runtime/support/Text.h"
#include "tools/common/Registry.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <iostream>

#include <unistd.h>

namespace sparsam::driver {

void MachineOptions::addTo(CLI::App &command) {
  std::string names;
  for (const auto &[name, model] : modelRegistry().all())
    names += (names.empty() ? "" : ", ") + name;
  command.add_option("--target", target, "Accelerator (" + names + ")")->type_name("NAME");
  command.add_option("--preset", preset, "Preset of its parameters (see `sparsam targets NAME`)")
      ->type_name("NAME");
  command.add_option("--arch", file, "Parameters from a YAML file of `name: value` lines")
      ->type_name("FILE.yaml");
  command.add_option("--set", settings, "Set a parameter; may be repeated")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
}

Result<runtime::Arch> MachineOptions::resolve() const {
  const auto &models = modelRegistry().all();
  if (target.empty() && models.size() != 1) {
    std::string names;
    for (const auto &[name, model] : models)
      names += (names.empty() ? "" : ", ") + name;
    return makeError("needs --target; there are: ", names);
  }
  auto arch = resolveArch(target.empty() ? models.begin()->first : target, preset, {});
  if (!arch)
    return arch.error();
  if (!file.empty())
    if (Status status = arch->applyFile(file); !status)
      return status.error();
  for (const std::string &setting : settings)
    if (Status status = arch->applySetting(setting); !status)
      return status.error();
  // What parameters cannot be together is said before any work is done.
  auto machine = models.at(arch->spec().target())->createMachine(*arch);
  if (!machine)
    return machine.error();
  return arch;
}

//===-- Inputs -------------------------------------------------------------===//

/// The rows A and B of "FILE@A:B", which is cut to FILE; nothing where `file` names no rows.
static std::optional<std::pair<int64_t, int64_t>> cutRows(std::string &file) {
  const size_t at = file.rfind('@'), colon = file.rfind(':');
  if (at == file.npos || colon == file.npos || colon < at)
    return std::nullopt;
  auto from = runtime::parseInteger(file.substr(at + 1, colon - at - 1));
  auto to = runtime::parseInteger(file.substr(colon + 1));
  if (!from || !to)
    return std::nullopt;
  file.resize(at);
  return std::pair(*from, *to);
}

std::string withoutRows(std::string file) {
  cutRows(file);
  return file;
}

static runtime::Tensor rowsOf(const runtime::Tensor &tensor, int64_t from, int64_t to) {
  runtime::Shape shape = tensor.shape();
  const uint64_t bytesOfRow = tensor.bytes() / uint64_t(std::max<int64_t>(shape[0], 1));
  shape[0] = to - from;
  runtime::Tensor rows(tensor.dtype(), shape);
  std::memcpy(rows.as<uint8_t>(), tensor.as<uint8_t>() + uint64_t(from) * bytesOfRow, rows.bytes());
  return rows;
}

Result<runtime::TensorMap> readTensors(const std::string &file) {
  std::string path = file;
  const auto rows = cutRows(path);
  auto tensors = runtime::readNpz(path);
  if (!tensors || !rows)
    return tensors;
  const auto [from, to] = *rows;
  for (auto &[name, tensor] : *tensors) {
    const int64_t count = tensor.shape().empty() ? 0 : tensor.shape()[0];
    if (from < 0 || from >= to || to > count)
      return makeError(file, ": rows ", from, ":", to, " of '", runtime::printable(name),
                       "' do not exist; it has the shape ", runtime::toString(tensor.shape()),
                       ", so take A:B with 0 <= A < B <= ", count);
    tensor = rowsOf(tensor, from, to);
  }
  return tensors;
}

Result<Samples> readSamples(const std::vector<std::string> &files) {
  Samples samples;
  for (const std::string &file : files) {
    auto tensors = readTensors(file);
    if (!tensors)
      return tensors.error();
    tensors->erase(kLabels);
    samples.push_back(tensors.take());
  }
  return samples;
}

void InputOptions::addTo(CLI::App &command, const std::string &what) {
  command
      .add_option("--input", files,
                  what + ": an .npz, or rows A to B-1 of one, or NAME=file.npy for each input")
      ->type_name("FILE[@A:B]")
      ->allow_extra_args(false);
}

/// The tensors of FILE[@A:B], or of NAME=file.npy.
static Result<runtime::TensorMap> readInput(const std::string &file) {
  const size_t equals = file.find('=');
  if (file.ends_with(".npy") && equals != file.npos) {
    auto tensor = runtime::readNpy(file.substr(equals + 1));
    if (!tensor)
      return tensor.error();
    return runtime::TensorMap{{file.substr(0, equals), tensor.take()}};
  }
  if (file.ends_with(".npy"))
    return makeError("--input ", file, " names no input; write --input NAME=", file);
  if (equals != file.npos && !std::filesystem::exists(withoutRows(file)))
    return makeError("--input ", file, ": an .npz names its tensors itself; write --input ",
                     file.substr(equals + 1));
  return readTensors(file);
}

Result<runtime::TensorMap> InputOptions::read() const {
  runtime::TensorMap tensors;
  std::map<std::string, std::string> sources;
  for (const std::string &file : files) {
    auto read = readInput(file);
    if (!read)
      return read.error();
    for (auto &[name, tensor] : *read) {
      auto [source, isNew] = sources.emplace(name, file);
      if (!isNew)
        return makeError("'", runtime::printable(name), "' is given twice, by --input ",
                         source->second, " and by --input ", file);
      tensors[name] = std::move(tensor);
    }
  }
  return tensors;
}

Result<Samples> InputOptions::readSamples() const {
  Samples samples(1);
  for (const std::string &file : files) {
    auto tensors = readInput(file);
    if (!tensors)
      return tensors.error();
    tensors->erase(kLabels);
    const bool isNext = std::ranges::any_of(
        *tensors, [&](const auto &tensor) { return samples.back().count(tensor.first) > 0; });
    if (isNext)
      samples.emplace_back();
    samples.back().merge(*tensors);
  }
  return samples;
}

std::vector<NamedFile> InputOptions::paths() const {
  std::vector<NamedFile> paths;
  for (const std::string &file : files)
    paths.push_back({"the input",
                     file.ends_with(".npy") ? file.substr(file.find('=') + 1) : withoutRows(file)});
  return paths;
}

//===-- Outputs ------------------------------------------------------------===//

static bool isSame(const std::string &a, const std::string &b) {
  namespace fs = std::filesystem;
  std::error_code ignored; // of files that are not there
  if (fs::equivalent(a, b, ignored))
    return true;
  auto place = [&](const std::string &path) {
    return fs::weakly_canonical(fs::absolute(path, ignored), ignored);
  };
  return !b.empty() && place(a) == place(b);
}

Status checkOutputs(const std::vector<NamedFile> &written, const std::vector<NamedFile> &read) {
  for (size_t i = 0; i < written.size(); ++i) {
    const auto &[option, path] = written[i];
    if (path.empty())
      continue;
    for (const NamedFile &other : read)
      if (isSame(path, other.path))
        return makeError(option, " ", path, " would overwrite ", other.what,
                         "; choose another name");
    for (size_t j = 0; j < i; ++j)
      if (isSame(path, written[j].path))
        return makeError(option, " and ", written[j].what, " both write ", path,
                         "; choose another name for one of them");
  }
  return Status();
}

//===-- Printing -----------------------------------------------------------===//

void Command::print(const Json &report, const std::function<std::string()> &text) const {
  clearProgress();
  if (json_)
    std::cout << report.dump(2) << "\n";
  else
    std::cout << text();
}

static bool isProgressShown = false;

void showProgress(const std::string &text) {
  static const bool isTerminal = isatty(STDERR_FILENO);
  if (!isTerminal)
    return;
  std::fprintf(stderr, "\r\033[K%s", runtime::printable(text).c_str());
  isProgressShown = true;
}

void clearProgress() {
  if (isProgressShown)
    std::fputs("\r\033[K", stderr);
  isProgressShown = false;
}

void printWarning(const std::string &text) {
  clearProgress();
  std::cerr << "warning: " << text << "\n";
}

Result<std::unique_ptr<runtime::Session>>
createSession(std::shared_ptr<const runtime::Program> program) {
  return runtime::Session::create(std::move(program), modelRegistry());
}

static constexpr const char *kStatistics[] = {"q_absmax",
                                              "k_absmax",
                                              "v_absmax",
                                              "score_absmax",
                                              "q_normalized_absmax",
                                              "k_normalized_absmax",
                                              "input_absmax",
                                              "output_absmax",
                                              "product_absmax"};

std::map<std::string, std::string> calibrationRules(const runtime::Arch &arch) {
  const runtime::TargetModel *model = modelRegistry().find(arch.spec().target());
  std::map<std::string, std::string> rules;
  for (const char *statistic : kStatistics)
    for (const auto &[parameter, value] : model->calibrate({{statistic, 1}}, arch))
      rules[parameter] = statistic;
  return rules;
}

std::map<std::string, double> calibratedParameters(const runtime::Arch &arch) {
  runtime::CalibrationStatistics ones;
  for (const char *name : kStatistics)
    ones[name] = 1;
  return modelRegistry().find(arch.spec().target())->calibrate(ones, arch);
}

NeededRanges neededRanges(const runtime::Arch &arch) {
  const runtime::TargetModel *model = modelRegistry().find(arch.spec().target());
  auto uses = [&](const char *statistic) {
    return !model->calibrate({{statistic, 1}}, arch).empty();
  };
  return {uses("score_absmax"), uses("output_absmax")};
}

double secondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

} // namespace sparsam::driver
