// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SessionState.h - what a session keeps between runs -----------------===//
//
// Internal to runtime/program.
//
#ifndef SPARSAM_RUNTIME_PROGRAM_SESSIONSTATE_H
#define SPARSAM_RUNTIME_PROGRAM_SESSIONSTATE_H

#include "runtime/host/HostKernel.h"
#include "runtime/program/Session.h"

namespace sparsam::program {
struct AcceleratorStage;
struct Cache;
struct HostKernel;
} // namespace sparsam::program

namespace sparsam::runtime {

struct Session::State {
  std::shared_ptr<const Program> program;
  std::unique_ptr<Arch> arch;
  std::unique_ptr<Machine> machine;
  std::vector<TensorView> tensors; ///< type and shape; data of constants and activations
  std::vector<std::unique_ptr<HostKernel>>
      hostKernels; ///< by stage; made by the first run that needs them
  Tensor arena;
  Tensor kept; ///< what outlives a run; see SessionCache.cpp
  bool isPrepared = false;

  /// Machine of the program's target with the parameters it was compiled for.
  Status createMachine(const ModelRegistry &models);
  /// Loads every accelerator stage and checks its bindings.
  Status loadStages();
  /// Makes arena and host kernels: what a timing run does not need.
  Status prepareHost();
  Status createHost(unsigned stage);

  const program::Cache *cache() const;
  /// Makes the memory that outlives a run.
  Status allocateState();
  int64_t &length();
  /// The caches among `inputs` by input name; nothing where there is none.
  TensorMap pickState(const TensorMap &inputs) const;
  Status setState(const TensorMap &tensors);
  void addState(TensorMap &outputs) const;
  /// An input that grows, filled up with zeros to the program's shape. Null: it does not grow.
  Result<std::optional<Tensor>> fillUp(unsigned index, const std::string &name,
                                       const Tensor &value);

  /// The bindings of an accelerator stage, or operands of a host kernel; -1 is an absent operand.
  template <typename Indices> std::vector<TensorView> viewsOf(const Indices *indices) const {
    std::vector<TensorView> views;
    for (unsigned i = 0; indices && i < indices->size(); ++i)
      views.push_back(indices->Get(i) < 0 ? TensorView{DType::f32, {}, nullptr, true}
                                          : tensors[size_t(indices->Get(i))]);
    return views;
  }
};

/// Attributes of a host kernel in the form kernels take them.
HostAttributes hostAttributes(const program::HostKernel &kernel);

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_PROGRAM_SESSIONSTATE_H
