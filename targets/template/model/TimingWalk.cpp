// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- TimingWalk.cpp - the cycles of a launch ----------------------------===//
//
// Each instruction holds one unit. What it waits for follows from the tiles it reads and writes.
//

#include "targets/template/model/Walks.h"

#include "runtime/kernel/Energy.h"
#include "runtime/units/Dma.h"

#include <algorithm>

namespace sparsam::template_ {

using namespace runtime;

namespace {

/// Bits of one element in DRAM.
constexpr unsigned kDramElementBits = 32;

class Walker {
public:
  Walker(const Kernel &kernel, const Params &params, std::span<const TensorView> bindings)
      : params_(params), dma_(params.dram, DramLayout(bindings, kDramElementBits), scheduler_),
        load_(scheduler_.addUnit("load", params.queueDepth)),
        array_(scheduler_.addUnit("array", params.queueDepth)),
        store_(scheduler_.addUnit("store", params.queueDepth)) {
    scheduler_.addMemories(kernel.stage.info(), kernel.stage.generators());
  }

  void setTimeline(TraceWriter *timeline, const std::string &target) {
    scheduler_.setTimeline(timeline, target);
  }

  void execute(const insn::Load &i, Addressing &a) {
    ++instructions_;
    dma_.load(load_, "load", a.tile(i.source), a.tile(i.destination));
  }
  void execute(const insn::Store &i, Addressing &a) {
    ++instructions_;
    dma_.store(store_, "store", a.tile(i.source), a.tile(i.destination));
  }
  /// Both products take a cycle per dimension; the last row leaves the array rows + cols later.
  void execute(const insn::Attend &i, Addressing &a) {
    ++instructions_;
    const Tile query = a.tile(i.query), output = a.tile(i.output);
    const int64_t dims = query.cols;
    scheduler_.issue(array_, "attend",
                     {Cycle(2 * dims + params_.expCycles), Cycle(params_.rows + params_.cols)},
                     {query, a.tile(i.key), a.tile(i.value), a.tile(i.bias), output}, {output});
    auto tokens = [](int64_t all, int64_t first, int64_t tile) {
      return std::clamp<int64_t>(all - first, 0, tile);
    };
    macs_ += 2.0 * double(dims) * double(tokens(i.queries, a.index(i.first_query), query.rows)) *
             double(tokens(i.keys, a.index(i.first_key), a.tile(i.key).rows));
  }

  void fill(LaunchReport &report) const {
    report.cycles = scheduler_.finish();
    report.units = scheduler_.use();
    report.dramRead = dma_.dram().bytesRead();
    report.dramWritten = dma_.dram().bytesWritten();
    report.instructions = instructions_;
    EnergyTable energy;
    energy.count(energy.add("mac", params_.macPicojoules, "A"), macs_);
    energy.count(energy.add("cycle", params_.cyclePicojoules, "A"), double(report.cycles.value));
    energy.count(energy.add("dram bit", params_.dramBitPicojoules, "A"),
                 8 * double((report.dramRead + report.dramWritten).value));
    report.energy = energy.use();
    report.metrics["macs"] = macs_;
  }

private:
  const Params &params_;
  TileScheduler scheduler_;
  Dma dma_;
  UnitId load_, array_, store_;
  double macs_ = 0;
  int64_t instructions_ = 0;
};

} // namespace

Status walkTiming(const Kernel &kernel, const Params &params, std::span<const TensorView> bindings,
                  TraceWriter *timeline, LaunchReport &report) {
  try {
    Walker walker(kernel, params, bindings);
    if (timeline)
      walker.setTimeline(timeline, kernel.stage.info().target);
    Status status = kernel.stage.walk(bindings, [&](const auto &insn, Addressing &addressing) {
      walker.execute(insn, addressing);
    });
    walker.fill(report);
    return status;
  } catch (const std::bad_alloc &) {
    return makeError("kernel '", kernel.name(), "': not enough memory to schedule it");
  }
}

} // namespace sparsam::template_
