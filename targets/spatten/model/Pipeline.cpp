// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Pipeline.cpp - when each module works on which query ---------------===//

#include "targets/spatten/model/Pipeline.h"

#include <algorithm>

namespace sparsam::spatten {

using namespace runtime;

Pipeline::Pipeline(const Params &params, Scheduler &scheduler)
    : params_(params), scheduler_(scheduler) {
  for (auto [unit, name] : {std::pair(&keys_, "fetch_keys"),
                            {&lowBits_, "fetch_low_bits"},
                            {&values_, "fetch_values"},
                            {&qk_[0], "qk"},
                            {&qk_[1], "qk_again"},
                            {&softmax_[0], "softmax"},
                            {&softmax_[1], "softmax_again"},
                            {&topk_, "local_topk"},
                            {&pv_, "pv"},
                            {&ranking_, "ranking"},
                            {&store_, "store"}})
    *unit = scheduler.addUnit(name, params.requestQueue);
}

Cycle Pipeline::fetch(const char *label, int64_t cycles, std::span<const Range> writes) {
  return scheduler_.issue(keys_, label, {Cycle(cycles), params_.dramLatency}, {}, writes,
                          onBus(cycles));
}

Cycle Pipeline::stream(UnitId unit, const char *label, int64_t cycles, int64_t latency, Cycle first,
                       Cycle last, std::span<const Range> reads, std::span<const Range> writes) {
  Cycle start(std::max(first.value, last.value - cycles));
  return scheduler_.issue(unit, label, {Cycle(cycles), Cycle(latency)}, reads, writes, start);
}

Cycle Pipeline::pass(const QueryWork &work, bool isSecond, Cycle first, Cycle last,
                     std::span<const Range> reads) {
  const Latencies &l = params_.latencies;
  Cycle turn = qkWork_.take(work.block);
  Cycle scored = stream(qk_[isSecond], isSecond ? "qk_again" : "qk", work.block, l.qk,
                        std::max(first, turn), last, reads, {});
  turn = softmaxWork_.take(work.softmax);
  // The FIFO holds a row until its sum is known.
  return stream(softmax_[isSecond], "softmax", work.softmax, l.softmax + work.block,
                std::max(Cycle(scored.value - work.block), turn), scored, {}, {});
}

Cycle Pipeline::run(const QueryWork &work, std::span<const Range> reads,
                    std::span<const Range> writes) {
  Cycle fetched{}, first{};
  if (work.keyFetch > 0) {
    fetched = scheduler_.issue(keys_, "fetch_keys", {Cycle(work.keyFetch), params_.dramLatency}, {},
                               {}, onBus(work.keyFetch));
    first = Cycle(fetched.value - work.keyFetch);
  }
  Cycle probabilities = pass(work, false, first, fetched, reads);
  if (work.needsLsb) {
    Cycle low =
        scheduler_.issue(lowBits_, "fetch_low_bits", {Cycle(work.lowFetch), params_.dramLatency},
                         {}, {}, std::max(probabilities, onBus(work.lowFetch)));
    probabilities = pass(work, true, Cycle(low.value - work.lowFetch), low, reads);
    // What no other query hides of the bubble. [A]
    qkWork_.take(
        int64_t(params_.lsbBubble * double(params_.dramLatency.value + params_.latencies.softmax)));
  }
  if (work.topk > 0) // rounds cannot start before the row is in the engine
    probabilities = scheduler_.issue(topk_, "local_topk", {Cycle(work.topk)}, {}, {},
                                     Cycle(probabilities.value - work.block));
  Cycle values = probabilities, firstValue = probabilities;
  if (work.valueFetch > 0) {
    Cycle start(std::max(onBus(work.valueFetch).value, probabilities.value));
    values = scheduler_.issue(values_, "fetch_values",
                              {Cycle(work.valueFetch), params_.dramLatency}, {}, {}, start);
    firstValue = Cycle(values.value - work.valueFetch);
  }
  done_ = stream(pv_, "pv", work.mix, params_.latencies.pv, firstValue, values, {}, writes);
  return done_;
}

void Pipeline::store(const char *label, int64_t cycles, std::span<const Range> reads) {
  scheduler_.issue(store_, label, {Cycle(cycles)}, reads, {}, onBus(cycles));
}

void Pipeline::rank(const char *label, int64_t cycles, std::span<const Range> reads) {
  scheduler_.issue(ranking_, label, {Cycle(cycles)}, reads, {}, done_);
}

void Pipeline::sync() { scheduler_.waitUntil(scheduler_.finish()); }

} // namespace sparsam::spatten
