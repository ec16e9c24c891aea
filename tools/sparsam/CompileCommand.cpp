// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CompileCommand.cpp - sparsam compile, calibrate --------------------===//

#include "tools/sparsam/Compiler.h"

#include "runtime/io/File.h"
#include "runtime/io/Npy.h"
#include "runtime/program/Program_generated.h"
#include "runtime/report/Report.h"
#include "runtime/report/Table.h"
#include "sattn/Sattn.h"

#include <chrono>
#include <filesystem>

#include "llvm/Support/raw_ostream.h"

namespace sparsam::driver {

namespace {

/// Names of the kernels in a program file, and the size of what they execute.
Json describeKernels(const runtime::Program &program) {
  Json kernels = Json::array();
  for (const auto *stage : *program.table().stages())
    if (const auto *kernel = stage->accelerator())
      kernels.push_back(
          {{"name", kernel->name()->str()},
           {"command_words", kernel->words() ? kernel->words()->size() : 0},
           {"descriptors", kernel->descriptors() ? kernel->descriptors()->size() : 0}});
  return kernels;
}

class CompileCommand : public Command {
public:
  explicit CompileCommand(CLI::App &command) {
    options_.addTo(command);
    command.add_option("-o,--output", output_, "Program file (default: the model's name, .spx)")
        ->type_name("FILE.spx");
    addJson(command);
  }

  Status run() override {
    auto start = std::chrono::steady_clock::now();
    auto arch = options_.machine.resolve();
    if (!arch)
      return arch.error();
    if (output_.empty())
      output_ = std::filesystem::path(options_.model).replace_extension(".spx").string();
    if (Status status = checkOutputs({{"-o", output_}}, options_.paths()); !status)
      return status;
    Compilation compilation;
    auto program = compile(compilation, *arch);
    if (!program)
      return program.error();
    Json report = describe(**program, compilation, arch->spec().target());
    if (Json weights = compilation.weights(); !weights.is_null())
      report["weights"] = weights;
    report["seconds"] = secondsSince(start);
    print(report, [&] { return format(report) + listNotRaised(compilation.notRaised()); });
    return Status();
  }

private:
  Json describe(const runtime::Program &program, const Compilation &compilation,
                const std::string &target) const {
    const uint64_t bytes = std::filesystem::file_size(output_);
    return {{"program", output_},
            {"bytes", bytes},
            {"bytes_without_weights", bytes - program.table().data_bytes()},
            {"target", target},
            {"attention", compilation.attentionCount()},
            {"not_raised", compilation.notRaised()},
            {"stages", program.table().stages()->size()},
            {"kernels", describeKernels(program)}};
  }

  static std::string format(const Json &report) {
    auto text = [&](const char *name) { return report[name].get<std::string>(); };
    return text("program") + ": " + runtime::formatBytes(report["bytes"]) + ", " +
           runtime::formatBytes(report["bytes_without_weights"]) + " without weights; " +
           report["attention"].dump() + " attention cores, " +
           std::to_string(report["kernels"].size()) + " kernels on " + text("target") + "; " +
           (report.contains("weights")
                ? "weights " + runtime::formatWeights(report["weights"]) + "; "
                : "") +
           runtime::formatSeconds(report["seconds"]) + "\n";
  }

  Result<std::shared_ptr<const runtime::Program>> compile(Compilation &compilation,
                                                          const runtime::Arch &arch) {
    if (Status status = options_.compile(compilation, arch); !status)
      return status.error();
    showProgress("write " + output_);
    return compilation.assembleTo(output_, options_.provenance(arch));
  }

  ModelOptions options_;
  std::string output_;
};

//===-- calibrate ----------------------------------------------------------===//

class CalibrateCommand : public Command {
public:
  explicit CalibrateCommand(CLI::App &command) {
    command.add_option("model", model_, "ONNX model")->required()->type_name("MODEL.onnx");
    machine_.addTo(command);
    inputs_.addTo(command, "Sample inputs; without --shape also the shapes; a tensor that is given "
                           "again starts the next sample");
    command.add_option("--shape", shapes_, "Shape of an input that is dynamic; may be repeated")
        ->type_name("NAME=1x128")
        ->allow_extra_args(false);
    command.add_option("-o,--output", output_, "Where the values go (JSON)")->type_name("FILE");
    addJson(command);
  }

  Status run() override {
    auto arch = machine_.resolve();
    if (!arch)
      return arch.error();
    if (inputs_.files.empty())
      return makeError("needs sample inputs: --input samples.npz");
    std::vector<NamedFile> read = inputs_.paths(), model = modelFiles(model_);
    read.insert(read.end(), model.begin(), model.end());
    read.push_back({"the parameters", machine_.file});
    if (Status status = checkOutputs({{"-o", output_}}, read); !status)
      return status;
    auto samples = inputs_.readSamples();
    if (!samples)
      return samples.error();
    if (calibratedParameters(*arch).empty())
      return makeError(arch->spec().target(), ": with these settings no parameter depends on the "
                                              "data; there is nothing to calibrate");
    Compilation compilation;
    showProgress("import " + model_);
    if (Status status = compilation.importModel(model_, shapes_, "", &samples->front()); !status)
      return status;
    showProgress("run on samples");
    auto calibration = compilation.calibrate(*samples, *arch);
    if (!calibration)
      return calibration.error();
    Json report = toJson(*calibration, *arch);
    if (!output_.empty())
      if (Status status = runtime::writeTextFile(output_, report.dump(2) + "\n"); !status)
        return status;
    print(report, [&] { return format(*calibration); });
    return Status();
  }

private:
  static std::string format(const Calibration &calibration) {
    runtime::Table table({"attention core", "parameter", "value"});
    for (const auto &[core, values] : calibration)
      for (const auto &[name, value] : values)
        table.addRow({core, name, Json(value).dump()});
    return calibration.empty() ? "the model has no attention\n" : table.toString();
  }

  MachineOptions machine_;
  InputOptions inputs_;
  std::string model_, output_;
  std::vector<std::string> shapes_;
};

} // namespace

void addCompile(CLI::App &app) {
  addCommand<CompileCommand>(
      app, "compile", "Compile an ONNX model to a program file",
      "  sparsam compile model.onnx --target NAME --calibrate samples.npz -o model.spx\n"
      "  sparsam compile model.onnx --target NAME --shape tokens=16x128 --set pes=32\n"
      "  sparsam compile model.onnx --target NAME --dense -o dense.spx\n");
}

void addCalibrate(CLI::App &app) {
  addCommand<CalibrateCommand>(
      app, "calibrate", "Find the parameters that depend on the data, on sample inputs",
      "  sparsam calibrate model.onnx --target NAME --input samples.npz -o calibration.json\n"
      "  sparsam compile model.onnx --target NAME --calibration calibration.json\n");
}

} // namespace sparsam::driver
