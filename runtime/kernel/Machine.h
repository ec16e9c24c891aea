// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Machine.h - what a target's model implements -----------------------===//
//
// A machine executes the accelerator stages of a program. Numerics and time are one walk over the
// decoded command words: an instruction does its arithmetic on the machine's buffers *and* says
// which unit it holds for how long. The runtime asks for the walk in one of three modes; `full` is
// a functional walk that records the run-time selection (masks), followed by a timing walk that
// replays it, so that a replayed trace gives the same cycles by construction and the functional
// walk may use all threads.
//
#ifndef SPARSAM_RUNTIME_KERNEL_MACHINE_H
#define SPARSAM_RUNTIME_KERNEL_MACHINE_H

#include "runtime/arch/Arch.h"
#include "runtime/kernel/MaskTrace.h"
#include "runtime/kernel/Units.h"
#include "runtime/program/Tensor.h"
#include "runtime/support/Result.h"

#include <nlohmann/json.hpp>

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sparsam::program {
struct AcceleratorStage;
} // namespace sparsam::program

namespace sparsam::runtime {

class TraceWriter;

/// full: numerics and time; functional: numerics only; timing: time only, selections come from a
/// mask trace.
enum class RunMode { full, functional, timing };

/// What one launch works on.
struct LaunchContext {
  RunMode mode = RunMode::full;
  std::vector<TensorView> bindings; ///< inputs, then results; data may be null in timing mode
  MaskTrace *masks = nullptr;       ///< written by a functional walk, read by a timing walk
  /// A functional walk records the selection as predicted as well, before what a policy adds to it,
  /// as kernel
  /// `<kernel>.predicted`.
  bool recordPredicted = false;
  /// A timing walk with the same masks follows, which reports all that they determine: a functional
  /// walk needs to report only what the numerics alone know.
  bool isTimedNext = false;
  TraceWriter *timeline = nullptr; ///< receives one event per unit occupation, if not null
};

/// How one unit spent the launch.
struct UnitUse {
  std::string unit;
  Cycle busy;
  int64_t instructions = 0;
};

/// One energy event kind: how often, and picojoules each.
struct EnergyUse {
  std::string event;
  double count = 0;
  double picojoulesEach = 0;
  std::string source; ///< provenance of the picojoules
};

/// What one launch cost.
struct LaunchReport {
  std::string kernel;
  Cycle cycles;
  std::vector<UnitUse> units;
  Bytes dramRead, dramWritten;
  std::vector<EnergyUse> energy;
  int64_t instructions = 0;
  /// Target-specific figures ("density", "load_balance", ...), printed as they are.
  nlohmann::ordered_json metrics;
};

/// One accelerator instance with the program loaded on it.
class Machine {
public:
  virtual ~Machine() = default;
  /// Decodes and checks the command words of a stage: opcodes, field ranges, loop nesting,
  /// descriptor indices and bounds of every address. Called once per stage when a program is
  /// loaded.
  virtual Status load(const program::AcceleratorStage &stage, unsigned stageIndex) = 0;
  /// Runs a loaded stage. Called for several stages at once in timing mode, each with a context of
  /// its own.
  virtual Result<LaunchReport> launch(unsigned stageIndex, LaunchContext &context) = 0;
  /// One line per command word group.
  virtual Result<std::string> disassemble(const program::AcceleratorStage &stage) const = 0;
};

/// What `sparsam simulate` is asked about one target.
struct SimulateRequest {
  const MaskTrace *masks = nullptr;  ///< or null: closed forms, scores or a workload
  std::vector<int64_t> validLengths; ///< one for all, or one per batch entry; empty: all valid
  int64_t headDim = 64;
  std::optional<int64_t> seqLen;       ///< closed forms: keys = queries
  std::map<std::string, double> given; ///< other numbers by option: "density", "window", "heads"...
  std::optional<Tensor> scores;        ///< scores to select from, float32 [heads, n, n]
  std::string workload;                ///< path of a workload table (CSV); empty: none
  TensorMap *tensors = nullptr;        ///< receives what -o writes, if not null

  /// Refuses what was given by an option that is not among `options`: those `target` looks at,
  /// without their dashes.
  Status expectOnly(std::string_view target, const std::vector<std::string> &options) const;
};

/// One row of paper.yaml beside ours.
struct PaperRow {
  std::string metric, workload, source, reason; ///< reason: why it cannot be reproduced, else empty
  std::optional<double> published, ours, tolerance;
  std::string unit, recipe;
  bool pass = false;
};

/// The model half of a target.
class TargetModel {
public:
  virtual ~TargetModel() = default;
  /// Texts of arch.yaml and paper.yaml, built into the library.
  virtual std::string_view archYaml() const = 0;
  virtual std::string_view paperYaml() const = 0;
  virtual Result<std::unique_ptr<Machine>> createMachine(const Arch &arch) const = 0;
  /// Figures of given masks, or closed forms, without a program: everything `simulate` prints
  /// except what the timing walk of a compiled attention core adds (`cycles`, `units`).
  virtual Result<nlohmann::ordered_json> analyze(const SimulateRequest &request,
                                                 const Arch &arch) const = 0;
  /// Value of a paper.yaml recipe. Errors name the recipe.
  virtual Result<double> evaluateRecipe(const std::string &recipe,
                                        const std::map<std::string, double> &arguments,
                                        const Arch &arch) const = 0;
  /// Parameters (`name=value`) that calibration statistics of one attention core determine; empty
  /// if the target needs none. Statistics are those of CalibrationStatistics.
  virtual std::map<std::string, double> calibrate(const std::map<std::string, double> &statistics,
                                                  const Arch &arch) const = 0;
};

/// The models of all targets that were built, by name.
class ModelRegistry {
public:
  void add(std::string name, std::unique_ptr<TargetModel> model) {
    models_[std::move(name)] = std::move(model);
  }
  const TargetModel *find(std::string_view name) const {
    auto it = models_.find(name);
    return it == models_.end() ? nullptr : it->second.get();
  }
  const std::map<std::string, std::unique_ptr<TargetModel>, std::less<>> &all() const {
    return models_;
  }

private:
  std::map<std::string, std::unique_ptr<TargetModel>, std::less<>> models_;
};

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_KERNEL_MACHINE_H
