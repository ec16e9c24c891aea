// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- KernelModel.h - the model of a target, made of what differs --------===//
//
// Every target keeps loaded kernels by stage, reads its parameters from the architecture before
// anything else, and looks recipes up. That is here; a target states its parts.
//
#ifndef SPARSAM_RUNTIME_KERNEL_KERNELMODEL_H
#define SPARSAM_RUNTIME_KERNEL_KERNELMODEL_H

#include "runtime/kernel/Machine.h"
#include "runtime/kernel/RecipeTable.h"
#include "runtime/kernel/Sequencer.h"

#include <utility>

namespace sparsam::runtime {

/// Which statistic of a calibration each parameter takes its value from: {"tx", "q_absmax"}.
using CalibrationRules = std::vector<std::pair<std::string, std::string>>;

/// The parameters that `statistics` determine by `rules`.
std::map<std::string, double> applyRules(const CalibrationRules &rules,
                                         const std::map<std::string, double> &statistics);

/// What differs from target to target.
///   Params: the parameters of the machine; has
///     static Result<Params> from(const Arch &);
///   Kernel: a stage, loaded and checked; has its decoded `stage` and
///     static Result<Kernel> load(const program::AcceleratorStage &, const Params &, const Arch &);
template <typename Params, typename Kernel> struct ModelParts {
  /// Texts of arch.yaml and paper.yaml; they outlive the model.
  std::string_view archYaml, paperYaml;
  /// Runs a kernel. The report names it already.
  Status (*launch)(const Kernel &, const Params &, LaunchContext &, LaunchReport &);
  /// As TargetModel::analyze.
  Result<nlohmann::ordered_json> (*analyze)(const SimulateRequest &, const Params &, const Arch &);
  /// The recipes of paper.yaml; null: none.
  RecipeTable<Params> (*recipes)() = nullptr;
  /// What a calibration determines; null: nothing.
  CalibrationRules (*calibration)(const Arch &) = nullptr;
};

/// A machine with the kernels that are loaded on it.
template <typename Params, typename Kernel> class KernelMachine final : public Machine {
public:
  using Parts = ModelParts<Params, Kernel>;
  KernelMachine(const Parts &parts, const Arch &arch, Params params)
      : launch_(parts.launch), arch_(arch), params_(std::move(params)) {}

  Status load(const program::AcceleratorStage &stage, unsigned stageIndex) override {
    Result<Kernel> kernel = Kernel::load(stage, params_, arch_);
    if (!kernel)
      return kernel.error();
    kernels_.insert_or_assign(stageIndex, kernel.take());
    return Status();
  }

  Result<LaunchReport> launch(unsigned stageIndex, LaunchContext &context) override {
    auto kernel = kernels_.find(stageIndex);
    if (kernel == kernels_.end())
      return makeError("stage ", stageIndex, " is not loaded");
    LaunchReport report;
    report.kernel = kernel->second.stage.info().name;
    if (Status status = launch_(kernel->second, params_, context, report); !status)
      return status.error();
    return report;
  }

  Result<std::string> disassemble(const program::AcceleratorStage &stage) const override {
    auto loaded = decltype(Kernel::stage)::load(stage);
    if (!loaded)
      return loaded.error();
    return loaded->disassemble();
  }

private:
  decltype(Parts::launch) launch_;
  Arch arch_;
  Params params_;
  std::map<unsigned, Kernel> kernels_;
};

/// The model of a target.
template <typename Params, typename Kernel> class KernelModel final : public TargetModel {
public:
  explicit KernelModel(ModelParts<Params, Kernel> parts) : parts_(parts) {}

  std::string_view archYaml() const override { return parts_.archYaml; }
  std::string_view paperYaml() const override { return parts_.paperYaml; }

  Result<std::unique_ptr<Machine>> createMachine(const Arch &arch) const override {
    Result<Params> params = Params::from(arch);
    if (!params)
      return params.error();
    return std::unique_ptr<Machine>(
        std::make_unique<KernelMachine<Params, Kernel>>(parts_, arch, params.take()));
  }

  Result<nlohmann::ordered_json> analyze(const SimulateRequest &request,
                                         const Arch &arch) const override {
    Result<Params> params = Params::from(arch);
    if (!params)
      return params.error();
    Result<nlohmann::ordered_json> figures = parts_.analyze(request, *params, arch);
    // Behind the target's own errors: one that has no use for masks says so.
    if (figures && request.masks && request.masks->kernels.empty())
      return makeError("the mask file holds no masks");
    return figures;
  }

  Result<double> evaluateRecipe(const std::string &recipe,
                                const std::map<std::string, double> &arguments,
                                const Arch &arch) const override {
    Result<Params> params = Params::from(arch);
    if (!params)
      return params.error();
    const RecipeTable<Params> table = parts_.recipes ? parts_.recipes() : RecipeTable<Params>();
    return table.evaluate(recipe, arguments, *params);
  }

  std::map<std::string, double> calibrate(const std::map<std::string, double> &statistics,
                                          const Arch &arch) const override {
    if (!parts_.calibration)
      return {};
    return applyRules(parts_.calibration(arch), statistics);
  }

private:
  ModelParts<Params, Kernel> parts_;
};

/// Adds the model that `parts` make to `registry`.
template <typename Params, typename Kernel>
void addModel(ModelRegistry &registry, std::string name, ModelParts<Params, Kernel> parts) {
  registry.add(std::move(name), std::make_unique<KernelModel<Params, Kernel>>(parts));
}

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_KERNEL_KERNELMODEL_H
