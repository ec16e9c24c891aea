// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Template.cpp - the machine and its registration --------------------===//

#include "runtime/program/Program_generated.h"
#include "runtime/support/Text.h"
#include "targets/template/TemplateYaml.h"
#include "targets/template/model/Walks.h"

namespace sparsam::template_ {

using namespace runtime;

namespace {

class TemplateMachine final : public Machine {
public:
  TemplateMachine(const Arch &arch, const Params &params) : arch_(arch), params_(params) {}

  Status load(const program::AcceleratorStage &stage, unsigned stageIndex) override {
    Result<Kernel> kernel = Kernel::load(stage, params_, arch_);
    if (!kernel)
      return kernel.error();
    kernels_.insert_or_assign(stageIndex, kernel.take());
    return Status();
  }

  /// Nothing is decided at run time: there are no masks to record or to replay.
  Result<LaunchReport> launch(unsigned stageIndex, LaunchContext &context) override {
    auto it = kernels_.find(stageIndex);
    if (it == kernels_.end())
      return makeError("stage ", stageIndex, " is not loaded");
    const Kernel &kernel = it->second;
    LaunchReport report;
    report.kernel = kernel.name();
    if (context.mode != RunMode::timing)
      if (Status status = walkFunctional(kernel, context.bindings); !status)
        return status.error();
    if (context.mode != RunMode::functional)
      if (Status status = walkTiming(kernel, params_, context.bindings, context.timeline, report);
          !status)
        return status.error();
    return report;
  }

  Result<std::string> disassemble(const program::AcceleratorStage &stage) const override {
    Result<Stage<Isa>> loaded = Stage<Isa>::load(stage);
    if (!loaded)
      return loaded.error();
    return loaded->disassemble();
  }

private:
  Arch arch_;
  Params params_;
  std::map<unsigned, Kernel> kernels_;
};

class TemplateModel final : public TargetModel {
public:
  std::string_view archYaml() const override { return kArchYaml; }
  std::string_view paperYaml() const override { return kPaperYaml; }

  Result<std::unique_ptr<Machine>> createMachine(const Arch &arch) const override {
    Result<Params> params = Params::from(arch);
    if (!params)
      return params.error();
    return std::unique_ptr<Machine>(std::make_unique<TemplateMachine>(arch, *params));
  }

  /// Pairs of the given masks' shapes: this machine computes all of them.
  Result<nlohmann::ordered_json> analyze(const SimulateRequest &request,
                                         const Arch &) const override {
    if (Status status = request.expectOnly("template", {"masks", "head-dim", "valid-len"}); !status)
      return status.error();
    if (!request.masks)
      return makeError("this machine has no closed forms; give --masks");
    double pairs = 0;
    for (const auto &[name, masks] : request.masks->kernels)
      pairs += double(masks.batch() * masks.heads()) * double(masks.queries() * masks.keys());
    return nlohmann::ordered_json{{"pairs", pairs}};
  }
  Result<double> evaluateRecipe(const std::string &recipe, const std::map<std::string, double> &,
                                const Arch &) const override {
    return makeError("unknown recipe '", printable(recipe), "'; this machine has none");
  }
  std::map<std::string, double> calibrate(const std::map<std::string, double> &,
                                          const Arch &) const override {
    return {};
  }
};

} // namespace

void registerTemplateModel(ModelRegistry &registry) {
  registry.add("template", std::make_unique<TemplateModel>());
}

} // namespace sparsam::template_
