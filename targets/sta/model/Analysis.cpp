// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Analysis.cpp - figures by formula, without a program ---------------===//

#include "targets/sta/model/Analysis.h"

#include "targets/sta/model/ClosedForms.h"

#include <cmath>

namespace sparsam::sta {

using namespace runtime;

//===-- simulate -----------------------------------------------------------===//

/// A whole number given by option, from 1 to `most`.
static Result<int64_t> given(const SimulateRequest &request, const std::string &name, double most) {
  auto it = request.given.find(name);
  if (it == request.given.end())
    return makeError("the closed forms need --", name);
  if (!(it->second >= 1 && it->second <= most) || it->second != std::floor(it->second))
    return makeError("--", name, " must be a whole number from 1 to ", most, ", got ", it->second);
  return int64_t(it->second);
}

static Result<Layer> readLayer(const SimulateRequest &request, const Params &params,
                               const Arch &arch) {
  constexpr int64_t kMostTokens = int64_t(1) << 24;
  constexpr double kMost = 65535;
  if (!request.seqLen)
    return makeError("nothing to compute: give --seq-len, --heads and --dim");
  if (*request.seqLen < 1 || *request.seqLen > kMostTokens)
    return makeError("--seq-len must lie in [1, ", kMostTokens, "], got ", *request.seqLen);
  Result<int64_t> heads = given(request, "heads", kMost), dim = given(request, "dim", kMost);
  if (!heads || !dim)
    return heads ? dim.error() : heads.error();
  if (*dim % *heads != 0)
    return makeError("--dim ", *dim, " is no multiple of --heads ", *heads);
  const int64_t hidden = arch.integer("ffn") ? arch.integer("ffn") : 4 * *dim;
  for (auto [name, depth] : {std::pair("--dim", *dim), {"parameter 'ffn'", hidden}})
    if (depth % params.geometry.m != 0)
      return makeError(name, " = ", depth, " is no multiple of m = ", params.geometry.m,
                       ", the weights of one group");
  return Layer{*request.seqLen, *heads, *dim, hidden, 1};
}

Result<nlohmann::ordered_json> analyze(const SimulateRequest &request, const Params &params,
                                       const Arch &arch) {
  if (Status status = request.expectOnly("sta", {"seq-len", "heads", "dim"}); !status)
    return status.error();
  Result<Layer> layer = readLayer(request, params, arch);
  if (!layer)
    return layer.error();
  const Geometry &g = params.geometry;
  const int64_t layers = arch.integer("layers");
  const double frequency = params.clockMhz * 1e6;
  const int64_t cycles = productCycles(g, *layer, Pruned::everything),
                dense = productCycles(g, *layer, Pruned::nothing);
  const double bytes = weightBytes(*layer, g.n, g.m, params.weightBits),
               denseBytes = weightBytes(*layer, 1, 1, params.weightBits);
  const double transfer = bytes / (params.dramGigabytesPerSecond * 1e9) * frequency;
  const double layerCycles = std::max(double(cycles), transfer);
  const double macs = macsOf(*layer).total() * remainingMacs(*layer, g.n, g.m, Pruned::everything);
  nlohmann::ordered_json json;
  json["seq_len"] = layer->tokens;
  json["layers"] = layers;
  json["cycles"] = int64_t(std::ceil(layerCycles)) * layers;
  json["latency_s"] = std::ceil(layerCycles) * double(layers) / frequency;
  json["product_cycles"] = cycles * layers;
  json["product_cycles_dense"] = dense * layers;
  json["softmax_cycles"] =
      softmaxCycles(params.softmax, layer->heads * layer->tokens, layer->tokens) * layers;
  json["weight_transfer_cycles"] = int64_t(std::ceil(transfer)) * layers;
  json["speedup"] = double(dense) / double(cycles);
  json["remaining_macs"] = remainingMacs(*layer, g.n, g.m, Pruned::everything);
  json["macs"] = macs * double(layers);
  json["utilization"] = macs / (double(cycles) * double(g.macs()));
  json["weight_bytes_dense"] = denseBytes * double(layers);
  json["weight_bytes"] = bytes * double(layers);
  json["compression_ratio"] = compressionRatio(double(g.n), double(g.m), double(params.weightBits));
  return json;
}

//===-- Recipes ------------------------------------------------------------===//

static Geometry geometryOf(RecipeValues a, size_t first) {
  return {int64_t(a[first]), int64_t(a[first + 1]), int64_t(a[first + 2]), int64_t(a[first + 3]),
          int64_t(a[first + 4])};
}
static Layer layerOf(RecipeValues a, size_t first) {
  return {int64_t(a[first]), int64_t(a[first + 1]), int64_t(a[first + 2]), int64_t(a[first + 3]),
          int64_t(a[first + 4])};
}

static double shallowMilliseconds(RecipeValues a) {
  return double(shallowCycles(geometryOf(a, 0))) / (a[5] * 1e3);
}
/// Dense over pruned cycles of one layer.
static double speedup(RecipeValues a, Pruned pruned) {
  const Geometry g = geometryOf(a, 0);
  const Layer layer = layerOf(a, 5);
  return double(productCycles(g, layer, Pruned::nothing)) / double(productCycles(g, layer, pruned));
}
/// Of one shape without tails: dense steps over sparse steps of the reduction.
static double sparseOverDense(RecipeValues a) {
  Geometry g;
  g.n = int64_t(a[0]);
  g.m = int64_t(a[1]);
  const int64_t depth = g.m * g.n * 16;
  return double(denseSteps(g, depth)) / double(sparseSteps(g, depth));
}

static std::vector<RecipeArgument> whole(std::initializer_list<const char *> names) {
  std::vector<RecipeArgument> arguments;
  for (const char *name : names)
    arguments.emplace_back(name, NumberRange::whole());
  return arguments;
}

static std::vector<RecipeArgument> operator+(std::vector<RecipeArgument> a,
                                             const std::vector<RecipeArgument> &b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

/// Arguments of the engine, and of a layer of the model.
static std::vector<RecipeArgument> engine() { return whole({"n", "m", "engines", "rows", "cols"}); }
static std::vector<RecipeArgument> layer() {
  return whole({"tokens", "heads", "dim", "hidden", "attentions"});
}

/// Work that is left after pruning n of m.
static void addRemaining(RecipeTable<Params> &table) {
  auto remaining = [](RecipeValues a, Pruned pruned) {
    return remainingMacs(layerOf(a, 2), int64_t(a[0]), int64_t(a[1]), pruned);
  };
  const std::vector<RecipeArgument> arguments = whole({"n", "m"}) + layer();
  table.add("compression_ratio", whole({"n", "m", "bits"}),
            [](RecipeValues a) { return compressionRatio(a[0], a[1], a[2]); });
  table.add("remaining_attention", arguments,
            [=](RecipeValues a) { return remaining(a, Pruned::attention); });
  table.add("remaining_all", arguments,
            [=](RecipeValues a) { return remaining(a, Pruned::everything); });
  table.add("layer_speedup", arguments,
            [=](RecipeValues a) { return 1 / remaining(a, Pruned::everything); });
}

/// Time of the engine.
static void addCycles(RecipeTable<Params> &table) {
  table.add("shallow_latency_ms", engine() + std::vector<RecipeArgument>{"clock_mhz"},
            shallowMilliseconds);
  table.add("shallow_gop", {"operations_per_mac"},
            [](RecipeValues a) { return a[0] * shallowMacs() / 1e9; });
  table.add("speedup_attention", engine() + layer(),
            [](RecipeValues a) { return speedup(a, Pruned::attention); });
  table.add("speedup_all", engine() + layer(),
            [](RecipeValues a) { return speedup(a, Pruned::everything); });
  table.add("sparse_over_dense", whole({"n", "m"}), sparseOverDense);
}

/// Ratios of published figures.
static void addPublished(RecipeTable<Params> &table) {
  table.add("geometric_mean_of_four", {"a", "b", "c", "d"},
            [](RecipeValues a) { return std::pow(a[0] * a[1] * a[2] * a[3], 0.25); });
  table.add("ratio", {"a", "b"}, [](RecipeValues a) { return a[0] / a[1]; });
  table.add("mean_of_four", {"a", "b", "c", "d"},
            [](RecipeValues a) { return (a[0] + a[1] + a[2] + a[3]) / 4; });
}

RecipeTable<Params> recipes() {
  RecipeTable<Params> table;
  addRemaining(table);
  addCycles(table);
  addPublished(table);
  return table;
}

} // namespace sparsam::sta
