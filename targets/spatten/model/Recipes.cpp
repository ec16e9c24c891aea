// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Recipes.cpp - how rows of paper.yaml are computed ------------------===//

#include "targets/spatten/model/Analysis.h"
#include "targets/spatten/model/ClosedForms.h"
#include "targets/spatten/model/QuickSelect.h"

#include <functional>
#include <numeric>

namespace sparsam::spatten {

using namespace runtime;

namespace {

/// Argument `medium`: 0 GPT-2-small, 1 GPT-2-medium.
std::vector<Request> pruned(double medium) {
  return publishedWorkload(medium != 0 ? Published::gpt2Medium : Published::gpt2Small);
}
std::vector<Request> dense(double medium) {
  return publishedWorkload(medium != 0 ? Published::gpt2MediumDense : Published::gpt2SmallDense);
}

/// Bytes of keys and values of the heads that live, without any other pruning, at `bits` per
/// element; 0: of all heads, as the 12-bit baseline fetches them.
double denseBytes(double medium, double bits) {
  std::vector<Request> requests = dense(medium);
  if (bits == 0)
    return double(traffic(requests).total());
  const Published living = medium != 0 ? Published::gpt2Medium : Published::gpt2Small;
  double elements = 0;
  for (const Request &r : requests)
    elements += double(publishedHeads(living, r.layer)) * double(r.headDim) * double(2 * r.keys);
  return elements * bits / 8;
}

/// Operations of all heads over those of the heads that live, without any other pruning.
double headReduction(double medium) {
  const Published living = medium != 0 ? Published::gpt2Medium : Published::gpt2Small;
  std::vector<Request> requests = dense(medium);
  const double all = operations(requests);
  for (Request &r : requests)
    r.count = publishedHeads(living, r.layer);
  return all / operations(requests);
}

double lowBitFraction() {
  double twice = 0, all = 0;
  for (const Request &r : pruned(0)) {
    all += double(r.count);
    twice += r.needsLsb ? double(r.count) : 0;
  }
  return twice / all;
}

/// Operations per second of the pruned GPT-2-small workload with `parallelism` comparators per
/// engine.
double pipelinedThroughput(Params params, double parallelism) {
  params.topkParallelism = int64_t(parallelism);
  std::vector<Request> requests = pruned(0);
  return operations(requests) / pipelinedCycles(params, requests) * params.clockMhz * 1e6;
}

/// Operations per second of one layer of `heads` heads on `tokens` tokens, 8 bits, by the serial
/// formula.
double behaviouralThroughput(const Params &params, double tokens, double heads) {
  Request row;
  row.queries = row.keys = row.values = int64_t(tokens);
  row.count = int64_t(heads);
  std::vector<Request> requests{row};
  return operations(requests) / double(behaviouralCycles(params, requests).total()) *
         params.clockMhz * 1e6;
}

/// Operations of the fully connected layers of GPT-2: 12 d^2 weights per layer. [P Table IV]
double fcOperations(double layers, double dim, double tokens) {
  return layers * 12 * dim * dim * 2 * tokens;
}

/// Bytes and operations of the published workloads.
void addWorkloads(RecipeTable<Params> &table) {
  const RecipeArgument medium("medium", NumberRange::whole(0, 1));
  table.add("dram_bytes", {medium},
            [](RecipeValues a) { return double(traffic(pruned(a[0])).total()); });
  table.add("dram_reduction", {medium, {"baseline_bits", NumberRange()}}, [](RecipeValues a) {
    return denseBytes(a[0], a[1]) / double(traffic(pruned(a[0])).total());
  });
  table.add("compute_reduction", {medium},
            [](RecipeValues a) { return operations(dense(a[0])) / operations(pruned(a[0])); });
  table.add("head_reduction", {medium}, [](RecipeValues a) { return headReduction(a[0]); });
  table.add("attention_gflop", {medium},
            [](RecipeValues a) { return operations(dense(a[0])) * 1e-9; });
  table.add("low_bit_fraction", {}, [](RecipeValues) { return lowBitFraction(); });
}

/// Time and power of the attention pipeline.
void addPipeline(RecipeTable<Params> &table) {
  const NumberRange whole = NumberRange::whole();
  table.add(
      "behavioural_tflops", {{"tokens", whole}, {"heads", whole}},
      [](RecipeValues a, const Params &p) { return behaviouralThroughput(p, a[0], a[1]) * 1e-12; });
  table.add("roof_tflops", {}, [](RecipeValues, const Params &p) {
    return 4e-6 * double(p.multipliers) * p.clockMhz;
  });
  table.add("pipelined_speedup", {{"parallelism", whole}, {"over", whole}},
            [](RecipeValues a, const Params &p) {
              return pipelinedThroughput(p, a[0]) / pipelinedThroughput(p, a[1]);
            });
  table.add("topk_cycles", {{"n", whole}, {"k", whole}}, [](RecipeValues a, const Params &p) {
    return expectedCycles(int64_t(a[0]), int64_t(a[1]), p);
  });
  table.add("power", {},
            [](RecipeValues, const Params &p) { return p.energy.perCycle() * p.clockMhz * 1e-6; });
}

/// The fully connected layers, which stream their weights.
void addFullyConnected(RecipeTable<Params> &table) {
  table.add("fc_gflop", {"layers", "dim", "tokens"},
            [](RecipeValues a) { return fcOperations(a[0], a[1], a[2]) * 1e-9; });
  table.add("fc_milliseconds", {"layers", "dim", "tokens", {"efficiency", NumberRange::fraction()}},
            [](RecipeValues a, const Params &p) {
              Params reached = p;
              reached.dramEfficiency = a[3];
              // Every token streams all weights.
              return 1e3 * a[2] * streamSeconds(reached, a[0] * 12 * a[1] * a[1], double(p.fcBits));
            });
}

/// Ratios and sums of published figures.
void addPublished(RecipeTable<Params> &table) {
  table.add("bits_ratio", {"baseline", "bits"}, [](RecipeValues a) { return a[0] / a[1]; });
  table.add("ratio", {"ours", "theirs"}, [](RecipeValues a) { return a[0] / a[1]; });
  table.add(
      "steps", {"datapath", "tokens", "heads", "topk", "static", "progressive"},
      [](RecipeValues a) { return std::accumulate(a.begin(), a.end(), 1.0, std::multiplies<>()); });
  table.add("total_power", {"logic", "sram", "dram"},
            [](RecipeValues a) { return std::accumulate(a.begin(), a.end(), 0.0); });
  table.add("area", {"qk", "pv", "fetcher", "softmax", "topk", "other"},
            [](RecipeValues a) { return std::accumulate(a.begin(), a.end(), 0.0); });
  table.add("sram_bytes", {"tokens", "dim", "bits"},
            [](RecipeValues a) { return 2 * a[0] * a[1] * a[2] / 8; });
}

} // namespace

RecipeTable<Params> recipes() {
  RecipeTable<Params> table;
  addWorkloads(table);
  addPipeline(table);
  addFullyConnected(table);
  addPublished(table);
  return table;
}

} // namespace sparsam::spatten
