// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Spatten.cpp - the machine and its registration ---------------------===//

#include "runtime/kernel/Machine.h"
#include "runtime/program/Program_generated.h"
#include "targets/spatten/SpattenYaml.h"
#include "targets/spatten/model/Analysis.h"
#include "targets/spatten/model/FunctionalWalk.h"
#include "targets/spatten/model/TimingWalk.h"

namespace sparsam::spatten {

using namespace runtime;

namespace {

class SpattenMachine final : public Machine {
public:
  SpattenMachine(const Arch &arch, const Params &params) : arch_(arch), params_(params) {}

  Status load(const program::AcceleratorStage &stage, unsigned stageIndex) override {
    Result<Kernel> kernel = Kernel::load(stage, params_, arch_);
    if (!kernel)
      return kernel.error();
    kernels_.insert_or_assign(stageIndex, kernel.take());
    return Status();
  }

  Result<LaunchReport> launch(unsigned stageIndex, LaunchContext &context) override {
    auto it = kernels_.find(stageIndex);
    if (it == kernels_.end())
      return makeError("stage ", stageIndex, " is not loaded");
    const Kernel &kernel = it->second;
    LaunchReport report;
    report.kernel = kernel.name();
    if (context.mode == RunMode::timing) {
      if (!context.masks)
        return makeError("a timing run needs a mask trace");
      Result<Decisions> decisions = Decisions::readFrom(*context.masks, kernel);
      if (!decisions)
        return decisions.error();
      return time(kernel, context, *decisions, std::move(report));
    }
    Decisions decisions(kernel);
    if (Status status = walkFunctional(kernel, params_, context.bindings, decisions); !status)
      return status.error();
    if (context.masks)
      decisions.writeTo(*context.masks, kernel.name());
    if (context.masks &&
        context.recordPredicted) // the selection proper: pairs whose values are mixed
      context.masks->kernels[kernel.name() + ".predicted"] = decisions.values;
    if (context.mode == RunMode::functional)
      return report;
    return time(kernel, context, decisions, std::move(report));
  }

  Result<std::string> disassemble(const program::AcceleratorStage &stage) const override {
    Result<Stage<Isa>> loaded = Stage<Isa>::load(stage);
    if (!loaded)
      return loaded.error();
    return loaded->disassemble();
  }

private:
  Result<LaunchReport> time(const Kernel &kernel, const LaunchContext &context,
                            const Decisions &decisions, LaunchReport report) {
    Status status =
        walkTiming(kernel, params_, context.bindings, decisions, context.timeline, report);
    if (!status)
      return status.error();
    return report;
  }

  Arch arch_;
  Params params_;
  std::map<unsigned, Kernel> kernels_;
};

class SpattenModel final : public TargetModel {
public:
  std::string_view archYaml() const override { return kArchYaml; }
  std::string_view paperYaml() const override { return kPaperYaml; }

  Result<std::unique_ptr<Machine>> createMachine(const Arch &arch) const override {
    Result<Params> params = Params::from(arch);
    if (!params)
      return params.error();
    return std::unique_ptr<Machine>(std::make_unique<SpattenMachine>(arch, *params));
  }
  Result<nlohmann::ordered_json> analyze(const SimulateRequest &request,
                                         const Arch &arch) const override {
    Result<Params> params = Params::from(arch);
    if (!params)
      return params.error();
    return spatten::analyze(request, *params);
  }
  Result<double> evaluateRecipe(const std::string &recipe,
                                const std::map<std::string, double> &arguments,
                                const Arch &arch) const override {
    Result<Params> params = Params::from(arch);
    if (!params)
      return params.error();
    return recipes().evaluate(recipe, arguments, *params);
  }
  std::map<std::string, double> calibrate(const std::map<std::string, double> &statistics,
                                          const Arch &) const override {
    std::map<std::string, double> parameters;
    for (auto [parameter, statistic] :
         {std::pair("tx", "q_absmax"), {"ty", "k_absmax"}, {"tz", "v_absmax"}})
      if (auto it = statistics.find(statistic); it != statistics.end())
        parameters[parameter] = it->second;
    return parameters;
  }
};

} // namespace

void registerSpattenModel(ModelRegistry &registry) {
  registry.add("spatten", std::make_unique<SpattenModel>());
}

} // namespace sparsam::spatten
