// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ToyMachine.h - a machine for the toy instruction set ---------------===//
//
// Doubles its input tile by tile; "selects" the positive elements and spends one cycle on each of
// them.
//
#ifndef SPARSAM_RUNTIME_TEST_TOYMACHINE_H
#define SPARSAM_RUNTIME_TEST_TOYMACHINE_H

#include "runtime/kernel/Machine.h"
#include "runtime/kernel/Scheduler.h"
#include "runtime/test/ToyIsa.h"

namespace sparsam::runtime::toy {

constexpr const char *kArchYaml = R"(target: toy
summary: A toy machine
parameters:
  All:
    clock_mhz: {value: 500, summary: Clock, source: A, min: 1}
    pes: {value: 16, summary: PEs, source: A, min: 1}
)";

class Machine : public runtime::Machine {
public:
  static constexpr Cycle kLoadCycles{10}, kUseCycles{1};

  Status load(const program::AcceleratorStage &table, unsigned index) override {
    auto stage = Stage<Isa>::load(table);
    if (!stage)
      return stage.error();
    stages_.insert_or_assign(index, stage.take());
    return Status();
  }

  Result<std::string> disassemble(const program::AcceleratorStage &table) const override {
    auto stage = Stage<Isa>::load(table);
    if (!stage)
      return stage.error();
    return stage->disassemble();
  }

  Result<LaunchReport> launch(unsigned index, LaunchContext &context) override {
    const Stage<Isa> &stage = stages_.at(index);
    const std::string &name = stage.info().name;
    bool isTiming = context.mode == RunMode::timing;
    if (isTiming && !context.masks->kernels.count(name))
      return makeError("the mask trace has no kernel '", name, "'");
    if (!isTiming)
      context.masks->kernels[name] =
          BitTensor(1, 1, context.bindings[0].shape[0], context.bindings[0].shape[1]);
    Walk walk{context, context.masks->kernels[name], Scheduler(), 0, 0, Tile(), Cycle()};
    walk.dma = walk.scheduler.addUnit("dma", 4);
    walk.array = walk.scheduler.addUnit("array", 4);
    walk.scheduler.setTimeline(context.timeline, "toy");
    if (Status status = stage.walk(context.bindings, walk); !status)
      return status.error();
    LaunchReport report;
    report.cycles = walk.scheduler.finish();
    report.units = walk.scheduler.use();
    report.metrics["walk"] = isTiming ? "timing" : "numerics";
    if (!isTiming)
      report.metrics.update({{"negative", walk.negative}, {"timed_next", context.isTimedNext}});
    return report;
  }

private:
  struct Walk {
    LaunchContext &context;
    BitTensor &mask;
    Scheduler scheduler;
    UnitId dma, array;
    Tile tile;
    Cycle loaded;
    int64_t negative = 0; ///< elements; a figure that numerics alone know

    void operator()(const Load &op, Addressing &at) {
      tile = at.tile(op.source);
      loaded = scheduler.issue(dma, "load", {kLoadCycles}, {}, {});
      if (context.mode == RunMode::timing)
        return;
      const float *x = context.bindings[0].as<float>();
      float *y = context.bindings[1].as<float>();
      for (uint32_t r = 0; r < tile.validRows; ++r)
        for (uint32_t c = 0; c < tile.cols; ++c) {
          int64_t i = tile.offset + r * tile.rowStride + c;
          y[i] = 2 * x[i];
          negative += x[i] < 0;
          if (x[i] > 0)
            mask.set(0, tile.row + r, c);
        }
    }
    void operator()(const Count &op, Addressing &at) {
      int64_t count = 0;
      for (uint32_t r = 0; r < tile.validRows; ++r)
        for (uint32_t c = 0; c < tile.cols; ++c)
          count += mask.get(0, tile.row + r, c);
      at.setCounter(op.result, count);
      scheduler.waitUntil(loaded);
    }
    void operator()(const Use &, Addressing &) {
      scheduler.issue(array, "use", {kUseCycles}, {}, {});
    }
  };

  std::map<unsigned, Stage<Isa>> stages_;
};

class Model : public TargetModel {
public:
  explicit Model(std::string archYaml = kArchYaml) : archYaml_(std::move(archYaml)) {}
  std::string_view archYaml() const override { return archYaml_; }
  std::string_view paperYaml() const override { return ""; }
  Result<std::unique_ptr<runtime::Machine>> createMachine(const Arch &) const override {
    return std::unique_ptr<runtime::Machine>(new Machine());
  }
  Result<nlohmann::ordered_json> analyze(const SimulateRequest &, const Arch &) const override {
    return makeError("the toy machine has no closed forms");
  }
  Result<double> evaluateRecipe(const std::string &recipe, const std::map<std::string, double> &,
                                const Arch &) const override {
    return makeError("no recipe '", recipe, "'");
  }
  std::map<std::string, double> calibrate(const std::map<std::string, double> &,
                                          const Arch &) const override {
    return {};
  }

private:
  std::string archYaml_;
};

} // namespace sparsam::runtime::toy

#endif // SPARSAM_RUNTIME_TEST_TOYMACHINE_H
