// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Sta.cpp - the machine and its registration -------------------------===//

#include "runtime/kernel/Machine.h"
#include "runtime/program/Program_generated.h"
#include "targets/sta/StaYaml.h"
#include "targets/sta/model/Analysis.h"
#include "targets/sta/model/FunctionalWalk.h"
#include "targets/sta/model/TimingWalk.h"

namespace sparsam::sta {

using namespace runtime;

/// The pairs of an attention: all of them, or those that causality allows.
static BitTensor pairsOf(const insn::Config &config) {
  BitTensor pairs(config.entries, config.heads, config.queries, config.keys);
  const int64_t offset = int64_t(config.keys) - int64_t(config.queries);
  for (int64_t head = 0; head < pairs.batch() * pairs.heads(); ++head)
    for (int64_t query = 0; query < pairs.queries(); ++query) {
      const int64_t visible =
          config.causal ? std::min<int64_t>(query + offset + 1, pairs.keys()) : pairs.keys();
      for (int64_t key = 0; key < visible; ++key)
        pairs.set(head, query, key);
    }
  return pairs;
}

namespace {

class StaMachine final : public Machine {
public:
  StaMachine(const Arch &arch, const Params &params) : arch_(arch), params_(params) {}

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
    report.metrics = nlohmann::ordered_json::object();
    if (context.mode != RunMode::timing) {
      Events events;
      if (Status status = walkFunctional(kernel, params_, context.bindings, events); !status)
        return status.error();
      if (context.masks)
        record(kernel, events, *context.masks);
    }
    if (context.mode != RunMode::functional)
      if (Status status = walkTiming(kernel, params_, context.bindings, context.timeline, report);
          !status)
        return status.error();
    if (context.masks) {
      auto rows = context.masks->kernels.find(maskedName(kernel.name()));
      report.metrics["masked_rows"] =
          rows == context.masks->kernels.end() ? int64_t(0) : rows->second.count();
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
  /// The trace entry of rows of scores that are masked everywhere: one bit each, if there are any.
  static std::string maskedName(const std::string &kernel) { return kernel + ".masked"; }
  static void record(const Kernel &kernel, const Events &events, MaskTrace &trace) {
    trace.kernels[kernel.name()] = pairsOf(kernel.config);
    if (events.maskedRows == 0)
      return;
    BitTensor rows(1, 1, 1, events.maskedRows);
    for (int64_t row = 0; row < events.maskedRows; ++row)
      rows.set(0, 0, row);
    trace.kernels[maskedName(kernel.name())] = std::move(rows);
  }

  Arch arch_;
  Params params_;
  std::map<unsigned, Kernel> kernels_;
};

class StaModel final : public TargetModel {
public:
  std::string_view archYaml() const override { return kArchYaml; }
  std::string_view paperYaml() const override { return kPaperYaml; }

  Result<std::unique_ptr<Machine>> createMachine(const Arch &arch) const override {
    Result<Params> params = Params::from(arch);
    if (!params)
      return params.error();
    return std::unique_ptr<Machine>(std::make_unique<StaMachine>(arch, *params));
  }
  Result<nlohmann::ordered_json> analyze(const SimulateRequest &request,
                                         const Arch &arch) const override {
    Result<Params> params = Params::from(arch);
    if (!params)
      return params.error();
    return sta::analyze(request, *params, arch);
  }
  Result<double> evaluateRecipe(const std::string &recipe,
                                const std::map<std::string, double> &arguments,
                                const Arch &arch) const override {
    Result<Params> params = Params::from(arch);
    if (!params)
      return params.error();
    return recipes().evaluate(recipe, arguments, *params);
  }
  /// Scales of words; floats need none.
  std::map<std::string, double> calibrate(const std::map<std::string, double> &statistics,
                                          const Arch &arch) const override {
    std::map<std::string, double> parameters;
    if (arch.text("numerics") != "fixed")
      return parameters;
    for (auto [parameter, statistic] : {std::pair("input_range", "input_absmax"),
                                        {"output_range", "output_absmax"},
                                        {"product_range", "product_absmax"},
                                        {"q_range", "q_absmax"},
                                        {"k_range", "k_absmax"},
                                        {"v_range", "v_absmax"},
                                        {"score_range", "score_absmax"}})
      if (auto it = statistics.find(statistic); it != statistics.end())
        parameters[parameter] = it->second;
    return parameters;
  }
};

} // namespace

void registerStaModel(ModelRegistry &registry) {
  registry.add("sta", std::make_unique<StaModel>());
}

} // namespace sparsam::sta
