// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Session.h - run a loaded program -----------------------------------===//
#ifndef SPARSAM_RUNTIME_PROGRAM_SESSION_H
#define SPARSAM_RUNTIME_PROGRAM_SESSION_H

#include "runtime/host/HostModel.h"
#include "runtime/kernel/Machine.h"
#include "runtime/program/Program.h"

#include <functional>

namespace sparsam::runtime {

/// Statistics of one attention core that calibration needs; keys are the C names of the members
/// below.
///   q_absmax, k_absmax, v_absmax    largest |element| of Q, K and V
///   q_normalized_absmax, k_normalized_absmax   the same after dividing each token by its 2-norm
/// With collectScores also:
///   score_absmax   of the scaled scores that no mask hides
/// and with collectLayers of each linear layer and normalisation, by the name of its node:
///   input_absmax, output_absmax   of its input and result
///   product_absmax                of a linear layer before activation and residual
using CalibrationStatistics = std::map<std::string, double>;

struct RunOptions {
  RunMode mode = RunMode::full;
  bool recordMasks = false;
  bool recordPredicted = false;           ///< with recordMasks: see LaunchContext
  const MaskTrace *replayMasks = nullptr; ///< required in timing mode, else not looked at
  bool collectStatistics = false;         ///< of every attention core run on the host
  bool collectScores = false;             ///< with collectStatistics: of scores as well
  bool collectLayers = false;             ///< with collectStatistics: of layers as well
  HostModel hostModel;                    ///< times the operators on the host
  TraceWriter *timeline = nullptr;
  /// The caches among the outputs, cut to the tokens they hold: a copy.
  bool returnState = true;
  /// Called before each stage with its index, the number of stages and its name.
  std::function<void(unsigned, unsigned, const std::string &)> progress;
};

/// What one host kernel call cost in the host model (runtime/host/HostModel.h), apart from the
/// accelerator.
struct HostReport {
  std::string op, name;
  double seconds = 0;
  double flops = 0, bytes = 0;
};

struct RunResult {
  TensorMap outputs;                  ///< empty in timing mode
  std::vector<LaunchReport> launches; ///< in program order
  std::vector<HostReport> host;
  MaskTrace masks;                                         ///< if recordMasks
  std::map<std::string, CalibrationStatistics> statistics; ///< by attention core or node
};

/// A program with its machine, ready to run any number of times.
class Session {
public:
  /// Creates the machine the program was compiled for and loads every accelerator stage onto it.
  static Result<std::unique_ptr<Session>> create(std::shared_ptr<const Program> program,
                                                 const ModelRegistry &models);
  ~Session();

  /// Runs the program. `inputs` must hold every input of the program with its shape and dtype
  /// (int32 is widened to int64); errors name the tensor. In timing mode inputs are not looked at
  /// and host kernels are not executed.
  ///
  /// A program with caches continues from what the run before left, unless `inputs` hold its
  /// caches: then as after setState. Other inputs that grow with the caches are as long as they are
  /// then.
  Result<RunResult> run(const TensorMap &inputs, const RunOptions &options);

  /// What a program that decodes token by token keeps from run to run.
  bool hasState() const;
  /// Tokens in the caches, at most that many, and how many more a run appends.
  int64_t length() const;
  int64_t capacity() const;
  int64_t step() const;
  /// Empties the caches, as they are at first.
  void reset();
  /// Fills all of them from tensors by their input names or their output names: caches of equally
  /// many tokens. Leaves them as they are where it fails.
  Status setState(const TensorMap &tensors);
  /// Copies by output name, cut to length() tokens.
  TensorMap state() const;

  const Program &program() const;
  /// The machine's parameters; null for a program that runs on the host alone.
  const Arch *arch() const;

  struct State;

private:
  Session();
  std::unique_ptr<State> state_;
};

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_PROGRAM_SESSION_H
