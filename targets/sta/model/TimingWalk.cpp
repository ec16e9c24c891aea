// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- TimingWalk.cpp - the cycles of a launch ----------------------------===//

#include "targets/sta/model/TimingWalk.h"

#include "runtime/kernel/Energy.h"
#include "runtime/units/HeadWalks.h"
#include "runtime/units/TimedWalk.h"
#include "targets/sta/model/ClosedForms.h"

namespace sparsam::sta {

using namespace runtime;

namespace {

constexpr unsigned kActivationBits = 16, kConstantBits = 32;

/// Bits that an element of each binding takes in DRAM.
std::vector<unsigned> dramBits(const Kernel &kernel, const Params &params, size_t bindings) {
  std::vector<unsigned> bits(bindings, kActivationBits);
  auto set = [&](uint16_t tile, unsigned width) {
    if (tile != kAbsentOperand)
      bits[kernel.stage.generators()[tile].binding] = width;
  };
  for (const Isa::Instruction &instruction : kernel.stage.instructions()) {
    if (const auto *load = std::get_if<insn::LoadW>(&instruction)) {
      set(load->values, unsigned(params.weightBits));
      set(load->bitmaps, unsigned(params.geometry.m));
    } else if (const auto *constant = std::get_if<insn::LoadConst>(&instruction)) {
      set(constant->source, kConstantBits);
    } else if (const auto *mask = std::get_if<insn::LoadMask>(&instruction)) {
      set(mask->source, kConstantBits);
    }
  }
  return bits;
}

class Walker {
public:
  Walker(const Kernel &kernel, const Params &params, std::span<const TensorView> bindings,
         TraceWriter *timeline)
      : kernel_(kernel), params_(params), geometry_(params.geometry), bindings_(bindings),
        dma_(params.dram, DramLayout(bindings, dramBits(kernel, params, bindings.size())),
             scheduler_) {
    for (auto [unit, name] : {std::pair(&weightStream_, "dma_weights"),
                              {&activationStream_, "dma_activations"},
                              {&engine_, "dmme"},
                              {&softmax_, "softmax"},
                              {&vector_, "vector"},
                              {&reshuffle_, "reshuffle"}})
      *unit = scheduler_.addUnit(name, params.queueDepth);
    beginTimedWalk(scheduler_, kernel.stage, timeline);
  }

  Status run(LaunchReport &report) {
    Status status = walkTimed(kernel_.stage, bindings_, scheduler_, dma_, report,
                              [this](const auto &insn, Addressing &a) { return execute(insn, a); });
    report.energy = energy(report);
    report.metrics["weight_bytes"] = weightBytes_;
    report.metrics["macs"] = macs_;
    report.metrics["mac_utilization"] =
        report.cycles.value > 0
            ? double(macs_) / (double(report.cycles.value) * double(geometry_.macs()))
            : 0.0;
    return status;
  }

private:
  //===-- Transfer ---------------------------------------------------------===//

  void execute(const insn::Config &, Addressing &) {}
  void execute(const insn::LoadW &i, Addressing &a) {
    const int64_t before = dma_.dram().bytesRead().value;
    dma_.load(weightStream_, "load_w", a.tile(i.values), a.tile(i.value_slot));
    if (i.bitmaps != kAbsentOperand)
      dma_.load(weightStream_, "load_w", a.tile(i.bitmaps), a.tile(i.bitmap_slot));
    weightBytes_ += dma_.dram().bytesRead().value - before;
  }
  void execute(const insn::LoadAct &i, Addressing &a) {
    dma_.load(activationStream_, "load_act", a.tile(i.source), a.tile(i.destination));
  }
  void execute(const insn::LoadConst &i, Addressing &a) {
    dma_.load(activationStream_, "load_const", a.tile(i.source), a.tile(i.destination));
  }
  void execute(const insn::LoadMask &i, Addressing &a) {
    dma_.load(activationStream_, "load_mask", a.tile(i.source), a.tile(i.destination));
  }
  void execute(const insn::StoreAct &i, Addressing &a) {
    dma_.store(activationStream_, "store_act", a.tile(i.source), a.tile(i.destination));
  }

  //===-- Compute ----------------------------------------------------------===//

  /// Bias, function and residual ride on the shift-out and take no time of their own.
  void execute(const insn::MmSd &i, Addressing &a) {
    Tile weights = a.tile(i.weights), source = a.tile(i.source);
    const bool isSparse = i.bitmaps != kAbsentOperand;
    int64_t cycles =
        isSparse ? sparseSteps(geometry_, source.cols) : denseSteps(geometry_, source.cols);
    (isSparse ? sparseCycles_ : denseCycles_) += cycles;
    macs_ += int64_t(weights.rows) * weights.cols * source.rows;
    if (!i.last) {
      scheduler_.issue(engine_, "mm_sd", {Cycle(cycles)},
                       {weights, a.tile(i.bitmaps), source, a.tile(i.bias)}, {});
      return;
    }
    scheduler_.issue(engine_, "mm_sd", {Cycle(cycles + tileOverhead(geometry_))},
                     {weights, a.tile(i.bitmaps), source, a.tile(i.bias), a.tile(i.residual)},
                     {a.tile(i.destination)});
  }
  void execute(const insn::MmDd &i, Addressing &a) {
    Tile left = a.tile(i.a), right = a.tile(i.b);
    const bool isScores = i.product == insn::Product::Scores;
    const int64_t heads = i.heads;
    const int64_t depth = isScores ? left.cols / heads : left.cols,
                  rows = isScores ? left.rows : left.rows / heads,
                  cols = isScores ? right.rows : right.rows / heads;
    macs_ += heads * rows * cols * depth;
    const int64_t cycles = denseCycles(geometry_, heads, rows, cols, depth);
    denseCycles_ += cycles;
    scheduler_.issue(engine_, "mm_dd", {Cycle(cycles)}, {left, right}, {a.tile(i.destination)});
  }
  void execute(const insn::Softmax &i, Addressing &a) {
    Tile scores = a.tile(i.scores);
    scheduler_.issue(softmax_, "softmax",
                     {Cycle(softmaxCycles(params_.softmax, scores.rows, scores.cols)),
                      Cycle(params_.softmax.levels)},
                     {scores, a.tile(i.mask)}, {scores});
  }
  void execute(const insn::LayerNorm &i, Addressing &a) {
    Tile x = a.tile(i.source);
    const int64_t pass = ceilDivide(int64_t(x.rows) * x.cols, params_.vector.lanes);
    scheduler_.issue(vector_, "layer_norm", {Cycle(2 * pass), Cycle(params_.vector.latency)},
                     {x, a.tile(i.scale), a.tile(i.bias)}, {a.tile(i.destination)});
  }
  /// One row of the input memory, m elements in each of its banks, per cycle.
  void execute(const insn::Reshuffle &i, Addressing &a) {
    Tile x = a.tile(i.source);
    const int64_t rows = ceilDivide(int64_t(x.rows) * x.cols, geometry_.cols * geometry_.m);
    scheduler_.issue(reshuffle_, "reshuffle", {Cycle(rows)}, {x}, {a.tile(i.destination)});
  }

  //===-- Energy -----------------------------------------------------------===//

  /// Power times time by unit, each scaled with its use. The instance's power covers the whole
  /// board, so traffic is not counted again.
  std::vector<EnergyUse> energy(const LaunchReport &report) const {
    EnergyTable table;
    const PowerParams &power = params_.power;
    const double perCycle = power.watts * 1e6 / params_.clockMhz; // pJ
    const std::string source = "P Table V; split D from P Table IV";
    auto busy = [&](size_t unit) { return double(report.units[unit].busy.value); };
    table.count(table.add("mac", perCycle * power.multipliers / double(geometry_.macs()), source),
                double(macs_));
    table.count(table.add("selector cycle", perCycle * power.selectors, source),
                double(sparseCycles_));
    table.count(table.add("routing cycle", perCycle * power.routing, source), busy(engine_));
    table.count(table.add("softmax cycle", perCycle * power.softmax, source), busy(softmax_));
    table.count(table.add("cycle", perCycle * power.others, source), double(report.cycles.value));
    return table.use();
  }

  const Kernel &kernel_;
  const Params &params_;
  const Geometry &geometry_;
  std::span<const TensorView> bindings_;
  TileScheduler scheduler_;
  Dma dma_;
  UnitId weightStream_ = 0, activationStream_ = 0, engine_ = 0, softmax_ = 0, vector_ = 0,
         reshuffle_ = 0;
  int64_t macs_ = 0, weightBytes_ = 0;
  int64_t sparseCycles_ = 0, denseCycles_ = 0;
};

} // namespace

Status walkTiming(const Kernel &kernel, const Params &params, std::span<const TensorView> bindings,
                  TraceWriter *timeline, LaunchReport &report) {
  return withinMemory(kernel.name(), "to schedule it",
                      [&] { return Walker(kernel, params, bindings, timeline).run(report); });
}

} // namespace sparsam::sta
