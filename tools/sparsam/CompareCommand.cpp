// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CompareCommand.cpp - sparsam compare -------------------------------===//

#include "tools/sparsam/Compiler.h"

#include "runtime/report/Report.h"
#include "runtime/report/Table.h"
#include "runtime/support/Parallel.h"

#include <algorithm>
#include <cmath>

namespace sparsam::driver {

namespace {

/// How one output differs from the dense one.
struct Difference {
  double maxAbs = 0, dot = 0, normA = 0, normB = 0;
  int64_t answers = 0, agreeing = 0; ///< argmax over the last dimension

  double cosine() const {
    return normA > 0 && normB > 0 ? dot / std::sqrt(normA * normB) : normA == normB ? 1 : 0;
  }
};

Difference compareTensors(const runtime::Tensor &a, const runtime::Tensor &b) {
  Difference result;
  const int64_t width = a.shape().empty() ? 1 : a.shape().back();
  const float *x = a.as<float>(), *y = b.as<float>();
  for (int64_t row = 0; width > 0 && row < a.elements() / width; ++row, x += width, y += width) {
    for (int64_t i = 0; i < width; ++i) {
      result.maxAbs = std::max(result.maxAbs, double(std::fabs(x[i] - y[i])));
      result.dot += double(x[i]) * y[i];
      result.normA += double(x[i]) * x[i];
      result.normB += double(y[i]) * y[i];
    }
    ++result.answers;
    result.agreeing += std::max_element(x, x + width) - x == std::max_element(y, y + width) - y;
  }
  return result;
}

class CompareCommand : public Command {
public:
  explicit CompareCommand(CLI::App &command) {
    options_.addTo(command);
    inputs_.addTo(command, "Inputs; without --calibrate or --calibration also the samples");
    command.add_option("--threads", threads_, "Threads")->check(CLI::Range(1, 1024));
    addJson(command);
  }

  Status run() override {
    auto arch = options_.machine.resolve();
    if (!arch)
      return arch.error();
    if (options_.mode() != AttentionMode::sparse)
      return makeError("compares sparse with dense attention; leave --attention out");
    if (inputs_.files.empty())
      return makeError("needs inputs: --input x.npz");
    auto inputs = inputs_.read();
    if (!inputs)
      return inputs.error();
    runtime::setThreadCount(threads_);
    auto calibration = calibrate(*arch, *inputs);
    if (!calibration)
      return calibration.error();
    auto dense = execute(*arch, AttentionMode::dense, {}, *inputs);
    if (!dense)
      return dense.error();
    auto sparse = execute(*arch, AttentionMode::sparse, *calibration, *inputs);
    if (!sparse)
      return sparse.error();
    Json report = makeComparison(*dense, *sparse);
    print(report, [&] { return format(report); });
    return Status();
  }

private:
  struct Run {
    runtime::TensorMap outputs;
    Json report;
  };

  Result<Calibration> calibrate(const runtime::Arch &arch, const runtime::TensorMap &inputs) {
    showProgress("calibrate");
    Compilation compilation;
    if (Status status = compilation.importModel(options_.model, options_.shapes, options_.cache);
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
    if (Status status = compilation.importModel(options_.model, options_.shapes, options_.cache);
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

  Json makeComparison(const Run &dense, const Run &sparse) const {
    Json report = {{"model", options_.model},
                   {"target", sparse.report["target"]},
                   {"dense", summarize(dense.report)},
                   {"sparse", summarize(sparse.report)},
                   {"outputs", Json::object()}};
    for (const auto &[name, tensor] : sparse.outputs) {
      if (tensor.dtype() != runtime::DType::f32)
        continue;
      Difference difference = compareTensors(tensor, dense.outputs.at(name));
      report["outputs"][name] = {
          {"max_abs_error", difference.maxAbs},
          {"cosine", difference.cosine()},
          {"answers", difference.answers},
          {"agreement", difference.answers > 0
                            ? double(difference.agreeing) / double(difference.answers)
                            : 1.0}};
    }
    return report;
  }

  static std::string format(const Json &report) {
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
    for (auto [label, name] : {std::pair("density", "density"), {"load balance", "load_balance"}})
      add(label, get(dense, name), get(sparse, name),
          [](const Json &v) { return runtime::formatPercent(v); });
    if (dense.contains("utilization"))
      for (const auto &[unit, value] : dense["utilization"].items())
        add("utilization of " + unit, value, get(sparse["utilization"], unit.c_str()),
            [](const Json &v) { return runtime::formatPercent(v); });
    runtime::Table outputs({"output", "max abs error", "cosine", "same answer"});
    for (const auto &[name, output] : report["outputs"].items()) {
      char error[32], cosine[32];
      std::snprintf(error, sizeof error, "%.3g", output["max_abs_error"].get<double>());
      std::snprintf(cosine, sizeof cosine, "%.6f", output["cosine"].get<double>());
      outputs.addRow({name, error, cosine, runtime::formatPercent(output["agreement"])});
    }
    return table.toString() + "\n" + outputs.toString();
  }

  ModelOptions options_;
  InputOptions inputs_;
  unsigned threads_ = 0;
};

} // namespace

void addCompare(CLI::App &app) {
  addCommand<CompareCommand>(app, "compare",
                             "Compare sparse with dense attention: cost, and error of the outputs",
                             "  sparsam compare model.onnx --input samples.npz\n"
                             "  sparsam compare model.onnx --input x.npz --calibration c.json "
                             "--set threshold=0.01 --json\n");
}

} // namespace sparsam::driver
