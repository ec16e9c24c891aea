// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- TimingWalk.cpp - the cycles of a launch ----------------------------===//

#include "targets/salo/model/TimingWalk.h"

#include "runtime/kernel/Energy.h"
#include "runtime/units/HeadWalks.h"
#include "runtime/units/TimedWalk.h"
#include "targets/salo/model/ClosedForms.h"

#include <algorithm>

namespace sparsam::salo {

using namespace runtime;

namespace {

class Walker {
public:
  Walker(const Kernel &kernel, const Params &params, std::span<const TensorView> bindings,
         TraceWriter *timeline)
      : kernel_(kernel), params_(params), bindings_(bindings),
        bus_(params.dram, DramLayout(bindings, params.wordBits), scheduler_) {
    for (auto [unit, name] : {std::pair(&dma_, "dma"),
                              {&dmaOutput_, "dma_output"},
                              {&array_, "array"},
                              {&merge_, "merge"}})
      *unit = scheduler_.addUnit(name, params.queueDepth);
    beginTimedWalk(scheduler_, kernel.stage, timeline);
  }

  Status run(LaunchReport &report) {
    Status status = walkTimed(kernel_.stage, bindings_, scheduler_, bus_, report,
                              [this](const auto &insn, Addressing &a) { return execute(insn, a); });
    report.energy = energy(report);
    report.metrics["passes"] = passes_;
    report.metrics["cycles_array"] = arrayDone_.value;
    if (passes_ > 0)
      report.metrics["cycles_closed_form"] = arrayCycles(params_, passes_, kernel_.config.head_dim);
    report.metrics["cycles_simulated"] = report.cycles.value;
    return status;
  }

private:
  //===-- Transfer ---------------------------------------------------------===//

  /// With an ideal memory everything is there at once, and nothing moves.
  void load(const char *label, const Tile &source, const Tile &destination) {
    if (params_.isIdealMemory)
      scheduler_.issue(dma_, label, {}, {}, {destination});
    else
      bus_.load(dma_, label, source, destination);
  }
  /// The tokens of a slice that exist.
  void loadSlice(const char *label, const Tile &source, int64_t first, const Tile &destination) {
    const int64_t from = std::max<int64_t>(first, 0);
    const int64_t to = std::min<int64_t>(first + destination.rows, source.validRows);
    Tile part = source;
    part.offset += from * source.rowStride;
    part.rows = part.validRows = uint32_t(std::max<int64_t>(to - from, 0));
    load(label, part, destination);
  }

  /// The numbers that say which keys of a slice are hidden.
  void loadMask(const Tile &mask, int64_t first, const Tile &destination) {
    if (mask.memory != 0)
      loadSlice("load_mask", mask, first, destination);
  }

  void execute(const insn::Config &, Addressing &) {}
  void execute(const insn::SetGlobal &, Addressing &) {}
  void execute(const insn::SelectHead &, Addressing &) {}
  void execute(const insn::LoadQuery &i, Addressing &a) {
    load("load_query", a.tile(i.source), a.tile(i.destination));
  }
  void execute(const insn::LoadGlobalQuery &i, Addressing &a) {
    load("load_global_query", a.tile(i.source), a.tile(i.destination));
  }
  void execute(const insn::LoadGlobalKey &i, Addressing &a) {
    loadMask(a.tile(i.mask), 0, a.tile(i.destination));
    load("load_global_key", a.tile(i.source), a.tile(i.destination));
  }
  void execute(const insn::LoadGlobalValue &i, Addressing &a) {
    load("load_global_value", a.tile(i.source), a.tile(i.destination));
  }
  void execute(const insn::LoadKey &i, Addressing &a) {
    loadMask(a.tile(i.mask), a.index(i.first), a.tile(i.destination));
    loadSlice("load_key", a.tile(i.source), a.index(i.first), a.tile(i.destination));
  }
  void execute(const insn::LoadValue &i, Addressing &a) {
    loadSlice("load_value", a.tile(i.source), a.index(i.first), a.tile(i.destination));
  }
  void execute(const insn::StoreOutput &i, Addressing &a) {
    const Tile source = a.tile(i.source), destination = a.tile(i.destination);
    if (params_.isIdealMemory)
      scheduler_.issue(dmaOutput_, "store_output", {}, {source}, {});
    else
      bus_.store(dmaOutput_, "store_output", source, destination);
  }

  //===-- Compute ----------------------------------------------------------===//

  /// A pass and the flush behind it hold the array; its last output leaves it when the wave has
  /// passed the columns.
  void execute(const insn::TileAttn &i, Addressing &a) {
    ++passes_;
    const int64_t hold = passCycles(params_, kernel_.config.head_dim) + 1;
    const int64_t drain = arrayCycles(params_, 1, kernel_.config.head_dim) - hold;
    arrayDone_ =
        scheduler_.issue(array_, "tile_attn", {Cycle(hold), Cycle(std::max<int64_t>(drain, 0))},
                         {a.tile(i.query), a.tile(i.key), a.tile(i.value), a.tile(i.global_key),
                          a.tile(i.global_value), a.tile(i.global_query)},
                         {});
  }
  void execute(const insn::Clear &i, Addressing &a) {
    scheduler_.issue(merge_, "clear", {}, {}, {a.tile(i.output)});
  }
  /// The outputs are merged as they leave the array, with what was merged before them.
  void execute(const insn::Merge &i, Addressing &a) {
    const int64_t dims = kernel_.config.head_dim;
    const Tile output = a.tile(i.output), global = a.tile(i.global_output);
    const Tile running = i.init ? Tile() : output;
    scheduler_.issue(merge_, "merge", {Cycle(params_.mergeCycles + dims)}, {running, global},
                     {output, global}, Cycle(std::max<int64_t>(arrayDone_.value - dims, 0)));
  }

  //===-- Energy -----------------------------------------------------------===//

  std::vector<EnergyUse> energy(const LaunchReport &report) const {
    EnergyTable table;
    table.count(table.add("array cycle", params_.arrayPicojoules,
                          "D: synthesised power (R1 README), memories not in it"),
                double(report.cycles.value));
    table.count(table.add("dram bit", params_.dramBitPicojoules, "A"),
                8 * double((report.dramRead + report.dramWritten).value));
    return table.use();
  }

  const Kernel &kernel_;
  const Params &params_;
  std::span<const TensorView> bindings_;
  TileScheduler scheduler_;
  Dma bus_;
  UnitId dma_ = 0, dmaOutput_ = 0, array_ = 0, merge_ = 0;
  Cycle arrayDone_{};
  int64_t passes_ = 0;
};

} // namespace

Status walkTiming(const Kernel &kernel, const Params &params, std::span<const TensorView> bindings,
                  TraceWriter *timeline, LaunchReport &report) {
  return withinMemory(kernel.name(), "to schedule it",
                      [&] { return Walker(kernel, params, bindings, timeline).run(report); });
}

} // namespace sparsam::salo
