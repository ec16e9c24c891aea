// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Analysis.cpp - figures of masks and of the paper without a program -===//

#include "targets/sanger/model/Analysis.h"

#include "runtime/support/Text.h"
#include "targets/sanger/model/ClosedForms.h"
#include "targets/sanger/model/Statistics.h"

#include <cmath>

namespace sparsam::sanger {

using namespace runtime;

static LayerQuestion layerOf(const Params &params, double tokens, double density,
                             double loadBalance) {
  // Nothing kept: no sparse work, whatever the balance.
  return {tokens, density, loadBalance > 0 ? loadBalance : 1, params.estimatorClockMhz * 1e6,
          params.dramGigabytesPerSecond * 1e9};
}

static nlohmann::ordered_json latencies(const LayerQuestion &layer) {
  return {{"estimator1", estimator1(layer)}, {"estimator2", estimator2(layer)}};
}

//===-- Closed forms alone -------------------------------------------------===//

/// A number given by option, with its range (0, most].
static Result<double> given(const SimulateRequest &request, const std::string &name, double most) {
  auto it = request.given.find(name);
  if (it == request.given.end())
    return makeError("the closed forms need --", name, "; give it, or give --masks");
  if (!(it->second > 0 && it->second <= most))
    return makeError("--", name, " must lie above 0 and not above ", most, ", got ", it->second);
  return it->second;
}

static Result<nlohmann::ordered_json> analyzeClosedForms(const SimulateRequest &request,
                                                         const Params &params) {
  if (!request.seqLen)
    return makeError(
        "nothing to analyse: give --masks, or --seq-len with --density and --load-balance");
  constexpr int64_t kMost = int64_t(1) << 24;
  int64_t tokens = *request.seqLen;
  if (tokens < 1 || tokens > kMost)
    return makeError("--seq-len must lie in [1, ", kMost, "], got ", tokens);
  Result<double> density = given(request, "density", 1),
                 balance = given(request, "load-balance", 1);
  if (!density || !balance)
    return density ? balance.error() : density.error();
  nlohmann::ordered_json json;
  json["seq_len"] = tokens;
  json["density"] = *density;
  json["load_balance"] = {{"skip", *balance}};
  json["latency_s"] = latencies(layerOf(params, double(tokens), *density, *balance));
  // Mean sub-rows of a stripe, packed into blocks.
  const ArrayShape &shape = params.array;
  int64_t stripes = (tokens + shape.stripe - 1) / shape.stripe;
  double subrows =
      double(tokens) * double(tokens) * *density / (double(shape.pes) * *balance) / double(stripes);
  int64_t blocks = stripes * int64_t(std::ceil(subrows / double(shape.rows)));
  json["blocks_per_head"] = blocks;
  json["cycles_closed_form_per_head"] =
      attentionCycles(params, tokens, tokens, request.headDim, true, std::span(&blocks, 1));
  return json;
}

//===-- Masks --------------------------------------------------------------===//

static void add(MaskStatistics &sum, const MaskStatistics &part, size_t kernelsBefore) {
  sum.pes = part.pes;
  sum.nnz += part.nnz;
  sum.vectors += part.vectors;
  sum.nonemptyVectors += part.nonemptyVectors;
  sum.fullSegments += part.fullSegments;
  sum.subrows += part.subrows;
  sum.blocks += part.blocks;
  sum.density += (part.density - sum.density) / double(kernelsBefore + 1);
  sum.blocksPerHead.insert(sum.blocksPerHead.end(), part.blocksPerHead.begin(),
                           part.blocksPerHead.end());
}

/// The tokens that the request calls valid, or else those that the trace does.
static Result<ValidTokens> validTokensOf(const std::string &name, const BitTensor &masks,
                                         const SimulateRequest &request) {
  auto traced = request.masks->kernels.find(validName(name));
  if (request.validLengths.empty() && traced != request.masks->kernels.end())
    return tokensOfKeys(masks, traced->second);
  return firstTokens(masks, request.validLengths);
}

static Result<nlohmann::ordered_json> analyzeMasks(const SimulateRequest &request,
                                                   const Params &params) {
  MaskStatistics total;
  nlohmann::ordered_json kernels;
  double tokens = 0;
  int64_t cycles = 0;
  for (const auto &[name, masks] : request.masks->kernels) {
    if (!request.masks->isMask(name))
      continue;
    Result<ValidTokens> valid = validTokensOf(name, masks, request);
    if (!valid)
      return makeError("masks '", printable(name), "': ", valid.error().message);
    // Padded keys are never selected; padded queries are computed.
    ValidTokens executed = allTokens(masks);
    if (!request.validLengths.empty())
      executed.keys = valid->keys;
    const MaskStatistics part = computeStatistics(masks, params.array, *valid, executed);
    tokens = std::max(tokens, double(masks.queries()));
    cycles += attentionCycles(params, masks.queries(), masks.keys(), request.headDim, true,
                              part.blocksPerHead);
    add(total, part, kernels.size());
    kernels[name] = toJson(part);
  }
  nlohmann::ordered_json json = toJson(total);
  json["latency_s"] = latencies(layerOf(params, tokens, total.density, total.skip()));
  json["cycles_closed_form"] = cycles;
  if (kernels.size() > 1)
    json["kernels"] = std::move(kernels);
  return json;
}

Result<nlohmann::ordered_json> analyze(const SimulateRequest &request, const Params &params,
                                       const Arch &) {
  if (Status status = request.expectOnly(
          "sanger", {"masks", "valid-len", "seq-len", "density", "load-balance"});
      !status)
    return status.error();
  if (request.headDim < 1 || request.headDim > 65535)
    return makeError("--head-dim must lie in [1, 65535], got ", request.headDim);
  return request.masks ? analyzeMasks(request, params) : analyzeClosedForms(request, params);
}

//===-- Recipes ------------------------------------------------------------===//

static double bernoulliLoadBalance(double density, double pes, double tokens, double heads,
                                   const Params &params) {
  ArrayShape shape = params.array;
  shape.pes = int64_t(pes);
  BitTensor masks = bernoulliMask(int64_t(heads), int64_t(tokens), int64_t(tokens), density, 1);
  return computeStatistics(masks, shape, allTokens(masks), allTokens(masks)).skip();
}

RecipeTable<Params> recipes() {
  const RecipeArgument density("density", NumberRange::fraction()),
      loadBalance("load_balance", NumberRange::fraction()), tokens("tokens", NumberRange::whole());
  RecipeTable<Params> table;
  table.add("compute_saving", {density}, [](RecipeValues a) { return 1 / a[0]; });
  table.add("effective_throughput", {"multipliers", "clock_ghz", loadBalance, density},
            [](RecipeValues a) { return effectiveThroughput(a[0], a[1] * 1e9, a[2], a[3]); });
  table.add(
      "throughput_ratio", {"multipliers", "clock_ghz", loadBalance, density, "baseline"},
      [](RecipeValues a) { return effectiveThroughput(a[0], a[1] * 1e9, a[2], a[3]) / a[4]; });
  table.add("bernoulli_load_balance",
            {density, {"pes", NumberRange::whole()}, tokens, {"heads", NumberRange::whole()}},
            [](RecipeValues a, const Params &p) {
              return bernoulliLoadBalance(a[0], a[1], a[2], a[3], p);
            });
  table.add("estimator1", {tokens, density, loadBalance}, [](RecipeValues a, const Params &p) {
    return 1e3 * estimator1(layerOf(p, a[0], a[1], a[2]));
  });
  table.add("estimator2", {tokens, density, loadBalance}, [](RecipeValues a, const Params &p) {
    return 1e3 * estimator2(layerOf(p, a[0], a[1], a[2]));
  });
  table.add("power", {}, [](RecipeValues, const Params &p) {
    return p.energy.perCycle() * 1e-12 * p.clockMhz * 1e6;
  });
  return table;
}

} // namespace sparsam::sanger
