// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Recipes.cpp - how rows of paper.yaml are computed ------------------===//

#include "runtime/support/Text.h"
#include "targets/spatten/model/Analysis.h"
#include "targets/spatten/model/ClosedForms.h"
#include "targets/spatten/model/QuickSelect.h"

#include <cmath>
#include <functional>
#include <numeric>

namespace sparsam::spatten {

using namespace runtime;

namespace {

using Values = const std::vector<double> &;

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

struct Recipe {
  std::vector<std::string> arguments;
  std::function<double(Values, const Params &)> value;
};

const std::map<std::string, Recipe> &recipes() {
  static const std::map<std::string, Recipe> all = {
      {"dram_bytes",
       {{"medium"},
        [](Values a, const Params &) { return double(traffic(pruned(a[0])).total()); }}},
      {"dram_reduction",
       {{"medium", "baseline_bits"},
        [](Values a, const Params &) {
          return denseBytes(a[0], a[1]) / double(traffic(pruned(a[0])).total());
        }}},
      {"compute_reduction",
       {{"medium"},
        [](Values a, const Params &) {
          return operations(dense(a[0])) / operations(pruned(a[0]));
        }}},
      {"attention_gflop",
       {{"medium"}, [](Values a, const Params &) { return operations(dense(a[0])) * 1e-9; }}},
      {"low_bit_fraction", {{}, [](Values, const Params &) { return lowBitFraction(); }}},
      {"bits_ratio", {{"baseline", "bits"}, [](Values a, const Params &) { return a[0] / a[1]; }}},
      {"behavioural_tflops",
       {{"tokens", "heads"},
        [](Values a, const Params &p) { return behaviouralThroughput(p, a[0], a[1]) * 1e-12; }}},
      {"roof_tflops",
       {{}, [](Values, const Params &p) { return 4e-6 * double(p.multipliers) * p.clockMhz; }}},
      {"pipelined_speedup",
       {{"parallelism", "over"},
        [](Values a, const Params &p) {
          return pipelinedThroughput(p, a[0]) / pipelinedThroughput(p, a[1]);
        }}},
      {"topk_cycles",
       {{"n", "k"},
        [](Values a, const Params &p) { return expectedCycles(int64_t(a[0]), int64_t(a[1]), p); }}},
      {"fc_gflop",
       {{"layers", "dim", "tokens"},
        [](Values a, const Params &) { return fcOperations(a[0], a[1], a[2]) * 1e-9; }}},
      {"fc_milliseconds",
       {{"layers", "dim", "tokens", "efficiency"},
        [](Values a, const Params &p) {
          Params reached = p;
          reached.dramEfficiency = a[3];
          // Every token streams all weights.
          return 1e3 * a[2] * streamSeconds(reached, a[0] * 12 * a[1] * a[1], double(p.fcBits));
        }}},
      {"power",
       {{}, [](Values, const Params &p) { return p.energy.perCycle() * p.clockMhz * 1e-6; }}},
      {"ratio", {{"ours", "theirs"}, [](Values a, const Params &) { return a[0] / a[1]; }}},
      {"area",
       {{"qk", "pv", "fetcher", "softmax", "topk", "other"},
        [](Values a, const Params &) { return std::accumulate(a.begin(), a.end(), 0.0); }}},
      {"sram_bytes",
       {{"tokens", "dim", "bits"},
        [](Values a, const Params &) { return 2 * a[0] * a[1] * a[2] / 8; }}},
  };
  return all;
}

} // namespace

Result<double> evaluateRecipe(const std::string &recipe,
                              const std::map<std::string, double> &arguments,
                              const Params &params) {
  auto it = recipes().find(recipe);
  if (it == recipes().end()) {
    std::vector<std::string> names;
    for (const auto &[name, unused] : recipes())
      names.push_back(name);
    return makeError("unknown recipe '", printable(recipe), "'", suggestion(recipe, names));
  }
  std::vector<double> values;
  for (const std::string &name : it->second.arguments) {
    auto argument = arguments.find(name);
    if (argument == arguments.end())
      return makeError("recipe '", recipe, "' needs argument '", name, "'");
    if (!(argument->second >= 0))
      return makeError("argument '", name, "' of recipe '", recipe, "' must not be negative, got ",
                       argument->second);
    values.push_back(argument->second);
  }
  for (const auto &[name, unused] : arguments)
    if (std::find(it->second.arguments.begin(), it->second.arguments.end(), name) ==
        it->second.arguments.end())
      return makeError("recipe '", recipe, "' has no argument '", printable(name), "'");
  return it->second.value(values, params);
}

} // namespace sparsam::spatten
