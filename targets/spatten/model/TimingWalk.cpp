// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- TimingWalk.cpp - the cycles of a launch ----------------------------===//

#include "targets/spatten/model/TimingWalk.h"

#include "runtime/kernel/Energy.h"
#include "runtime/units/HeadWalks.h"
#include "targets/spatten/model/Channels.h"
#include "targets/spatten/model/ClosedForms.h"
#include "targets/spatten/model/Pipeline.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>

namespace sparsam::spatten {

using namespace runtime;

namespace {

constexpr int64_t kWordBits = 12;  ///< of queries and outputs in DRAM [P IV]
constexpr int64_t kScoreBytes = 4; ///< of a bias or an accumulated score in DRAM [A]

int64_t divideCeil(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// Positions of the bits of a row.
void positions(std::span<const uint64_t> row, std::vector<int64_t> &result) {
  result.clear();
  for (size_t w = 0; w < row.size(); ++w)
    for (uint64_t rest = row[w]; rest != 0; rest &= rest - 1)
      result.push_back(int64_t(w * 64) + std::countr_zero(rest));
}

class Walker {
public:
  Walker(const Kernel &kernel, const Params &params, std::span<const TensorView> bindings,
         const Decisions &decisions, TraceWriter *timeline)
      : kernel_(kernel), params_(params), bindings_(bindings), decisions_(decisions),
        channels_(params), pipeline_(params, scheduler_) {
    for (const MemoryUse &use : kernel.memories)
      if (use.number != 0)
        scheduler_.addMemory(use.number, std::max<int64_t>(use.extent, 1), 1);
    if (timeline)
      scheduler_.setTimeline(timeline, kernel.stage.info().target);
  }

  Status run(LaunchReport &report) {
    Status status = kernel_.stage.walk(bindings_, [this](const auto &insn, Addressing &addressing) {
      ++instructions_;
      return execute(insn, addressing);
    });
    report.cycles = scheduler_.finish();
    report.units = scheduler_.use();
    if (params_.isBehavioural)
      report.cycles = Cycle(behavioural(report.units));
    report.dramWritten = Bytes(channels_.bytes(Plane::output) + storedScoreBytes_);
    report.dramRead = Bytes(channels_.totalBytes() - report.dramWritten.value);
    report.instructions = instructions_;
    report.energy = energyOf(params_, report.cycles.value, channels_.totalBytes());
    addMetrics(report);
    return status;
  }

private:
  //===-- Ranges -----------------------------------------------------------===//

  static Range rangeOf(const Tile &t) {
    return {t.memory, t.offset, t.offset + (int64_t(t.rows) - 1) * t.rowStride + t.cols};
  }
  template <typename... Tiles> std::span<const Range> ranges(const Tiles &...tiles) {
    size_t count = 0;
    for (const Tile *tile : std::initializer_list<const Tile *>{&tiles...})
      if (tile->memory > 1)
        ranges_[count++] = rangeOf(*tile);
    return {ranges_.data(), count};
  }

  //===-- Instructions -----------------------------------------------------===//

  Status execute(const insn::Config &, Addressing &) { return Status(); }
  Status execute(const insn::BindHead &i, Addressing &a) {
    head_ = a.index(i.head);
    if (head_ >= 0 && head_ < kernel_.totalHeads())
      return Status();
    return makeError("kernel '", kernel_.name(), "': 'bind_head' of head ", head_, " of ",
                     kernel_.totalHeads());
  }
  Status execute(const insn::ResetScores &, Addressing &) { return Status(); }
  Status execute(const insn::SetLength &, Addressing &) {
    pipeline_.fetch("set_length", channels_.move(Plane::scores, 8), {});
    hasLength_ = true;
    return Status();
  }
  Status execute(const insn::SetTokens &i, Addressing &a) {
    Tile list = a.tile(i.destination);
    move(Plane::scores, "set_tokens", int64_t(list.cols) * 2, list); // 16 bits each
    return Status();
  }
  Status execute(const insn::SetHeads &i, Addressing &a) {
    Tile list = a.tile(i.destination);
    move(Plane::scores, "set_heads", int64_t(list.cols) * 2, list); // 16 bits each
    return Status();
  }
  Status execute(const insn::LoadScores &i, Addressing &a) {
    Tile tile = a.tile(i.destination);
    move(Plane::scores, "load_scores", int64_t(tile.cols) * kScoreBytes, tile);
    return Status();
  }
  Status execute(const insn::LoadQ &i, Addressing &a) {
    Tile tile = a.tile(i.destination);
    move(Plane::query, "load_q", divideCeil(tile.cols * kWordBits, 8), tile);
    return Status();
  }
  Status execute(const insn::LoadBias &i, Addressing &a) {
    Tile tile = a.tile(i.destination);
    move(Plane::bias, "load_bias", int64_t(tile.cols) * kScoreBytes, tile);
    return Status();
  }
  void move(Plane plane, const char *label, int64_t bytes, const Tile &destination) {
    pipeline_.fetch(label, channels_.move(plane, bytes), ranges(destination));
  }

  /// Rows of the head that any of its queries looks at: lists name them, or they are the first
  /// ones.
  void rowsOf(const Tile &destination, bool isListed) {
    if (!isListed) {
      rows_.resize(std::min(destination.rows, destination.validRows));
      for (size_t j = 0; j < rows_.size(); ++j)
        rows_[j] = int64_t(j);
      return;
    }
    // Listed rows are those that the last query, which sees all of them, went over.
    positions(decisions_.pairs.row(head_, kernel_.config.queries - 1), rows_);
  }
  Status execute(const insn::LoadK &i, Addressing &a) {
    Tile destination = a.tile(i.destination), tokens = a.tile(i.tokens);
    rowsOf(destination, tokens.memory != 0 || hasLength_);
    const insn::Config &c = kernel_.config;
    int64_t cycles = channels_.fetchRows(Plane::keyHigh, rows_, c.msb * c.head_dim, head_);
    // Keys that stay for many queries come with all their bits.
    cycles += channels_.fetchRows(Plane::keyLow, rows_, c.lsb * c.head_dim, head_);
    pipeline_.fetch("load_k", cycles, ranges(destination));
    return Status();
  }
  Status execute(const insn::LoadV &i, Addressing &a) {
    Tile destination = a.tile(i.destination), tokens = a.tile(i.tokens);
    rowsOf(destination, tokens.memory != 0 || hasLength_);
    const insn::Config &c = kernel_.config;
    int64_t cycles = channels_.fetchRows(Plane::value, rows_, c.value_bits * c.head_dim, head_);
    pipeline_.fetch("load_v", cycles, ranges(destination));
    return Status();
  }

  Status execute(const insn::Query &i, Addressing &a) {
    Result<QueryWork> work = workOf(a.index(i.row), false);
    if (!work)
      return work.error();
    Tile query = a.tile(i.query), key = a.tile(i.key), value = a.tile(i.value),
         bias = a.tile(i.bias), output = a.tile(i.output);
    std::span<const Range> all = ranges(query, key, value, bias, output);
    pipeline_.run(*work, all.first(all.size() - 1), all.last(1));
    return Status();
  }
  Status execute(const insn::QueryStream &i, Addressing &a) {
    Result<QueryWork> work = workOf(a.index(i.row), true);
    if (!work)
      return work.error();
    Tile query = a.tile(i.query), tokens = a.tile(i.tokens), bias = a.tile(i.bias),
         output = a.tile(i.output);
    std::span<const Range> all = ranges(query, tokens, bias, output);
    pipeline_.run(*work, all.first(all.size() - 1), all.last(1));
    return Status();
  }

  /// What the decisions of query `row` of the current head make the modules do.
  Result<QueryWork> workOf(int64_t row, bool streams) {
    const insn::Config &c = kernel_.config;
    if (row < 0 || row >= int64_t(c.queries))
      return makeError("kernel '", kernel_.name(), "': query ", row, " of ", c.queries);
    positions(decisions_.pairs.row(head_, row), rows_);
    const int64_t keys = int64_t(rows_.size()), par = params_.parallel(c.head_dim);
    QueryWork work;
    work.needsLsb = decisions_.lsb.get(head_, row, 0);
    work.block = divideCeil(keys, par);
    work.softmax = std::max(work.block, divideCeil(keys, params_.softmaxParallelism));
    if (streams) {
      work.keyFetch = channels_.fetchRows(Plane::keyHigh, rows_, c.msb * c.head_dim, head_);
      if (c.force_lsb)
        work.keyFetch += channels_.fetchRows(Plane::keyLow, rows_, c.lsb * c.head_dim, head_);
      else if (work.needsLsb)
        work.lowFetch = channels_.fetchRows(Plane::keyLow, rows_, c.lsb * c.head_dim, head_);
    }
    positions(decisions_.values.row(head_, row), rows_);
    const int64_t values = int64_t(rows_.size());
    work.mix = divideCeil(values, par);
    work.topk = topkCycles(row, keys, values);
    if (streams)
      work.valueFetch = channels_.fetchRows(Plane::value, rows_, c.value_bits * c.head_dim, head_);
    note({0, head_, c.head_dim, 1, keys, c.msb, c.value_bits, values, work.needsLsb}, work,
         streams);
    return work;
  }
  int64_t topkCycles(int64_t row, int64_t keys, int64_t values) const {
    if (values >= keys)
      return 0;
    const Rounds &rounds = decisions_.rounds[size_t(head_ * kernel_.config.queries + row)];
    int64_t cycles = rounds.empty()
                         ? std::llround(expectedCycles(keys, values, params_))
                         : roundCycles(rounds, params_.topkParallelism, params_.topkRoundCycles);
    return cycles + divideCeil(keys, params_.parallel(kernel_.config.head_dim)) +
           divideCeil(values, params_.parallel(kernel_.config.head_dim));
  }

  /// Sums for the metrics and for the closed forms.
  void note(const Request &request, const QueryWork &work, bool streams) {
    pairs_ += request.keys;
    values_ += request.values;
    lsb_ += request.needsLsb;
    ++queries_;
    double fetch = streams ? double(work.keyFetch + work.lowFetch + work.valueFetch) : 0;
    const int64_t passes = work.needsLsb ? 2 : 1;
    intervals_ += std::max({fetch, double(work.block * passes), double(work.softmax * passes),
                            double(work.topk), double(work.mix)});
    lastKeys_ = request.keys;
    auto [it, isNew] = heads_.try_emplace(head_, request);
    if (!isNew) {
      ++it->second.queries;
      it->second.keys = std::max(it->second.keys, request.keys);
    }
  }

  Status execute(const insn::StoreOut &i, Addressing &a) {
    Tile tile = a.tile(i.source);
    pipeline_.store("store_out",
                    channels_.move(Plane::output, divideCeil(tile.cols * kWordBits, 8)),
                    ranges(tile));
    return Status();
  }
  Status execute(const insn::StoreScores &i, Addressing &a) {
    Tile tile = a.tile(i.source);
    storedScoreBytes_ += int64_t(tile.cols) * kScoreBytes;
    pipeline_.store("store_scores", channels_.move(Plane::scores, int64_t(tile.cols) * kScoreBytes),
                    {});
    return Status();
  }
  Status execute(const insn::TopkToken &i, Addressing &a) {
    return rank("topk_token", a.tile(i.scores), i.k, decisions_.tokenRanking, tokenRanked_++);
  }
  Status execute(const insn::TopkHead &i, Addressing &a) {
    return rank("topk_head", a.tile(i.scores), i.k, decisions_.headRanking, headRanked_++);
  }
  Status rank(const char *label, const Tile &scores, int64_t k, const std::vector<Rounds> &rankings,
              size_t entry) {
    if (k >= int64_t(scores.cols))
      return Status(); // bypassed
    const bool isKnown = entry < rankings.size() && !rankings[entry].empty();
    int64_t cycles =
        isKnown ? roundCycles(rankings[entry], params_.topkParallelism, params_.topkRoundCycles)
                : std::llround(expectedCycles(scores.cols, k, params_));
    ranked_ += cycles;
    pipeline_.rank(label, cycles, {});
    return Status();
  }
  Status execute(const insn::Sync &, Addressing &) {
    pipeline_.sync();
    return Status();
  }

  //===-- Report -----------------------------------------------------------===//

  /// The authors' serial formula over the heads of this launch.
  int64_t behavioural(std::vector<UnitUse> &units) const {
    std::vector<Request> requests;
    for (const auto &[head, request] : heads_)
      requests.push_back(request);
    BehaviouralCycles cycles = behaviouralCycles(params_, requests);
    cycles.topk = ranked_;
    units = {{"dram", Cycle(cycles.dram), int64_t(heads_.size())},
             {"pipe", Cycle(cycles.fill + cycles.drain), queries_},
             {"ranking", Cycle(cycles.topk), int64_t(tokenRanked_ + headRanked_)}};
    return cycles.total();
  }

  void addMetrics(LaunchReport &report) const {
    const insn::Config &c = kernel_.config;
    const double all = double(kernel_.totalHeads()) * double(c.queries) * double(c.keys);
    // What a mask hides is computed like everything else, but no query attends to it.
    report.metrics["density"] = all > 0 ? double(pairs_ - decisions_.hidden.count()) / all : 0;
    report.metrics["value_density"] = pairs_ > 0 ? double(values_) / double(pairs_) : 0;
    report.metrics["low_bit_fetches"] = queries_ > 0 ? double(lsb_) / double(queries_) : 0;
    for (size_t plane = 0; plane < kPlanes; ++plane)
      report.metrics[kPlaneNames[plane]] = channels_.bytes(Plane(plane));
    report.metrics["dram_bytes_by_channel"] = channels_.load();
    if (!params_.isBehavioural) // which is a closed form itself
      report.metrics["cycles_closed_form"] =
          int64_t(std::ceil(intervals_ + pipelineFill(params_, lastKeys_, c.head_dim)));
    report.metrics["cycles_simulated"] = report.cycles.value;
  }

  const Kernel &kernel_;
  const Params &params_;
  std::span<const TensorView> bindings_;
  const Decisions &decisions_;
  Scheduler scheduler_;
  Channels channels_;
  Pipeline pipeline_;
  std::array<Range, 8> ranges_;
  std::vector<int64_t> rows_;
  std::map<int64_t, Request> heads_;
  int64_t head_ = 0, instructions_ = 0, queries_ = 0, pairs_ = 0, values_ = 0, lsb_ = 0,
          ranked_ = 0, storedScoreBytes_ = 0, lastKeys_ = 0;
  size_t tokenRanked_ = 0, headRanked_ = 0;
  bool hasLength_ = false; ///< fewer tokens exist than there is room for
  double intervals_ = 0;
};

} // namespace

std::vector<EnergyUse> energyOf(const Params &params, int64_t cycles, int64_t dramBytes) {
  EnergyTable table;
  const EnergyPrices &prices = params.energy;
  for (auto [event, price] : {std::pair("qk cycle", prices.qk),
                              {"pv cycle", prices.pv},
                              {"softmax cycle", prices.softmax},
                              {"fetcher cycle", prices.fetcher},
                              {"topk cycle", prices.topk},
                              {"other cycle", prices.other}})
    table.count(table.add(event, price, "P Fig. 13b: 2.60 W at 1 GHz"), double(cycles));
  table.count(table.add("dram bit", prices.dramBit, "M: HBM2"), 8 * double(dramBytes));
  return table.use();
}

Status walkTiming(const Kernel &kernel, const Params &params, std::span<const TensorView> bindings,
                  const Decisions &decisions, TraceWriter *timeline, LaunchReport &report) {
  return withinMemory(kernel.name(), "to schedule it", [&] {
    return Walker(kernel, params, bindings, decisions, timeline).run(report);
  });
}

} // namespace sparsam::spatten
