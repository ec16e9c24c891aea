// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Pipeline.h - when each module works on which query -----------------===//
//
// The modules of the pipe as units of the shared scheduler. A module takes a query when the one
// before it has delivered its first elements, and holds it as long as its own work takes; it cannot
// end before its input has. Transfers share the bandwidth, and may pass each other: the values of
// one query do not keep the keys of the next one waiting. [P IV-A]
//
#ifndef SPARSAM_TARGETS_SPATTEN_MODEL_PIPELINE_H
#define SPARSAM_TARGETS_SPATTEN_MODEL_PIPELINE_H

#include "runtime/kernel/Scheduler.h"
#include "targets/spatten/model/Params.h"

#include <string>

namespace sparsam::spatten {

/// What one query of one head asks of each module, in cycles.
struct QueryWork {
  int64_t keyFetch = 0, lowFetch = 0, valueFetch = 0; ///< DRAM; 0: nothing to fetch
  int64_t block = 0;                                  ///< Q x K, one pass
  int64_t softmax = 0;                                ///< one pass
  bool needsLsb = false;
  int64_t topk = 0; ///< rounds of the local top-k; 0: bypassed
  int64_t mix = 0;  ///< prob x V
};

class Pipeline {
public:
  Pipeline(const Params &params, runtime::Scheduler &scheduler);

  /// A transfer of `cycles` on the fetcher; the data is there when this returns.
  runtime::Cycle fetch(const char *label, int64_t cycles, std::span<const runtime::Range> writes);
  /// One query; `reads` must be there before Q x K starts. Returns when its output row is there.
  runtime::Cycle run(const QueryWork &work, std::span<const runtime::Range> reads,
                     std::span<const runtime::Range> writes);
  /// A transfer of `cycles` to DRAM.
  void store(const char *label, int64_t cycles, std::span<const runtime::Range> reads);
  /// A ranking beside the pipe, once everything that was run is done.
  void rank(const char *label, int64_t cycles, std::span<const runtime::Range> reads);
  /// Waits for everything that was issued.
  void sync();

private:
  /// Work that several queues share: nothing starts before everything that was issued could have
  /// been done.
  struct Shared {
    int64_t busy = 0;
    runtime::Cycle take(int64_t cycles) {
      int64_t start = busy;
      busy += cycles;
      return runtime::Cycle(start);
    }
  };
  runtime::Cycle onBus(int64_t cycles) { return bus_.take(cycles); }
  /// Q x K and softmax of one pass; returns when the probabilities are there.
  runtime::Cycle pass(const QueryWork &work, bool isSecond, runtime::Cycle first,
                      runtime::Cycle last, std::span<const runtime::Range> reads);
  /// Issues `cycles` of a unit whose input starts at `first` and is complete at `last`.
  runtime::Cycle stream(runtime::UnitId unit, const char *label, int64_t cycles, int64_t latency,
                        runtime::Cycle first, runtime::Cycle last,
                        std::span<const runtime::Range> reads,
                        std::span<const runtime::Range> writes);

  const Params &params_;
  runtime::Scheduler &scheduler_;
  runtime::UnitId keys_, lowBits_, values_, topk_, pv_, ranking_, store_;
  /// A second pass waits for its low bits apart, so that it does not hold up the next query. [R: 16
  /// requests]
  runtime::UnitId qk_[2], softmax_[2];
  Shared bus_, qkWork_, softmaxWork_;
  runtime::Cycle done_{}; ///< of the last query
};

} // namespace sparsam::spatten

#endif // SPARSAM_TARGETS_SPATTEN_MODEL_PIPELINE_H
