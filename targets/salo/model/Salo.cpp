// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Salo.cpp - the machine and its registration ------------------------===//

#include "runtime/kernel/Machine.h"
#include "runtime/program/Program_generated.h"
#include "targets/salo/SaloYaml.h"
#include "targets/salo/model/Analysis.h"
#include "targets/salo/model/FunctionalWalk.h"
#include "targets/salo/model/Kernel.h"
#include "targets/salo/model/TimingWalk.h"

namespace sparsam::salo {

using namespace runtime;

namespace {

class SaloMachine final : public Machine {
public:
  SaloMachine(const Arch &arch, const Params &params) : arch_(arch), params_(params) {}

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
    Observed observed;
    if (context.mode != RunMode::timing)
      if (Status status = walkFunctional(kernel, params_, context.bindings, observed); !status)
        return status.error();
    if (context.mode != RunMode::functional)
      if (Status status = walkTiming(kernel, params_, context.bindings, context.timeline, report);
          !status)
        return status.error();
    if (context.mode != RunMode::timing) {
      if (observed.aliasedScores > 0)
        report.metrics["scores_out_of_range"] = observed.aliasedScores;
      countPairs(kernel, observed.pairs, report);
      if (context.masks)
        context.masks->kernels[kernel.name()] = std::move(observed.pairs);
    } else if (context.masks) {
      auto pairs = context.masks->kernels.find(kernel.name());
      if (pairs != context.masks->kernels.end())
        countPairs(kernel, pairs->second, report);
    }
    return report;
  }

  Result<std::string> disassemble(const program::AcceleratorStage &stage) const override {
    Result<Stage<Isa>> loaded = Stage<Isa>::load(stage);
    if (!loaded)
      return loaded.error();
    return loaded->disassemble();
  }

private:
  static void countPairs(const Kernel &kernel, const BitTensor &pairs, LaunchReport &report) {
    const double all =
        double(kernel.config.heads) * double(kernel.headQueries()) * double(kernel.headKeys());
    report.metrics["nnz"] = pairs.count();
    report.metrics["density"] = double(pairs.count()) / all;
  }

  Arch arch_;
  Params params_;
  std::map<unsigned, Kernel> kernels_;
};

class SaloModel final : public TargetModel {
public:
  std::string_view archYaml() const override { return kArchYaml; }
  std::string_view paperYaml() const override { return kPaperYaml; }

  Result<std::unique_ptr<Machine>> createMachine(const Arch &arch) const override {
    Result<Params> params = Params::from(arch);
    if (!params)
      return params.error();
    return std::unique_ptr<Machine>(std::make_unique<SaloMachine>(arch, *params));
  }
  Result<nlohmann::ordered_json> analyze(const SimulateRequest &request,
                                         const Arch &arch) const override {
    Result<Params> params = Params::from(arch);
    if (!params)
      return params.error();
    if (request.scores)
      return analyzeScores(request, *params);
    return analyzeLayer(request, *params);
  }
  Result<double> evaluateRecipe(const std::string &recipe,
                                const std::map<std::string, double> &arguments,
                                const Arch &arch) const override {
    Result<Params> params = Params::from(arch);
    if (!params)
      return params.error();
    return recipes().evaluate(recipe, arguments, *params);
  }
  std::map<std::string, double> calibrate(const std::map<std::string, double> &,
                                          const Arch &) const override {
    return {};
  }
};

} // namespace

void registerSaloModel(ModelRegistry &registry) {
  registry.add("salo", std::make_unique<SaloModel>());
}

} // namespace sparsam::salo
