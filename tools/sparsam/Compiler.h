// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Compiler.h - from a model to a program -----------------------------===//
#ifndef SPARSAM_TOOLS_SPARSAM_COMPILER_H
#define SPARSAM_TOOLS_SPARSAM_COMPILER_H

#include "tools/sparsam/Common.h"

#include "sparsam/Assembler.h"
#include "sparsam/Pipelines.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

#include <optional>

namespace sparsam::driver {

/// Parameters that calibration sets, by attention core, then by name.
using Calibration = std::map<std::string, std::map<std::string, double>>;

/// By attention core or node.
using Statistics = decltype(runtime::RunResult::statistics);

/// {"attention_0": {"name": value, ...}, ..., "for": {"target": "sanger", "name": "statistic",
/// ...}}: the values, and what they were made for.
Json toJson(const Calibration &calibration, const runtime::Arch &arch);

/// Reads what `sparsam calibrate` writes. Parameters that were set stay; those that calibration
/// does not set are refused, as is what was made for another target or by another rule.
Result<Calibration> readCalibration(const std::string &path, const runtime::Arch &arch);

/// "  not raised: ..." lines.
std::string listNotRaised(const std::vector<std::string> &texts);

/// True if parameters from calibration change what runs in this mode.
bool usesCalibration(AttentionMode mode, const runtime::Arch &arch);

/// A model or a single attention core on its way to a program. Errors are the diagnostics of the
/// compiler.
class Compilation {
public:
  Compilation();

  /// Imports the model and raises its attention. `shapes` are "name=1x128"; `cache` is "past=1024",
  /// or empty; `inputs`, if not null, give the shapes that `shapes` does not.
  Status importModel(const std::string &path, const std::vector<std::string> &shapes,
                     const std::string &cache, const runtime::TensorMap *inputs = nullptr);
  /// Imports the model and leaves it as it is: the form that raising starts from.
  Status importGraph(const std::string &path, const std::vector<std::string> &shapes);
  /// Attention in a form that nothing can run is then no error of importModel: it is not raised.
  void keepRefused() { keepsRefused_ = true; }
  /// A program of one attention core instead.
  void buildAttention(const std::vector<int64_t> &queryShape, int64_t keys, bool hasMask);

  /// Takes the warnings of the compiler; without it they go to stderr.
  void onWarning(std::function<void(std::string)> take) { takeWarning_ = std::move(take); }

  unsigned attentionCount() const { return attention_; }
  const std::vector<std::string> &notRaised() const { return notRaised_; }
  mlir::ModuleOp module() { return *module_; }

  /// Runs the model with dense attention on the host on each of the samples, and returns what the
  /// target sets by the statistics of all; parameters that were set stay.
  Result<Calibration> calibrate(const Samples &samples, const runtime::Arch &arch);

  /// What the target sets by statistics.
  static Calibration calibrationFrom(const Statistics &statistics, const runtime::Arch &arch);

  /// The statistics of dense attention on the host on all samples.
  Result<Statistics> statisticsOf(const Samples &samples, const runtime::Arch &arch,
                                  NeededRanges ranges);

  /// Runs the model with dense attention on the host: its outputs, and the statistics of every
  /// attention core.
  Result<runtime::RunResult> runOnHost(const runtime::TensorMap &inputs, const runtime::Arch &arch,
                                       NeededRanges ranges);

  /// Lowers a copy for the machine and makes a session of it; may be called any number of times.
  Result<std::unique_ptr<runtime::Session>> start(const runtime::Arch &arch, AttentionMode mode,
                                                  const Calibration &calibration);

  /// Lowers for the machine; may be called once.
  Status lower(const runtime::Arch &arch, AttentionMode mode, const Calibration &calibration);

  /// Runs the passes that `add` adds. A crash inside a pass becomes an error that names the
  /// reproducer and says how to run it.
  Status runPasses(const std::function<void(mlir::OpPassManager &)> &add);

  /// Whether an error is about one of the attention cores of the model.
  bool isOfAttention(const std::string &error) const;

  /// What pruning did to the weights: "n", "m", "bytes_before", "bytes_after", "error"; null if
  /// nothing was pruned.
  Json weights();

  /// Writes the program file and loads it; a program that does not load leaves no file.
  Result<std::shared_ptr<const runtime::Program>> assembleTo(const std::string &path,
                                                             const Provenance &provenance);
  Result<std::shared_ptr<const runtime::Program>> assemble(const Provenance &provenance);

private:
  /// With a cache, the model is a decoder, and is raised already.
  Status import(const std::string &path, const std::vector<std::string> &shapes,
                const std::string &cache, const runtime::TensorMap *inputs);
  /// A note on how to calibrate, where attention has no values.
  std::string calibrationNote(const runtime::Arch &arch, const Calibration &calibration) const;
  /// `provenance` with what pruning did to the weights.
  Provenance withWeights(Provenance provenance);
  /// The error that was reported.
  Status failed(const std::string &what);

  std::unique_ptr<mlir::MLIRContext> context_;
  std::vector<std::string> errors_;
  bool isUncalibrated_ = false; ///< an error said so
  std::function<void(std::string)> takeWarning_;
  mlir::OwningOpRef<mlir::ModuleOp> module_;
  bool keepsRefused_ = false;
  unsigned attention_ = 0;
  std::vector<std::string> places_; ///< of attention, as errors name them
  std::vector<std::string> notRaised_;
  std::string path_;
};

/// A model or a program, and the files that hold data of its tensors.
std::vector<NamedFile> modelFiles(const std::string &path);

/// Options of commands that compile a model.
struct ModelOptions {
  MachineOptions machine;
  std::string model, calibrationFile, cache;
  std::vector<std::string> shapes, samples;
  std::string attention = "sparse";
  bool dense = false;

  void addTo(CLI::App &command, const char *what = "ONNX model", const char *type = "MODEL.onnx");
  AttentionMode mode() const;
  /// Imports, calibrates and lowers the model; what is left to do is to assemble it. `inputs` as
  /// for importModel.
  Status compile(Compilation &compilation, const runtime::Arch &arch,
                 const runtime::TensorMap *inputs = nullptr) const;
  /// Parameters of attention cores from --calibration or --calibrate.
  Result<Calibration> calibration(Compilation &compilation, const runtime::Arch &arch) const;
  Provenance provenance(const runtime::Arch &arch) const;
  /// The files that compiling reads.
  std::vector<NamedFile> paths() const;
};

} // namespace sparsam::driver

#endif // SPARSAM_TOOLS_SPARSAM_COMPILER_H
