// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Analysis.cpp - figures of layers and of the paper without a program -===//

#include "targets/salo/model/Analysis.h"

#include "targets/salo/model/BlockPattern.h"
#include "targets/salo/model/ClosedForms.h"
#include "targets/salo/model/Pe.h"

#include "runtime/units/ValidLengths.h"

#include <cmath>

namespace sparsam::salo {

using namespace runtime;

//===-- Layers -------------------------------------------------------------===//

/// A whole number given by option, in [1, most].
static Result<int64_t> given(const SimulateRequest &request, const std::string &name) {
  constexpr double kMost = 1 << 24;
  auto it = request.given.find(name);
  if (it == request.given.end())
    return makeError("the closed forms need --", name);
  if (!(it->second >= 1 && it->second <= kMost) || it->second != std::floor(it->second))
    return makeError("--", name, " must be a whole number in [1, ", int64_t(kMost), "], got ",
                     it->second);
  return int64_t(it->second);
}

/// Refuses what the machine cannot hold, or numbers cannot.
static Status checkLayer(const Layer &layer, const Params &params) {
  if (layer.dim % layer.heads != 0)
    return makeError("--dim ", layer.dim, " is no multiple of --heads ", layer.heads);
  if (layer.headDim() > params.mergeDims)
    return makeError("heads of ", layer.headDim(), " dimensions do not fit the merge buffers of ",
                     params.mergeDims, " (parameter 'merge_dims'); use more heads");
  if (params.version == 2 && layer.tokens % params.blocks.block != 0)
    return makeError("--seq-len ", layer.tokens, " is no multiple of the block of ",
                     params.blocks.block, " (parameter 'block')");
  if (params.version == 2 && params.globalTokens > 0)
    return makeError("version 2 picks the global tokens of each block itself, as many as 'globals' "
                     "says; 'global_tokens' is for version 1");
  constexpr double kMostPairs = 1e15; // their cycles fit 64 bits
  if (double(layer.tokens) * double(layer.window) * double(layer.heads) > kMostPairs)
    return makeError("--seq-len x --window x --heads must be at most ", kMostPairs, " pairs");
  if (layer.globalTokens > 0 && params.array.globals == 0)
    return makeError(layer.globalTokens,
                     " global tokens; the machine has no global PEs (parameter 'globals')");
  return Status();
}

static Result<Layer> readLayer(const SimulateRequest &request, const Params &params) {
  if (Status status = request.expectOnly("salo", {"seq-len", "window", "heads", "dim"}); !status)
    return makeError(status.error().message,
                     "; or, with version=2, --scores, --valid-len (parameter 'version')");
  if (!request.seqLen)
    return makeError("nothing to analyse: give --seq-len, --window, --heads and --dim; or, with "
                     "version=2, --scores");
  SimulateRequest complete = request;
  complete.given["seq-len"] = double(*request.seqLen);
  if (!complete.given.count("window") && (params.window > 0 || params.version == 2))
    complete.given["window"] = double(params.window > 0 ? params.window : params.blocks.window);
  Layer layer;
  for (auto [name, member] : {std::pair("seq-len", &layer.tokens),
                              {"window", &layer.window},
                              {"dim", &layer.dim},
                              {"heads", &layer.heads}}) {
    Result<int64_t> value = given(complete, name);
    if (!value)
      return value.error();
    *member = *value;
  }
  if (params.version == 1) {
    layer.dilation = params.dilation;
    layer.globalTokens = std::min(params.globalTokens, layer.tokens);
  }
  if (Status status = checkLayer(layer, params); !status)
    return status.error();
  return layer;
}

static Result<nlohmann::ordered_json> analyzeLayer(const SimulateRequest &request,
                                                   const Params &params, const Arch &arch) {
  Result<Layer> layer = readLayer(request, params);
  if (!layer)
    return layer.error();
  const Performance p = evaluate(params, *layer);
  nlohmann::ordered_json json;
  if (params.version == 2 && !arch.isSet("pe_rows") && !arch.isSet("pe_cols"))
    json["warnings"] = {"version 2 on the array of version 1, " +
                        std::to_string(params.array.rows) + " x " +
                        std::to_string(params.array.cols) + " PEs; --preset v2 gives it its own"};
  json["seq_len"] = layer->tokens;
  json["window"] = layer->window;
  json["heads"] = layer->heads;
  json["dim"] = layer->dim;
  json["iterations"] = p.iterations;
  json["cycles_per_iteration"] = passCycles(params, layer->headDim());
  json["cycles"] = p.cycles;
  json["latency_s"] = p.seconds;
  json["operations"] = p.operations;
  json["utilization"] = p.utilization;
  if (params.version == 2) {
    json["match_cycles"] = p.matchCycles;
    json["match_latency_s"] = p.matchSeconds;
    json["projection_latency_s"] = p.projectionSeconds + p.outputSeconds;
  }
  return json;
}

//===-- Scores -------------------------------------------------------------===//

/// Kept pairs of a head, as bytes.
static Tensor toTensor(const BitTensor &bits) {
  Tensor tensor(DType::boolean, {bits.batch() * bits.heads(), bits.queries(), bits.keys()});
  bool *next = tensor.as<bool>();
  for (int64_t head = 0; head < bits.batch() * bits.heads(); ++head)
    for (int64_t i = 0; i < bits.queries(); ++i)
      for (int64_t j = 0; j < bits.keys(); ++j)
        *next++ = bits.get(head, i, j);
  return tensor;
}

static Result<nlohmann::ordered_json> analyzeScores(const SimulateRequest &request,
                                                    const Params &params) {
  if (params.version != 2)
    return makeError("version ", params.version,
                     " has static patterns and looks at no scores; set version=2 to pick a pattern "
                     "from --scores");
  if (Status status = request.expectOnly("salo", {"scores", "valid-len"}); !status)
    return status.error();
  const Tensor &scores = *request.scores;
  Result<BitTensor> masks =
      selectPattern(params.blocks, scores.view(), request.validLengths, params.isSoftmaxed);
  if (!masks)
    return masks.error();
  const int64_t n = masks->queries(), heads = masks->batch() * masks->heads();
  // Rows of padding keep global columns and randoms, which nobody reads.
  const ValidPairs pairs = countValidPairs(*masks, request.validLengths);
  const int64_t blocks = n / params.blocks.block;
  nlohmann::ordered_json json;
  json["seq_len"] = n;
  json["heads"] = heads;
  json["blocks"] = blocks * blocks * heads;
  json["nnz"] = pairs.kept;
  json["density"] = double(pairs.kept) / double(pairs.all);
  if (request.tensors)
    (*request.tensors)["mask"] = toTensor(*masks);
  return json;
}

Result<nlohmann::ordered_json> analyze(const SimulateRequest &request, const Params &params,
                                       const Arch &arch) {
  return request.scores ? analyzeScores(request, params) : analyzeLayer(request, params, arch);
}

//===-- Recipes ------------------------------------------------------------===//

static Layer layerOf(RecipeValues a) {
  return {int64_t(a[0]), int64_t(a[1]), int64_t(a[2]), int64_t(a[3])};
}

static Params version2(Params params) {
  params.version = 2;
  params.array.rows = 64;
  params.array.cols = 8;
  return params;
}

/// The rows that are global keep every key, the others the window, the globals and the randoms.
static double blockDensity(double window, const Params &params) {
  const double b = double(params.blocks.block), g = double(params.blocks.globals);
  return (g * b + (b - g) * (window + g + double(params.blocks.randoms))) / (b * b);
}

static double worstExponential() {
  double worst = 0;
  for (int32_t f = 0; f < 256; ++f) {
    const double exact = 256 * std::exp2(f / 256.0);
    worst = std::max(worst, std::abs(pe::exponential(f << 3, 3).value - exact) / exact);
  }
  return 100 * worst;
}

/// Of a layer: `value` of its performance.
template <typename F>
static void addOfLayer(RecipeTable<Params> &table, const char *name, F value) {
  const NumberRange whole = NumberRange::whole();
  table.add(name, {{"tokens", whole}, {"window", whole}, {"dim", whole}, {"heads", whole}},
            [value](RecipeValues a, const Params &p) { return value(evaluate(p, layerOf(a))); });
}

static void addVersion1(RecipeTable<Params> &table) {
  const NumberRange whole = NumberRange::whole();
  addOfLayer(table, "cycles", [](const Performance &p) { return double(p.cycles); });
  addOfLayer(table, "milliseconds", [](const Performance &p) { return 1e3 * p.seconds; });
  addOfLayer(table, "utilization", [](const Performance &p) { return p.utilization; });
  table.add(
      "utilization_ratio",
      {{"tokens", whole}, {"window", whole}, {"dim", whole}, {"heads", whole}, "baseline"},
      [](RecipeValues a, const Params &p) { return evaluate(p, layerOf(a)).utilization / a[4]; });
  table.add("exp_error", {}, [](RecipeValues) { return worstExponential(); });
  table.add("power", {}, [](RecipeValues, const Params &p) {
    return p.arrayPicojoules * 1e-12 * p.clockMhz * 1e6;
  });
}

static void addVersion2(RecipeTable<Params> &table) {
  const NumberRange whole = NumberRange::whole();
  table.add("pass_ratio", {{"head_dim", whole}}, [](RecipeValues a, const Params &p) {
    const int64_t d = int64_t(a[0]), flush = 1;
    return double(passCycles(p, d) + flush) / double(passCycles(version2(p), d) + flush);
  });
  table.add("match_cycles", {{"tokens", whole}, {"dim", whole}, {"heads", whole}},
            [](RecipeValues a, const Params &p) {
              const Layer layer{int64_t(a[0]), 8, int64_t(a[1]), int64_t(a[2])};
              return double(evaluate(version2(p), layer).matchCycles);
            });
  table.add("scaled_milliseconds",
            {{"tokens", whole}, {"window", whole}, {"dim", whole}, {"heads", whole}, "multipliers"},
            [](RecipeValues a, const Params &p) {
              return scaledMilliseconds(version2(p), layerOf(a), a[4]);
            });
  table.add("block_density", {{"window", whole}},
            [](RecipeValues a, const Params &p) { return blockDensity(a[0], p); });
}

RecipeTable<Params> recipes() {
  RecipeTable<Params> table;
  addVersion1(table);
  addVersion2(table);
  return table;
}

} // namespace sparsam::salo
