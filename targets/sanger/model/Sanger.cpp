// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Sanger.cpp - the machine and its registration ----------------------===//

#include "runtime/kernel/Machine.h"
#include "runtime/program/Program_generated.h"
#include "runtime/support/Parallel.h"
#include "targets/sanger/SangerYaml.h"
#include "targets/sanger/model/Analysis.h"
#include "targets/sanger/model/ClosedForms.h"
#include "targets/sanger/model/FunctionalWalk.h"
#include "targets/sanger/model/Kernel.h"
#include "targets/sanger/model/Statistics.h"
#include "targets/sanger/model/TimingWalk.h"

namespace sparsam::sanger {

using namespace runtime;

namespace {

class SangerMachine final : public Machine {
public:
  SangerMachine(const Arch &arch, const Params &params) : arch_(arch), params_(params) {}

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
    MaskTrace local;
    MaskTrace &trace = context.masks ? *context.masks : local;
    if (context.mode != RunMode::timing)
      if (Status status = runFunctional(kernel, context, trace); !status)
        return status.error();
    auto masks = trace.kernels.find(kernel.name());
    if (masks == trace.kernels.end())
      return makeError("the mask trace has no masks of kernel '", kernel.name(),
                       "'; record one with the program that replays it");
    return report(kernel, context, masks->second);
  }

  Result<std::string> disassemble(const program::AcceleratorStage &stage) const override {
    Result<Stage<Isa>> loaded = Stage<Isa>::load(stage);
    if (!loaded)
      return loaded.error();
    return loaded->disassemble();
  }

private:
  Status runFunctional(const Kernel &kernel, const LaunchContext &context, MaskTrace &trace) {
    RecordedMasks masks;
    Status status =
        walkFunctional(kernel, params_, context.bindings, context.recordPredicted, masks);
    if (!status)
      return status;
    trace.kernels[kernel.name()] = std::move(masks.executed);
    if (context.recordPredicted)
      trace.kernels[predictedName(kernel.name())] = std::move(masks.predicted);
    return Status();
  }

  Result<LaunchReport> report(const Kernel &kernel, const LaunchContext &context,
                              const BitTensor &masks) {
    LaunchReport report;
    report.kernel = kernel.name();
    // The timing walk is sequential; the statistics have another thread to themselves.
    Result<MaskStatistics> statistics = makeError("not computed");
    Status status;
    const bool isTimed = context.mode != RunMode::functional;
    parallelFor(isTimed ? 2 : 1, [&](int64_t part) {
      if (part == 0)
        statistics = computeStatistics(masks, params_.array, {});
      else
        status = walkTiming(kernel, params_, context.bindings, masks, context.timeline, report);
    });
    if (!statistics)
      return statistics.error();
    if (!status)
      return status.error();
    nlohmann::ordered_json ofTheWalk = std::move(report.metrics);
    report.metrics = toJson(*statistics);
    if (ofTheWalk.is_object())
      report.metrics.update(ofTheWalk);
    if (!isTimed)
      return report;
    const insn::Config &config = kernel.config;
    report.metrics["cycles_closed_form"] =
        attentionCycles(params_, config.queries, config.keys, config.head_dim, config.predict,
                        statistics->blocksPerHead);
    report.metrics["cycles_simulated"] = report.cycles.value;
    return report;
  }

  Arch arch_;
  Params params_;
  std::map<unsigned, Kernel> kernels_;
};

class SangerModel final : public TargetModel {
public:
  std::string_view archYaml() const override { return kArchYaml; }
  std::string_view paperYaml() const override { return kPaperYaml; }

  Result<std::unique_ptr<Machine>> createMachine(const Arch &arch) const override {
    Result<Params> params = Params::from(arch);
    if (!params)
      return params.error();
    return std::unique_ptr<Machine>(std::make_unique<SangerMachine>(arch, *params));
  }
  Result<nlohmann::ordered_json> analyze(const SimulateRequest &request,
                                         const Arch &arch) const override {
    Result<Params> params = Params::from(arch);
    if (!params)
      return params.error();
    return sanger::analyze(request, *params);
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
                                          const Arch &arch) const override {
    std::string prefix = arch.flag("normalize") ? "_normalized" : "";
    std::map<std::string, double> parameters;
    for (auto [parameter, tensor] : {std::pair("tx", "q"), std::pair("ty", "k")})
      if (auto it = statistics.find(tensor + prefix + "_absmax"); it != statistics.end())
        parameters[parameter] = it->second;
    return parameters;
  }
};

} // namespace

void registerSangerModel(ModelRegistry &registry) {
  registry.add("sanger", std::make_unique<SangerModel>());
}

} // namespace sparsam::sanger
