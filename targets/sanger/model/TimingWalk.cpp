// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- TimingWalk.cpp - the cycles of a launch ----------------------------===//
//
// Each instruction holds one unit. What it waits for follows from the tiles it reads and writes; a
// column slice of a stripe is tracked by its first row, which no other slice of the stripe shares.
//

#include "targets/sanger/model/TimingWalk.h"

#include "runtime/kernel/Energy.h"
#include "runtime/units/HeadWalks.h"
#include "runtime/units/TimedWalk.h"
#include "targets/sanger/model/ClosedForms.h"
#include "targets/sanger/model/Selection.h"

#include <algorithm>

namespace sparsam::sanger {

using namespace runtime;

namespace {

/// Bits of one element in DRAM: Q, K, V, outputs and the additive mask alike. [R bench_sanger_v2]
constexpr unsigned kDramElementBits = 16;

class Walker {
public:
  Walker(const Kernel &kernel, const Params &params, std::span<const TensorView> bindings,
         const BitTensor &masks, TraceWriter *timeline)
      : kernel_(kernel), params_(params), bindings_(bindings), masks_(masks),
        selection_(kernel, params),
        bus_(params.dram, DramLayout(bindings, kDramElementBits), scheduler_) {
    for (auto [unit, name] : {std::pair(&dma_, "dma"),
                              {&dmaValue_, "dma_value"},
                              {&dmaOutput_, "dma_output"},
                              {&quantizer_, "quantizer"},
                              {&lowbit_, "lowbit"},
                              {&threshold_, "threshold"},
                              {&packer_, "packer"},
                              {&counter_, "counter"},
                              {&rsa_, "rsa"},
                              {&accumulator_, "accumulator"},
                              {&divider_, "divider"}})
      *unit = scheduler_.addUnit(name, params.queueDepth);
    beginTimedWalk(scheduler_, kernel.stage, timeline);
  }

  Status run(LaunchReport &report) {
    Status status = walkTimed(kernel_.stage, bindings_, scheduler_, bus_, report,
                              [this](const auto &insn, Addressing &a) { return execute(insn, a); });
    report.energy = energy(report);
    report.metrics["block_list_high_water_subrows"] = selection_.highWater();
    return status;
  }

private:
  Cycle issue(UnitId unit, const char *label, Hold hold, std::initializer_list<Tile> reads,
              std::initializer_list<Tile> writes, Cycle notBefore = Cycle()) {
    return scheduler_.issue(unit, label, hold, reads, writes, notBefore);
  }

  //===-- Instructions -----------------------------------------------------===//

  Status execute(const insn::Config &, Addressing &) { return Status(); }
  Status execute(const insn::SelectHead &i, Addressing &a) { return selection_.selectHead(i, a); }

  Status execute(const insn::LoadQuery &i, Addressing &a) {
    selection_.tags.load(a.tile(i.source), Role::query, a.tile(i.destination));
    bus_.load(dma_, "load_query", a.tile(i.source), a.tile(i.destination));
    return Status();
  }
  Status execute(const insn::LoadKey &i, Addressing &a) {
    selection_.tags.load(a.tile(i.source), Role::key, a.tile(i.destination));
    bus_.load(dma_, "load_key", a.tile(i.source), a.tile(i.destination));
    return Status();
  }
  Status execute(const insn::LoadValue &i, Addressing &a) {
    selection_.tags.load(a.tile(i.source), Role::value, a.tile(i.destination));
    bus_.load(dmaValue_, "load_value", a.tile(i.source), a.tile(i.destination));
    return Status();
  }
  Status execute(const insn::LoadBias &i, Addressing &a) {
    bus_.load(dma_, "load_bias", a.tile(i.source), a.tile(i.destination));
    return Status();
  }
  Status execute(const insn::StoreOutput &i, Addressing &a) {
    bus_.store(dmaOutput_, "store_output", a.tile(i.source), a.tile(i.destination));
    return selection_.store(a.tile(i.source));
  }

  Status quantize(const char *label, Role fromRole, const Tile &from, Role toRole, const Tile &to) {
    selection_.tags.copy(fromRole, from, toRole, to);
    issue(quantizer_, label, {Cycle(from.rows * params_.quantizeCycles)}, {from}, {to});
    return Status();
  }
  Status execute(const insn::QuantizeQuery &i, Addressing &a) {
    return quantize("quantize_query", Role::query, a.tile(i.source), Role::lowQuery,
                    a.tile(i.destination));
  }
  Status execute(const insn::QuantizeKey &i, Addressing &a) {
    return quantize("quantize_key", Role::key, a.tile(i.source), Role::lowKey,
                    a.tile(i.destination));
  }
  Status execute(const insn::Score &i, Addressing &a) {
    Tile query = a.tile(i.query), score = a.tile(i.score);
    selection_.score(query, score);
    Hold hold{Cycle(scoreHold(params_, kernel_.config.head_dim)), Cycle(scoreLatency(params_))};
    issue(lowbit_, "score", hold, {query, a.tile(i.key), a.tile(i.bias)}, {score});
    return Status();
  }

  /// Mask bits come from the trace.
  void replayRow(const Tile &mask, uint32_t row, int64_t query) {
    words_.assign((mask.cols + 63) / 64, 0);
    if (query >= 0 && query < masks_.queries()) {
      std::span<const uint64_t> bits = masks_.row(selection_.predictHead, query);
      std::copy_n(bits.begin(), std::min(bits.size(), words_.size()), words_.begin());
    }
    selection_.writeRow(mask, row, words_.data());
  }
  Status execute(const insn::SoftmaxThreshold &i, Addressing &a) {
    Tile scores = a.tile(i.scores), mask = a.tile(i.mask);
    if (Status order = selection_.threshold(scores); !order)
      return order;
    for (uint32_t r = 0; r < scores.rows; ++r) {
      Result<int64_t> query = selection_.queryOf(scores, r);
      if (!query)
        return query.error();
      replayRow(mask, r, *query);
    }
    issue(threshold_, "softmax_threshold", {Cycle(params_.thresholdCycles)}, {scores}, {mask});
    return Status();
  }
  Status execute(const insn::SelectAll &i, Addressing &a) {
    Tile mask = a.tile(i.mask);
    for (uint32_t r = 0; r < mask.rows; ++r)
      replayRow(mask, r, a.index(i.row) + r);
    issue(threshold_, "select_all", {Cycle(params_.thresholdCycles)}, {}, {mask});
    return Status();
  }
  Status execute(const insn::PackSplit &i, Addressing &a) {
    Tile mask = a.tile(i.mask), blocks = a.tile(i.blocks);
    Result<int64_t> repeated = selection_.pack(a.index(i.row), mask, blocks, false);
    if (!repeated)
      return repeated.error();
    // One mask column per cycle, as the array has column ports; a column that ends a block is read
    // again.
    issue(packer_, "pack_split", {Cycle(params_.array.stripe + *repeated)}, {mask}, {blocks});
    return Status();
  }
  Status execute(const insn::SealBlocks &i, Addressing &a) {
    Tile blocks = a.tile(i.blocks);
    int64_t count = selection_.seal(blocks);
    a.setCounter(i.count, count);
    // Counted at the block memory: the packer may be busy with the next head already.
    scheduler_.waitUntil(issue(counter_, "seal_blocks", {}, {blocks}, {blocks}));
    return Status();
  }

  Status execute(const insn::Sddmm &i, Addressing &a) {
    Tile query = a.tile(i.query), key = a.tile(i.key), blocks = a.tile(i.blocks);
    if (Status order = selection_.follow(1, "sddmm", "a finished block"); !order)
      return order;
    Result<BlockList *> list = selection_.take(blocks, query, key);
    if (!list)
      return list.error();
    (*list)->next();
    issue(rsa_, "sddmm", {Cycle(productCycles(params_, kernel_.config.head_dim))},
          {blocks, query, key, a.tile(i.bias)}, {});
    return Status();
  }
  Status execute(const insn::Exp &, Addressing &) {
    if (Status order = selection_.follow(2, "exp", "sddmm"); !order)
      return order;
    issue(rsa_, "exp", {Cycle(expHold(params_))}, {}, {});
    return Status();
  }
  Status execute(const insn::Spmm &i, Addressing &a) {
    Tile value = a.tile(i.value);
    if (Status order = selection_.follow(3, "spmm", "exp"); !order)
      return order;
    Hold hold{Cycle(productCycles(params_, kernel_.config.head_dim)),
              Cycle(resultLatency(params_))};
    partialsDone_ = issue(rsa_, "spmm", hold, {value}, {});
    return selection_.checkValue(value);
  }
  /// Partial rows leave the array one dimension per cycle and are added as they come.
  Status execute(const insn::Accumulate &i, Addressing &a) {
    if (Status order = selection_.follow(4, "accumulate", "spmm"); !order)
      return order;
    Tile output = a.tile(i.output);
    if (Status order = selection_.accumulate(output); !order)
      return order;
    int64_t hold = kernel_.config.head_dim;
    issue(accumulator_, "accumulate", {Cycle(hold)}, {output}, {output},
          Cycle(partialsDone_.value - hold));
    return Status();
  }
  /// One valid bit per row is cleared, as many rows at a time as the array has.
  Status execute(const insn::ClearOutput &i, Addressing &a) {
    Tile output = a.tile(i.output);
    selection_.clear(output);
    issue(accumulator_, "clear_output",
          {Cycle((output.rows + params_.array.rows - 1) / params_.array.rows)}, {}, {output});
    return Status();
  }
  Status execute(const insn::Normalize &i, Addressing &a) {
    Tile output = a.tile(i.output);
    int64_t elements = int64_t(std::min(output.rows, output.validRows)) * output.cols;
    issue(divider_, "normalize", {Cycle((elements + params_.dividers - 1) / params_.dividers)},
          {output}, {output});
    return selection_.normalize(output);
  }

  //===-- Energy -----------------------------------------------------------===//

  /// E = P * t, split by unit, and the DRAM's apart.
  std::vector<EnergyUse> energy(const LaunchReport &report) const {
    EnergyTable table;
    const EnergyPrices &prices = params_.energy;
    for (auto [event, price] : {std::pair("rsa cycle", prices.rsa),
                                {"lowbit cycle", prices.lowbit},
                                {"packer cycle", prices.packer},
                                {"accumulator cycle", prices.accumulator},
                                {"memory cycle", prices.memory}})
      table.count(table.add(event, price, "D: 2.76 W at 500 MHz (P Table 2), split assumed"),
                  double(report.cycles.value));
    table.count(table.add("dram bit", prices.dramBit, "A: HBM"),
                8 * double((report.dramRead + report.dramWritten).value));
    return table.use();
  }

  const Kernel &kernel_;
  const Params &params_;
  std::span<const TensorView> bindings_;
  const BitTensor &masks_;
  Selection selection_;
  TileScheduler scheduler_{TileScheduler::Slices::firstRow};
  Dma bus_;
  UnitId dma_ = 0, dmaValue_ = 0, dmaOutput_ = 0, quantizer_ = 0, lowbit_ = 0, threshold_ = 0,
         packer_ = 0, counter_ = 0, rsa_ = 0, accumulator_ = 0, divider_ = 0;
  std::vector<uint64_t> words_;
  Cycle partialsDone_{};
};

} // namespace

static Status checkMasks(const Kernel &kernel, const BitTensor &masks) {
  const insn::Config &config = kernel.config;
  if (masks.batch() * masks.heads() == int64_t(config.heads) &&
      masks.queries() == int64_t(config.queries) && masks.keys() == int64_t(config.keys))
    return Status();
  return makeError("the masks of kernel '", kernel.name(), "' must be for ", config.heads,
                   " heads, ", config.queries, " queries and ", config.keys, " keys, got [",
                   masks.batch(), ", ", masks.heads(), ", ", masks.queries(), ", ", masks.keys(),
                   "]");
}

Status walkTiming(const Kernel &kernel, const Params &params, std::span<const TensorView> bindings,
                  const BitTensor &masks, TraceWriter *timeline, LaunchReport &report) {
  if (Status status = checkMasks(kernel, masks); !status)
    return status;
  return withinMemory(kernel.name(), "to schedule it", [&] {
    return Walker(kernel, params, bindings, masks, timeline).run(report);
  });
}

} // namespace sparsam::sanger
