// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ComparedModel.h - a model on machines, beside itself on the host ---===//
#ifndef SPARSAM_TOOLS_SPARSAM_COMPAREDMODEL_H
#define SPARSAM_TOOLS_SPARSAM_COMPAREDMODEL_H

#include "tools/sparsam/CompareOutputs.h"
#include "tools/sparsam/Compiler.h"

namespace sparsam::driver {

/// A model, and what it is run on.
struct ModelOnInputs {
  std::string model;
  std::vector<std::string> shapes; ///< as --shape
  std::string cache;               ///< as --cache
  runtime::TensorMap inputs;
  Samples samples; ///< to calibrate on, if not the inputs
  std::optional<runtime::Tensor> labels;
};

/// What a machine made of the model.
struct MachineRun {
  runtime::RunResult result;
  Json report;
  std::vector<std::string> warnings; ///< of the compiler and of the run
};

/// A model on machines, measured against dense attention in float32 on the host.
class ComparedModel {
public:
  explicit ComparedModel(ModelOnInputs what) : what_(std::move(what)) {}

  /// Imports the model and runs it on the host, with the ranges that any of the machines needs.
  Status runReference(const std::vector<runtime::Arch> &machines);
  /// {accuracy, answers} of the reference; null without labels.
  Json reference() const;

  /// What the machine sets by the samples, or by the inputs where there are none.
  Calibration calibration(const runtime::Arch &arch) const {
    return Compilation::calibrationFrom(statistics_, arch);
  }
  Result<MachineRun> runOn(const runtime::Arch &arch, AttentionMode mode,
                           const Calibration &calibration);

  /// Adds cycles, seconds, dram_read_bytes, dram_written_bytes, energy_picojoules and density.
  static void addCosts(const Json &report, Json &row);
  /// Adds `outputs` and, of them, the largest max_abs_error, the smallest cosine and agreement;
  /// also accuracy (null without labels).
  void addErrors(const runtime::TensorMap &outputs, Json &row) const;

private:
  ModelOnInputs what_;
  Compilation compilation_;
  runtime::RunResult reference_; ///< of the inputs
  Statistics statistics_;        ///< of the samples, or of the inputs where there are none
  std::optional<Labels> labels_;
};

/// Mean of a metric (or of a part of it) over launches, null where there is none.
Json meanMetric(const Json &report, const char *name, const char *part = nullptr);

/// What errors are measured against, and how the reference answers, as one sentence.
std::string describeReference(const Json &reference);

} // namespace sparsam::driver

#endif // SPARSAM_TOOLS_SPARSAM_COMPAREDMODEL_H
