// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Common.h - what the driver's commands share ------------------------===//
#ifndef SPARSAM_TOOLS_SPARSAM_COMMON_H
#define SPARSAM_TOOLS_SPARSAM_COMMON_H

#include "runtime/arch/Arch.h"
#include "runtime/program/Program.h"
#include "runtime/program/Session.h"
#include "runtime/support/Result.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sparsam::driver {

using Json = nlohmann::ordered_json;
using runtime::makeError;
using runtime::Result;
using runtime::Status;

/// --target, --preset, --arch, --set: which machine, and its parameters.
struct MachineOptions {
  std::string target, preset, file;
  std::vector<std::string> settings;

  void addTo(CLI::App &command);
  bool isGiven() const {
    return !target.empty() || !preset.empty() || !file.empty() || !settings.empty();
  }
  /// The parameters: defaults, then the preset, the file and the settings; the only target there is
  /// where none is named.
  Result<runtime::Arch> resolve() const;
};

/// A file that a command reads ("the model") or writes ("-o").
struct NamedFile {
  std::string what, path;
};

/// Refuses to write a file that is read, or that is written twice. Empty paths do not count.
Status checkOutputs(const std::vector<NamedFile> &written, const std::vector<NamedFile> &read);

/// FILE of "FILE@A:B".
std::string withoutRows(std::string file);

/// Reads an .npz; of FILE@A:B the rows A to B-1 of every tensor, counted along the first dimension.
Result<runtime::TensorMap> readTensors(const std::string &file);

/// The right answers in an evaluation set.
inline constexpr const char *kLabels = "labels";

/// Inputs to calibrate on: the ranges are those of all samples.
using Samples = std::vector<runtime::TensorMap>;

/// A sample of each file, without the labels, which are no input.
Result<Samples> readSamples(const std::vector<std::string> &files);

/// --input: tensors by name from an .npz (FILE or FILE@A:B), or of one name from NAME=file.npy.
struct InputOptions {
  std::vector<std::string> files;

  void addTo(CLI::App &command, const std::string &what);
  /// All tensors; none may be given twice.
  Result<runtime::TensorMap> read() const;
  /// The tensors without labels; one that is given again starts the next sample.
  Result<Samples> readSamples() const;
  /// The files themselves.
  std::vector<NamedFile> paths() const;
};

/// Shows a line on the terminal that says what is going on; nothing where standard error is no
/// terminal. Each line takes the place of the one before.
void showProgress(const std::string &text);
/// Takes the line away, before anything else is printed.
void clearProgress();

/// A command of the driver: options bound to the object, and what it does.
class Command {
public:
  virtual ~Command() = default;
  virtual Status run() = 0;

protected:
  void addJson(CLI::App &command) {
    command.add_flag("--json", json_, "Print one JSON object instead of tables");
  }
  /// Prints `report` as JSON, or `text` made from it.
  void print(const Json &report, const std::function<std::string()> &text) const;

  bool json_ = false;
};

/// Adds a command; its example lines stand at the end of its --help.
template <typename T>
CLI::App *addCommand(CLI::App &app, const char *name, const char *summary, const char *examples) {
  CLI::App *command = app.add_subcommand(name, summary);
  command->footer(std::string("Examples:\n") + examples);
  auto object = std::make_shared<T>(*command);
  command->callback([object] {
    Status status = object->run();
    clearProgress();
    if (!status)
      throw CLI::RuntimeError(status.error().message, 1);
  });
  return command;
}

// One per command.
void addCompile(CLI::App &app);
void addRun(CLI::App &app);
void addGenerate(CLI::App &app);
void addAttention(CLI::App &app);
void addSimulate(CLI::App &app);
void addCalibrate(CLI::App &app);
void addCompare(CLI::App &app);
void addExplain(CLI::App &app);
void addReproduce(CLI::App &app);
void addDisassemble(CLI::App &app);
void addTargets(CLI::App &app);
void addEncode(CLI::App &app);

/// Writes a warning to stderr.
void printWarning(const std::string &text);

/// Loads a program onto its machine.
Result<std::unique_ptr<runtime::Session>>
createSession(std::shared_ptr<const runtime::Program> program);

/// The statistic that calibration takes each parameter from: {"tx", "q_absmax"}.
std::map<std::string, std::string> calibrationRules(const runtime::Arch &arch);

/// The parameters that calibration sets, with the values for tensors whose largest magnitude is 1.
std::map<std::string, double> calibratedParameters(const runtime::Arch &arch);

/// Ranges of words, which a target may set its parameters by: in dense mode as well.
struct NeededRanges {
  bool ofScores = false, ofLayers = false;
  bool any() const { return ofScores || ofLayers; }
};
NeededRanges neededRanges(const runtime::Arch &arch);

/// For reports.
double secondsSince(std::chrono::steady_clock::time_point start);

} // namespace sparsam::driver

#endif // SPARSAM_TOOLS_SPARSAM_COMMON_H
