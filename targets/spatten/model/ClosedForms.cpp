// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ClosedForms.cpp - cycles and bytes without a program ---------------===//

#include "targets/spatten/model/ClosedForms.h"

#include "targets/spatten/model/QuickSelect.h"

#include <algorithm>
#include <cmath>

namespace sparsam::spatten {

static int64_t divideCeil(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// Bits of one granule.
static constexpr int64_t kGranuleBits = 8 * kGranuleBytes;

//===-- Behavioural --------------------------------------------------------===//

/// 6 bits are fetched as 8, and so is everything above. [R bert.cpp]
static int64_t behaviouralBits(int64_t bits) { return bits == 4 ? 4 : 8; }

/// Rounds of a ranking of n different scores whose pivots come from the seed, each `floor(size /
/// ZE) + 3 + 1` cycles.
static int64_t behaviouralRounds(const Params &params, int64_t n, int64_t k, uint64_t stream) {
  Pivots pivots(params.pivot, stream);
  int64_t cycles = 0, size = n, target = k - 1;
  while (true) {
    cycles += size / params.topkParallelism + params.topkRoundCycles + 1;
    int64_t greater = int64_t(pivots.next(size_t(size)));
    if (greater == target)
      return cycles;
    const bool isGreater = target < greater;
    size = isGreater ? greater : size - greater - 1;
    target -= isGreater ? 0 : greater + 1;
  }
}

BehaviouralCycles behaviouralCycles(const Params &params, std::span<const Request> heads) {
  BehaviouralCycles cycles;
  uint64_t stream = 0;
  int64_t lastBlock = 0;
  for (const Request &head : heads) {
    const int64_t par = params.parallel(head.headDim), block = divideCeil(head.keys, par);
    int64_t dram = 0;
    for (int64_t bits : {head.keyBits, head.valueBits})
      dram += divideCeil(block * par * head.headDim * behaviouralBits(bits) / kGranuleBits,
                         params.channels);
    cycles.dram += head.count * dram;
    cycles.fill += head.count * head.queries * block;
    for (int64_t i = 0; head.topk > 0 && head.topk < head.keys && i < head.count; ++i)
      cycles.topk += block + behaviouralRounds(params, head.keys, head.topk, stream++) +
                     divideCeil(head.topk, par);
    lastBlock = block;
  }
  const Latencies &l = params.latencies;
  cycles.drain = l.qk + l.softmax + lastBlock + l.pv;
  return cycles;
}

//===-- Pipelined ----------------------------------------------------------===//

double PipelineCycles::interval() const { return std::max({dram(), qk, softmax, topk, pv}); }

/// Cycles that a fetch of `rows` rows takes.
static double fetchCycles(const Params &params, int64_t rows, int64_t headDim, int64_t bits) {
  return double(fetchedBytes(rows, headDim, bits)) / double(kGranuleBytes) /
         double(params.channels) / params.granulesPerCycle();
}

PipelineCycles pipelineCycles(const Params &params, const Request &request, double topk) {
  const int64_t par = params.parallel(request.headDim), block = divideCeil(request.keys, par);
  const int64_t passes = request.needsLsb ? 2 : 1;
  PipelineCycles cycles;
  cycles.keys = fetchCycles(params, request.keys, request.headDim, request.fetchedKeyBits());
  cycles.lowBits = fetchCycles(params, request.keys, request.headDim, request.fetchedLowBits());
  cycles.values =
      fetchCycles(params, request.fetchedValues(), request.headDim, request.fetchedValueBits());
  cycles.qk = double(block * passes);
  cycles.softmax =
      double(std::max(block, divideCeil(request.keys, params.softmaxParallelism)) * passes);
  cycles.pv = double(divideCeil(request.values, par));
  if (request.values < request.keys) {
    double rounds =
        topk >= 0 ? topk
                  : expectedCycles(request.keys, std::max<int64_t>(request.values, 1), params);
    // A row enters the engine before it leaves; two heads share an engine's turn at 6 bits. [R
    // TestSpAtten]
    const double shared = request.keyBits == 6 ? 2 : 1;
    cycles.topk = (double(block) + rounds) / shared + cycles.pv;
  }
  return cycles;
}

double pipelineFill(const Params &params, int64_t keys, int64_t headDim) {
  const Latencies &l = params.latencies;
  return double(l.qk + l.softmax + l.pv + divideCeil(keys, params.parallel(headDim)) +
                params.dramLatency.value);
}

/// One head whose keys and values stay for all of its queries: they are loaded while the queries of
/// the head before are at work.
static double residentCycles(const PipelineCycles &query, int64_t queries) {
  return std::max(query.dram(),
                  double(queries) * std::max({query.qk, query.softmax, query.topk, query.pv}));
}

double pipelinedCycles(const Params &params, std::span<const Request> requests) {
  double cycles = 0;
  for (const Request &request : requests) {
    if (request.queries > 1) {
      Request once = request; // keys come with all their bits
      once.needsLsb = false;
      const PipelineCycles query = pipelineCycles(params, once);
      // Nothing hides the first load.
      cycles += double(request.count) * residentCycles(query, request.queries) +
                (&request == requests.data() ? query.dram() : 0);
      continue;
    }
    double bubble =
        request.needsLsb
            ? params.lsbBubble * double(params.dramLatency.value + params.latencies.softmax)
            : 0;
    cycles += double(request.count) * (pipelineCycles(params, request).interval() + bubble);
  }
  if (!requests.empty())
    cycles += pipelineFill(params, requests.back().keys, requests.back().headDim);
  return cycles;
}

//===-- Traffic and work ---------------------------------------------------===//

Traffic traffic(std::span<const Request> requests) {
  Traffic sum;
  for (const Request &r : requests) {
    sum.keyBytes += r.count * fetchedBytes(r.keys, r.headDim, r.fetchedKeyBits());
    sum.lowBytes += r.count * fetchedBytes(r.keys, r.headDim, r.fetchedLowBits());
    sum.valueBytes += r.count * fetchedBytes(r.fetchedValues(), r.headDim, r.fetchedValueBits());
  }
  return sum;
}

double operations(std::span<const Request> requests) {
  double sum = 0;
  for (const Request &r : requests)
    sum += 2.0 * double(r.count * r.queries) * double(r.headDim) * double(r.keys + r.values);
  return sum;
}

double fcCycles(const Params &params, double weights, double tokens) {
  const double multiply = weights * tokens / (2 * double(params.multipliers));
  const double stream =
      streamSeconds(params, weights, double(params.fcBits)) * params.clockMhz * 1e6;
  return std::max(multiply, stream);
}

double streamSeconds(const Params &params, double weights, double bits) {
  return weights * bits / 8 / (params.dramGigabytesPerSecond * 1e9 * params.dramEfficiency);
}

} // namespace sparsam::spatten
