// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CompareCommand.cpp - sparsam compare -------------------------------===//

#include "tools/sparsam/CompareOutputs.h"
#include "tools/sparsam/CompareTargets.h"
#include "tools/sparsam/MachineSet.h"

#include "runtime/io/File.h"
#include "runtime/io/Npy.h"
#include "runtime/report/Report.h"
#include "runtime/report/Table.h"
#include "runtime/support/Parallel.h"

#include <cstdio>

namespace sparsam::driver {

namespace {

class CompareCommand : public Command {
public:
  explicit CompareCommand(CLI::App &command) {
    options_.addTo(command);
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
    if (options_.mode() != AttentionMode::sparse)
      return makeError("compares sparse with dense attention; leave --attention out");
    if (Status status = checkOutputs({{"--csv", csv_}}, filesRead()); !status)
      return status;
    auto inputs = inputs_.read();
    if (!inputs)
      return inputs.error();
    auto labels = readLabels(*inputs);
    if (!labels)
      return labels.error();
    runtime::setThreadCount(threads_);
    return machines_.targets.empty() ? compareModes(*inputs, *labels)
                                     : compareMachines(inputs.take(), labels.take());
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

  Status compareMachines(runtime::TensorMap inputs, std::optional<runtime::Tensor> labels) {
    if (!options_.calibrationFile.empty())
      return makeError("--calibration is of one machine; with --targets take --calibrate");
    machines_.settings = options_.machine.settings;
    auto machines = machines_.resolve();
    if (!machines)
      return machines.error();
    ComparisonRequest request;
    request.model = options_.model;
    request.shapes = options_.shapes;
    request.cache = options_.cache;
    request.inputs = std::move(inputs);
    request.labels = std::move(labels);
    request.machines = machines.take();
    if (!options_.samples.empty()) {
      auto samples = readSamples(options_.samples);
      if (!samples)
        return samples.error();
      request.samples = samples.take();
    }
    if (!normalize_.empty()) {
      auto ground = runtime::CommonGround::parse(normalize_);
      if (!ground)
        return ground.error();
      request.ground = *ground;
    }
    auto report = compareTargets(request);
    if (!report)
      return report.error();
    if (!normalize_.empty())
      (*report)["normalize"] = normalize_;
    if (!csv_.empty())
      if (Status status = runtime::writeTextFile(csv_, comparisonCsv(*report)); !status)
        return status;
    print(*report, [&] { return formatComparison(*report, withSources_); });
    const Json &rows = (*report)["targets"];
    const bool runsAnywhere = std::any_of(rows.begin(), rows.end(),
                                          [](const Json &row) { return !row.contains("error"); });
    return runsAnywhere ? Status() : makeError("none of the machines runs it");
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
         {std::pair("--normalize", !normalize_.empty()), std::pair("--csv", !csv_.empty()),
          std::pair("--sources", withSources_)})
      if (isGiven)
        return makeError(name, " is for several machines; give --targets all, or some of them");
    return options_.machine.resolve();
  }

  Status compareModes(const runtime::TensorMap &inputs,
                      const std::optional<runtime::Tensor> &classes) {
    auto arch = resolveOne();
    if (!arch)
      return arch.error();
    auto calibration = calibrate(*arch, inputs);
    if (!calibration)
      return calibration.error();
    const bool isOfBoth = usesCalibration(AttentionMode::dense, *arch);
    auto dense =
        execute(*arch, AttentionMode::dense, isOfBoth ? *calibration : Calibration(), inputs);
    if (!dense)
      return dense.error();
    auto sparse = execute(*arch, AttentionMode::sparse, *calibration, inputs);
    if (!sparse)
      return sparse.error();
    std::optional<Labels> labels;
    if (classes) {
      auto matched = matchLabels(*classes, dense->outputs);
      if (!matched)
        return matched.error();
      labels = matched.take();
    }
    Json report = makeComparison(*dense, *sparse, labels);
    print(report, [&] { return format(report); });
    return Status();
  }

  struct Run {
    runtime::TensorMap outputs;
    Json report;
  };

  Result<Calibration> calibrate(const runtime::Arch &arch, const runtime::TensorMap &inputs) {
    showProgress("calibrate");
    Compilation compilation;
    if (Status status =
            compilation.importModel(options_.model, options_.shapes, options_.cache, &inputs);
        !status)
      return status.error();
    if (options_.samples.empty() && options_.calibrationFile.empty())
      return compilation.calibrate(inputs, arch);
    return options_.calibration(compilation, arch);
  }

  Result<Run> execute(const runtime::Arch &arch, AttentionMode mode, const Calibration &calibration,
                      const runtime::TensorMap &inputs) {
    showProgress(mode == AttentionMode::dense ? "dense" : "sparse");
    Compilation compilation;
    if (mode == AttentionMode::dense) // the sparse program says it again
      compilation.onWarning([](const std::string &) {});
    if (Status status =
            compilation.importModel(options_.model, options_.shapes, options_.cache, &inputs);
        !status)
      return status.error();
    if (Status status = compilation.lower(arch, mode, calibration); !status)
      return status.error();
    auto program = compilation.assemble({});
    if (!program)
      return program.error();
    auto session = createSession(*program);
    if (!session)
      return session.error();
    runtime::RunOptions options;
    auto result = (*session)->run(inputs, options);
    if (!result)
      return result.error();
    Json report = makeReport(*result, options.mode, **program, (*session)->arch());
    return Run{std::move(result->outputs), std::move(report)};
  }

  /// Mean of a metric over launches, null where there is none.
  static Json meanMetric(const Json &report, const char *name, const char *part = nullptr) {
    double sum = 0;
    int64_t count = 0;
    for (const Json &launch : report["launches"]) {
      const Json *value = launch.contains("metrics") ? &launch["metrics"] : &launch;
      if (!value->contains(name))
        continue;
      value = &(*value)[name];
      if (part && (!value->is_object() || !value->contains(part)))
        continue;
      sum += (part ? (*value)[part] : *value).get<double>();
      ++count;
    }
    return count > 0 ? Json(sum / double(count)) : Json();
  }

  static Json summarize(const Json &report) {
    Json summary = Json::object();
    if (!report.contains("accelerator"))
      return summary;
    const Json &accelerator = report["accelerator"];
    for (const char *name :
         {"cycles", "seconds", "dram_read_bytes", "dram_written_bytes", "energy_picojoules"})
      summary[name] = accelerator[name];
    summary["density"] = meanMetric(report, "density");
    summary["load_balance"] = meanMetric(report, "load_balance", "skip");
    for (const Json &unit : accelerator["units"])
      summary["utilization"][unit["unit"].get<std::string>()] = unit["utilization"];
    return summary;
  }

  Json makeComparison(const Run &dense, const Run &sparse,
                      const std::optional<Labels> &labels) const {
    Json report = {
        {"model", options_.model},
        {"target", sparse.report["target"]},
        {"dense", summarize(dense.report)},
        {"sparse", summarize(sparse.report)},
        {"outputs", compareOutputs(sparse.outputs, dense.outputs, labels ? &*labels : nullptr)}};
    if (labels) {
      report["dense"]["accuracy"] = scoreOutputs(dense.outputs, *labels)["accuracy"];
      report["sparse"]["accuracy"] = scoreOutputs(sparse.outputs, *labels)["accuracy"];
    }
    return report;
  }

  static std::string format(const Json &report) {
    return formatCosts(report) + "\n" + formatOutputs(report);
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
    return table.toString();
  }

  static std::string formatOutputs(const Json &report) {
    runtime::Table outputs({"output", "max abs error", "cosine", "same answer"});
    for (const auto &[name, output] : report["outputs"].items()) {
      char error[32], cosine[32];
      std::snprintf(error, sizeof error, "%.3g", output["max_abs_error"].get<double>());
      std::snprintf(cosine, sizeof cosine, "%.6f", output["cosine"].get<double>());
      outputs.addRow({name, error, cosine, runtime::formatPercent(output["agreement"])});
    }
    return outputs.toString();
  }

  ModelOptions options_;
  MachineSetOptions machines_;
  InputOptions inputs_;
  std::string labelsFile_, normalize_, csv_;
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
