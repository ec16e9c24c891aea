// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CompileCommand.cpp - sparsam compile, calibrate, explain -----------===//

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

std::string listNotRaised(const std::vector<std::string> &texts) {
  std::string lines;
  for (const std::string &text : texts)
    lines += "  not raised: " + text + "\n";
  return lines;
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
    const std::vector<NamedFile> read = {{"the model", options_.model},
                                         {"the calibration", options_.calibrationFile}};
    if (Status status = checkOutputs({{"-o", output_}}, read); !status)
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
           std::to_string(report["kernels"].size()) + " on " + text("target") + "; " +
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
    inputs_.addTo(command, "Sample inputs; without --shape also the shapes");
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
    auto samples = inputs_.read();
    if (!samples)
      return samples.error();
    samples->erase(kLabels);
    if (calibratedParameters(*arch).empty())
      return makeError(arch->spec().target(), ": with these settings no parameter depends on the "
                                              "data; there is nothing to calibrate");
    Compilation compilation;
    showProgress("import " + model_);
    if (Status status = compilation.importModel(model_, shapes_, "", &*samples); !status)
      return status;
    showProgress("run on samples");
    auto calibration = compilation.calibrate(*samples, *arch);
    if (!calibration)
      return calibration.error();
    Json report = Json::object();
    for (const auto &[core, values] : *calibration)
      report[core] = values;
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

//===-- explain ------------------------------------------------------------===//

class ExplainCommand : public Command {
public:
  explicit ExplainCommand(CLI::App &command) {
    options_.addTo(command);
    command
        .add_option("--print", print_,
                    "Print the IR instead: onnx (as imported), sattn (after raising) or machine "
                    "(after lowering)")
        ->check(CLI::IsMember({"onnx", "sattn", "machine"}));
    command.add_flag("--with-weights", hasWeights_,
                     "Print weights and names of nodes, too: what sparsam-opt can go on from");
    addJson(command);
  }

  Status run() override {
    // Up to raising, no machine is asked.
    const bool isForMachine = print_ == "machine" || options_.machine.isGiven();
    Result<runtime::Arch> arch = makeError("not needed");
    if (isForMachine && !(arch = options_.machine.resolve()))
      return arch.error();
    if (hasWeights_ && print_.empty())
      return makeError("--with-weights goes with --print");
    Compilation compilation;
    if (print_ == "onnx")
      return printGraph(compilation);
    if (!isForMachine)
      compilation.keepRefused();
    if (Status status = compilation.importModel(options_.model, options_.shapes, options_.cache);
        !status)
      return status;
    if (print_ == "machine")
      if (Status status = lower(compilation, *arch); !status)
        return status;
    if (!print_.empty())
      return printIr(compilation);
    Json report = {{"model", options_.model},
                   {"attention", listCores(compilation.module())},
                   {"not_raised", compilation.notRaised()}};
    report["host"] = countOperations(compilation.module());
    if (isForMachine)
      placeOn(compilation, *arch, report);
    print(report, [&] { return format(report, compilation.notRaised()); });
    return Status();
  }

private:
  /// What runs where, which is known once the model is lowered for the machine, or why it cannot
  /// be.
  void placeOn(Compilation &compilation, const runtime::Arch &arch, Json &report) const {
    report["target"] = arch.spec().target();
    if (Status status = lower(compilation, arch); !status) {
      report["error"] = status.error().message;
      return;
    }
    report["kernels"] = listKernels(compilation.module());
    report["host"] = countOperations(compilation.module());
  }

  static std::vector<int64_t> shapeOf(mlir::Value value) {
    auto shape = mlir::cast<mlir::ShapedType>(value.getType()).getShape();
    return {shape.begin(), shape.end()};
  }

  static Json listCores(mlir::ModuleOp module) {
    Json cores = Json::array();
    module.walk([&](sattn::AttentionOp core) {
      auto name = core->getAttrOfType<mlir::StringAttr>(sattn::kNameAttr);
      cores.push_back({{"name", name ? name.str() : ""},
                       {"query", shapeOf(core.getQuery())},
                       {"key", shapeOf(core.getKey())},
                       {"mask", core.getMask() ? Json(shapeOf(core.getMask())) : Json(nullptr)},
                       {"causal", core.getCausal()},
                       {"scale", core.getScale().convertToDouble()}});
    });
    return cores;
  }

  static Json listKernels(mlir::ModuleOp module) {
    Json kernels = Json::array();
    for (auto kernel : module.getOps<isa::KernelOp>())
      kernels.push_back(kernel.getSymName().str());
    return kernels;
  }

  /// What is not of an attention core, by operation.
  static Json countOperations(mlir::ModuleOp module) {
    std::map<std::string, int> counts;
    module.walk([&](mlir::Operation *op) {
      llvm::StringRef name = op->getName().getStringRef();
      if ((name.starts_with("onnx.") || name.starts_with("sattn.")) && name != "onnx.Constant" &&
          !mlir::isa<sattn::AttentionOp>(op))
        ++counts[name.str()];
    });
    Json json = Json::object();
    for (const auto &[name, count] : counts)
      json[name] = count;
    return json;
  }

  static std::string format(const Json &report, const std::vector<std::string> &notRaised) {
    auto shape = [](const Json &list) {
      std::string text;
      for (const Json &extent : list)
        text += (text.empty() ? "" : "x") + extent.dump();
      return list.is_null() ? std::string("none") : text;
    };
    runtime::Table cores({"attention core", "query", "key", "mask", "causal", "scale"});
    for (const Json &core : report["attention"])
      cores.addRow({core["name"], shape(core["query"]), shape(core["key"]), shape(core["mask"]),
                    core["causal"] ? "yes" : "no", core["scale"].dump()});
    runtime::Table host(
        {report.contains("kernels") ? "on the host" : "besides attention", "times"});
    for (const auto &[name, count] : report["host"].items())
      host.addRow({name, count.dump()});
    return cores.toString() + listNotRaised(notRaised) + describeMachine(report) + "\n" +
           host.toString();
  }

  /// "  on sta: layer_0, layer_1", or why nothing is there; empty where no machine was named.
  static std::string describeMachine(const Json &report) {
    if (!report.contains("target"))
      return "";
    std::string names;
    if (report.contains("kernels"))
      for (const Json &name : report["kernels"])
        names += (names.empty() ? "" : ", ") + name.get<std::string>();
    const std::string target = report["target"];
    if (report.contains("error"))
      return "\n  does not compile for " + target + ": " + report["error"].get<std::string>() +
             "\n";
    return "\n  on " + target + ": " + (names.empty() ? "nothing" : names) + "\n";
  }

  Status lower(Compilation &compilation, const runtime::Arch &arch) const {
    auto calibration = options_.calibration(compilation, arch);
    if (!calibration)
      return calibration.error();
    return compilation.lower(arch, options_.mode(), *calibration);
  }

  Status printGraph(Compilation &compilation) const {
    if (!options_.cache.empty())
      return makeError("--cache changes what a model is raised to: it goes with --print sattn and "
                       "--print machine");
    if (Status status = compilation.importGraph(options_.model, options_.shapes); !status)
      return status;
    return printIr(compilation);
  }

  Status printIr(Compilation &compilation) const {
    mlir::OpPrintingFlags flags;
    if (hasWeights_)
      flags.enableDebugInfo();
    else
      flags.elideLargeElementsAttrs(16).elideLargeResourceString(16);
    compilation.module().print(llvm::outs(), flags);
    return Status();
  }

  ModelOptions options_;
  std::string print_;
  bool hasWeights_ = false;
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

void addExplain(CLI::App &app) {
  addCommand<ExplainCommand>(
      app, "explain", "Say what a model consists of, and why attention was not recognised",
      "  sparsam explain model.onnx --shape tokens=1x128\n"
      "  sparsam explain model.onnx --print sattn\n"
      "  sparsam explain model.onnx --print onnx --with-weights | sparsam-opt --onnx-fuse\n"
      "  sparsam explain model.onnx --target NAME --calibrate samples.npz --print machine\n");
}

} // namespace sparsam::driver
