// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CompareCommand.cpp - sparsam compare -------------------------------===//

#include "tools/sparsam/CompareTargets.h"
#include "tools/sparsam/MachineSet.h"

#include "runtime/io/File.h"
#include "runtime/io/Npy.h"
#include "runtime/report/Table.h"
#include "runtime/support/Parallel.h"

#include <algorithm>
#include <cstdio>

namespace sparsam::driver {

namespace {

class CompareCommand : public Command {
public:
  explicit CompareCommand(CLI::App &command) {
    options_.addTo(command);
    for (const char *name : {"--attention", "--dense"})
      modeOptions_.push_back(command.get_option(name)->group("")); // hidden: there is no choice
    addMachineOptions(command);
    inputs_.addTo(command, "Inputs; without --calibrate or --calibration also the samples, without "
                           "--shape also the shapes");
    command
        .add_option(
            "--labels", labelsFile_,
            "Right answers (`labels` of an .npz, or an .npy): class numbers, negative where "
            "nothing is scored. Default: `labels` of --input, where there is one")
        ->type_name("FILE[@A:B]");
    command.add_option("--threads", threads_, "Threads")->check(CLI::Range(1, 1024));
    addJson(command);
  }

  Status run() override {
    if (inputs_.files.empty())
      return makeError("needs inputs: --input x.npz");
    for (const CLI::Option *option : modeOptions_)
      if (option->count() > 0)
        return makeError("compares sparse with dense attention; leave --",
                         option->get_lnames().front(), " out");
    if (!options_.samples.empty() && !options_.calibrationFile.empty())
      return makeError("give either --calibrate or --calibration");
    if (Status status = checkOutputs({{"--csv", csv_}}, filesRead()); !status)
      return status;
    auto inputs = inputs_.read();
    if (!inputs)
      return inputs.error();
    auto labels = readLabels(*inputs);
    if (!labels)
      return labels.error();
    runtime::setThreadCount(threads_);
    auto samples = readSamples(options_.samples);
    if (!samples)
      return samples.error();
    ModelOnInputs what{options_.model, options_.shapes, options_.cache,
                       inputs.take(),  samples.take(),  labels.take()};
    return machines_.targets.empty() ? compareModes(std::move(what))
                                     : compareMachines(std::move(what));
  }

private:
  std::vector<NamedFile> filesRead() const {
    std::vector<NamedFile> read = inputs_.paths(), compiled = options_.paths();
    read.insert(read.end(), compiled.begin(), compiled.end());
    read.push_back({"the labels", withoutRows(labelsFile_)});
    for (const std::string &file : machines_.files)
      read.push_back({"the parameters", file.substr(file.find('=') + 1)}); // all of it without '='
    return read;
  }

  /// --preset, --arch and --set may be for one of several machines.
  void addMachineOptions(CLI::App &command) {
    command
        .add_option(
            "--targets", machines_.targets,
            "Compare these machines in one table: all, or a,b,c; --preset TARGET=NAME, --arch "
            "TARGET=FILE.yaml and --set TARGET.NAME=VALUE are for one of them")
        ->type_name("all|NAME,...")
        ->excludes(command.get_option("--target"));
    for (auto [name, values] :
         {std::pair("--preset", &machines_.presets), std::pair("--arch", &machines_.files)}) {
      const CLI::Option *single = command.get_option(name);
      const std::string description = single->get_description(), type = single->get_type_name();
      command.remove_option(command.get_option(name));
      command.add_option(name, *values, description)
          ->type_name("[TARGET=]" + type)
          ->allow_extra_args(false);
    }
    command
        .add_option(
            "--normalize", normalize_,
            "Bring the machines to equal technology, multipliers, bandwidth or clock first, by "
            "the rules of runtime/arch/README.md")
        ->type_name("tech=28nm,macs=1024,bandwidth=128GB/s,clock=1GHz");
    command.add_flag("--sources", withSources_, "List the parameters that each figure rests on");
    command.add_option("--csv", csv_, "Write the table of machines as CSV too")->type_name("FILE");
  }

  /// --labels, or what is called `labels` in the inputs, which is taken out of them.
  Result<std::optional<runtime::Tensor>> readLabels(runtime::TensorMap &inputs) const {
    std::optional<runtime::Tensor> labels;
    if (auto node = inputs.extract(kLabels))
      labels = std::move(node.mapped());
    if (labelsFile_.empty())
      return labels;
    if (labelsFile_.ends_with(".npy")) {
      auto tensor = runtime::readNpy(labelsFile_);
      if (!tensor)
        return tensor.error();
      return std::optional(tensor.take());
    }
    auto tensors = readTensors(labelsFile_);
    if (!tensors)
      return tensors.error();
    auto it = tensors->find(kLabels);
    if (it == tensors->end())
      return makeError(labelsFile_, " holds no tensor 'labels'");
    return std::optional(it->second);
  }

  //===-- Many machines ------------------------------------------------------===//

  Status compareMachines(ModelOnInputs what) {
    if (!options_.calibrationFile.empty())
      return makeError("--calibration is of one machine; with --targets take --calibrate");
    machines_.settings = options_.machine.settings;
    auto machines = machines_.resolve();
    if (!machines)
      return machines.error();
    ComparisonRequest request;
    request.what = std::move(what);
    request.machines = machines.take();
    if (normalize_) {
      auto ground = runtime::CommonGround::parse(*normalize_);
      if (!ground)
        return ground.error();
      request.ground = *ground;
    }
    auto report = compareTargets(request);
    if (!report)
      return report.error();
    if (normalize_)
      (*report)["normalize"] = *normalize_;
    print(*report, [&] { return formatComparison(*report, withSources_); });
    const Json &rows = (*report)["targets"];
    const bool runsAnywhere = std::any_of(rows.begin(), rows.end(),
                                          [](const Json &row) { return !row.contains("error"); });
    if (!runsAnywhere)
      return makeError("none of the machines runs it");
    return csv_.empty() ? Status() : runtime::writeTextFile(csv_, comparisonCsv(*report));
  }

  //===-- One machine --------------------------------------------------------===//

  Result<runtime::Arch> resolveOne() {
    for (auto [name, values, member] :
         {std::tuple("--preset", &machines_.presets, &options_.machine.preset),
          std::tuple("--arch", &machines_.files, &options_.machine.file)}) {
      if (values->size() > 1)
        return makeError("there are two ", name, "; one machine takes one");
      if (!values->empty())
        *member = values->front();
    }
    for (auto [name, isGiven] :
         {std::pair("--normalize", normalize_.has_value()), std::pair("--csv", !csv_.empty()),
          std::pair("--sources", withSources_)})
      if (isGiven)
        return makeError(name, " is for several machines; give --targets all, or some of them");
    return options_.machine.resolve();
  }

  Status compareModes(ModelOnInputs what) {
    auto arch = resolveOne();
    if (!arch)
      return arch.error();
    Calibration calibration;
    if (!options_.calibrationFile.empty()) {
      auto read = readCalibration(options_.calibrationFile, *arch);
      if (!read)
        return read.error();
      calibration = read.take();
    }
    ComparedModel model(std::move(what));
    if (Status status = model.runReference({*arch}); !status)
      return status;
    if (options_.calibrationFile.empty())
      calibration = model.calibration(*arch);
    Json report = {{"model", options_.model},
                   {"target", arch->spec().target()},
                   {"reference", model.reference()}};
    for (auto [name, mode] :
         {std::pair("dense", AttentionMode::dense), {"sparse", AttentionMode::sparse}}) {
      showProgress(name);
      auto run =
          model.runOn(*arch, mode, usesCalibration(mode, *arch) ? calibration : Calibration());
      if (!run)
        return run.error();
      report[name] = summarize(*run, model);
      for (const std::string &warning : run->warnings)
        printWarning(name + (" attention: " + warning));
    }
    print(report, [&] { return format(report); });
    return Status();
  }

  static Json summarize(const MachineRun &run, const ComparedModel &model) {
    Json summary = Json::object();
    if (!run.result.launches.empty()) {
      ComparedModel::addCosts(run.report, summary);
      summary["load_balance"] = meanMetric(run.report, "load_balance", "skip");
      for (const Json &unit : run.report["accelerator"]["units"])
        summary["utilization"][unit["unit"].get<std::string>()] = unit["utilization"];
    }
    model.addErrors(run.result.outputs, summary);
    summary["warnings"] = run.warnings;
    return summary;
  }

  static std::string format(const Json &report) {
    return formatCosts(report) + "\n" + formatOutputs(report) + "\n  " +
           describeReference(report["reference"]) + "\n";
  }

  static std::string formatCosts(const Json &report) {
    runtime::Table table({"", "dense", "sparse", "dense / sparse"});
    const Json &dense = report["dense"], &sparse = report["sparse"];
    auto add = [&](const std::string &label, const Json &a, const Json &b, auto text) {
      if (!a.is_number() || !b.is_number())
        return;
      char ratio[32] = "";
      if (b.get<double>() > 0)
        std::snprintf(ratio, sizeof ratio, "%.2f x", a.get<double>() / b.get<double>());
      table.addRow({label, text(a), text(b), ratio});
    };
    auto get = [](const Json &from, const char *name) {
      return from.contains(name) ? from[name] : Json();
    };
    add("cycles", get(dense, "cycles"), get(sparse, "cycles"),
        [](const Json &v) { return runtime::groupDigits(v.get<int64_t>()); });
    add("time", get(dense, "seconds"), get(sparse, "seconds"),
        [](const Json &v) { return runtime::formatSeconds(v); });
    for (auto [label, name] :
         {std::pair("DRAM read", "dram_read_bytes"), {"DRAM written", "dram_written_bytes"}})
      add(label, get(dense, name), get(sparse, name),
          [](const Json &v) { return runtime::formatBytes(v); });
    add("energy", get(dense, "energy_picojoules"), get(sparse, "energy_picojoules"),
        [](const Json &v) { return runtime::formatPicojoules(v); });
    for (auto [label, name] : {std::pair("density", "density"),
                               {"load balance", "load_balance"},
                               {"accuracy", "accuracy"}})
      add(label, get(dense, name), get(sparse, name),
          [](const Json &v) { return runtime::formatPercent(v); });
    if (dense.contains("utilization"))
      for (const auto &[unit, value] : dense["utilization"].items())
        add("utilization of " + unit, value, get(sparse["utilization"], unit.c_str()),
            [](const Json &v) { return runtime::formatPercent(v); });
    return table.empty()
               ? "nothing of this model runs on " + report["target"].get<std::string>() + "\n"
               : table.toString();
  }

  static std::string formatOutputs(const Json &report) {
    runtime::Table table({"output", "attention", "max abs error", "cosine", "same answer"});
    for (const char *mode : {"dense", "sparse"})
      for (const auto &[name, output] : report[mode]["outputs"].items()) {
        char error[32], cosine[32];
        std::snprintf(error, sizeof error, "%.3g", output["max_abs_error"].get<double>());
        std::snprintf(cosine, sizeof cosine, "%.6f", output["cosine"].get<double>());
        table.addRow({name, mode, error, cosine, runtime::formatPercent(output["agreement"])});
      }
    return table.toString();
  }

  ModelOptions options_;
  std::vector<const CLI::Option *> modeOptions_;
  MachineSetOptions machines_;
  InputOptions inputs_;
  std::string labelsFile_, csv_;
  std::optional<std::string> normalize_;
  bool withSources_ = false;
  unsigned threads_ = 0;
};

} // namespace

void addCompare(CLI::App &app) {
  addCommand<CompareCommand>(
      app, "compare", "Compare machines, or sparse with dense attention: cost, and error",
      "  sparsam compare model.onnx --target NAME --input samples.npz        sparse beside dense\n"
      "  sparsam compare model.onnx --targets all --input x.npz              all machines, one "
      "table\n"
      "  sparsam compare models/recall/model.onnx --targets all --input "
      "models/recall/eval.npz@0:16 "
      "\\\n"
      "    --calibrate models/recall/eval.npz@16:32                          with task accuracy\n"
      "  sparsam compare model.onnx --targets a,b --input x.npz --set a.rows=32 --preset b=paper\n"
      "  sparsam compare model.onnx --targets all --input x.npz --csv table.csv \\\n"
      "    --normalize tech=28nm,macs=1024,bandwidth=128GB/s\n");
}

} // namespace sparsam::driver
