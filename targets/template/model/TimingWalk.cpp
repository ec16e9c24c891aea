// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- TimingWalk.cpp - the cycles of a launch ----------------------------===//
//
// Each instruction holds one unit. What it waits for follows from the tiles it reads and writes.
//

#include "targets/template/model/Walks.h"

#include "runtime/kernel/Energy.h"
#include "runtime/units/HeadWalks.h"
#include "runtime/units/TimedWalk.h"

#include <algorithm>

namespace sparsam::template_ {

using namespace runtime;

namespace {

/// Bits of one element in DRAM.
constexpr unsigned kDramElementBits = 32;

class Walker {
public:
  Walker(const Kernel &kernel, const Params &params, std::span<const TensorView> bindings,
         TraceWriter *timeline)
      : kernel_(kernel), params_(params), bindings_(bindings),
        dma_(params.dram, DramLayout(bindings, kDramElementBits), scheduler_),
        load_(scheduler_.addUnit("load", params.queueDepth)),
        array_(scheduler_.addUnit("array", params.queueDepth)),
        store_(scheduler_.addUnit("store", params.queueDepth)) {
    beginTimedWalk(scheduler_, kernel.stage, timeline);
  }

  Status run(LaunchReport &report) {
    Status status = walkTimed(kernel_.stage, bindings_, scheduler_, dma_, report,
                              [this](const auto &insn, Addressing &a) { execute(insn, a); });
    EnergyTable energy;
    energy.count(energy.add("mac", params_.macPicojoules, "A"), macs_);
    energy.count(energy.add("cycle", params_.cyclePicojoules, "A"), double(report.cycles.value));
    energy.count(energy.add("dram bit", params_.dramBitPicojoules, "A"),
                 8 * double((report.dramRead + report.dramWritten).value));
    report.energy = energy.use();
    report.metrics["macs"] = macs_;
    return status;
  }

private:
  void execute(const insn::Load &i, Addressing &a) {
    dma_.load(load_, "load", a.tile(i.source), a.tile(i.destination));
  }
  void execute(const insn::Store &i, Addressing &a) {
    dma_.store(store_, "store", a.tile(i.source), a.tile(i.destination));
  }
  /// Both products take a cycle per dimension; the last row leaves the array rows + cols later.
  void execute(const insn::Attend &i, Addressing &a) {
    const Tile query = a.tile(i.query), output = a.tile(i.output);
    const Tile running = a.index(i.first_key) == 0 ? Tile() : output;
    const int64_t dims = query.cols;
    scheduler_.issue(array_, "attend",
                     {Cycle(2 * dims + params_.expCycles), Cycle(params_.rows + params_.cols)},
                     {query, a.tile(i.key), a.tile(i.value), a.tile(i.bias), running}, {output});
    auto tokens = [](int64_t all, int64_t first, int64_t tile) {
      return std::clamp<int64_t>(all - first, 0, tile);
    };
    macs_ += 2.0 * double(dims) * double(tokens(i.queries, a.index(i.first_query), query.rows)) *
             double(tokens(i.keys, a.index(i.first_key), a.tile(i.key).rows));
  }

  const Kernel &kernel_;
  const Params &params_;
  std::span<const TensorView> bindings_;
  TileScheduler scheduler_;
  Dma dma_;
  UnitId load_, array_, store_;
  double macs_ = 0;
};

} // namespace

Status walkTiming(const Kernel &kernel, const Params &params, std::span<const TensorView> bindings,
                  TraceWriter *timeline, LaunchReport &report) {
  return withinMemory(kernel.name(), "to schedule it",
                      [&] { return Walker(kernel, params, bindings, timeline).run(report); });
}

} // namespace sparsam::template_
