// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Analysis.cpp - figures of workloads and masks ----------------------===//

#include "targets/spatten/model/Analysis.h"

#include "targets/spatten/model/Channels.h"
#include "targets/spatten/model/ClosedForms.h"
#include "targets/spatten/model/Kernel.h"
#include "targets/spatten/model/Pipeline.h"
#include "targets/spatten/model/QuickSelect.h"
#include "targets/spatten/model/TimingWalk.h"

#include "runtime/kernel/Energy.h"
#include "runtime/units/ValidLengths.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace sparsam::spatten {

using namespace runtime;

//===-- Workloads ----------------------------------------------------------===//

namespace {

/// Requests of the same layer, in the order of the layers' first rows.
std::vector<std::vector<Request>> byLayer(const std::vector<Request> &requests) {
  std::vector<std::vector<Request>> layers;
  std::map<int64_t, size_t> place;
  for (const Request &request : requests) {
    auto [it, isNew] = place.try_emplace(request.layer, layers.size());
    if (isNew)
      layers.emplace_back();
    layers[it->second].push_back(request);
  }
  return layers;
}

/// Puts the requests of a layer on the scheduler; which rows survive is not known, so they are
/// taken as consecutive.
class LayerRun {
public:
  explicit LayerRun(const Params &params)
      : params_(params), channels_(params), pipeline_(params, scheduler_) {
    scheduler_.addMemory(kHeads, kSlots, 1);
  }

  int64_t run(const std::vector<Request> &requests) {
    for (const Request &request : requests)
      for (int64_t i = 0; i < request.count; ++i)
        request.queries > 1 ? runResident(request) : runStreaming(request);
    return scheduler_.finish().value;
  }

private:
  std::span<const int64_t> rows(int64_t count) {
    rows_.resize(size_t(count));
    std::iota(rows_.begin(), rows_.end(), 0);
    return rows_;
  }
  int64_t fetch(Plane plane, const Request &r, int64_t count, int64_t bits) {
    return channels_.fetchRows(plane, rows(count), bits * r.headDim, r.head);
  }
  QueryWork workOf(const Request &r) const {
    const PipelineCycles cycles = pipelineCycles(params_, r);
    const int64_t passes = r.needsLsb ? 2 : 1;
    QueryWork work;
    work.needsLsb = r.needsLsb;
    work.block = int64_t(cycles.qk) / passes;
    work.softmax = int64_t(cycles.softmax) / passes;
    work.topk = std::llround(cycles.topk);
    work.mix = int64_t(cycles.pv);
    return work;
  }
  void runStreaming(const Request &r) {
    QueryWork work = workOf(r);
    work.keyFetch = fetch(Plane::keyHigh, r, r.keys, r.fetchedKeyBits());
    int64_t low = fetch(Plane::keyLow, r, r.keys, r.fetchedLowBits());
    (r.needsLsb ? work.lowFetch : work.keyFetch) += low;
    work.valueFetch = fetch(Plane::value, r, r.fetchedValues(), r.fetchedValueBits());
    pipeline_.run(work, {}, {});
    rank(r);
  }
  void runResident(const Request &r) {
    int64_t cycles = fetch(Plane::keyHigh, r, r.keys, r.fetchedKeyBits()) +
                     fetch(Plane::keyLow, r, r.keys, r.fetchedLowBits()) +
                     fetch(Plane::value, r, r.fetchedValues(), r.fetchedValueBits());
    const Range slot{kHeads, loaded_ % kSlots, loaded_ % kSlots + 1};
    ++loaded_;
    pipeline_.fetch("load_kv", cycles, {&slot, 1});
    QueryWork work = workOf(r);
    work.needsLsb = false;
    for (int64_t query = 0; query < r.queries; ++query)
      pipeline_.run(work, {&slot, 1}, {});
    rank(r);
  }
  void rank(const Request &r) {
    if (r.topk > 0 && r.topk < r.keys)
      pipeline_.rank("topk_token", std::llround(expectedCycles(r.keys, r.topk, params_)), {});
  }

  const Params &params_;
  Scheduler scheduler_;
  Channels channels_;
  Pipeline pipeline_;
  std::vector<int64_t> rows_;
  /// Keys and values of a head, in one of two slots.
  static constexpr unsigned kHeads = 2;
  static constexpr int64_t kSlots = 2;
  int64_t loaded_ = 0;
};

} // namespace

/// Time, throughput and energy of `json`'s cycles.
static void addTotals(int64_t bytes, double operations, const Params &params,
                      nlohmann::ordered_json &json) {
  const auto cycles = json["cycles"].get<int64_t>();
  const double seconds = double(cycles) / (params.clockMhz * 1e6);
  json["dram_bytes"] = bytes;
  json["seconds"] = seconds;
  json["operations"] = operations;
  json["tflops"] = seconds > 0 ? operations / seconds * 1e-12 : 0;
  json["energy_j"] = totalEnergy(energyOf(params, cycles, bytes)).value * 1e-12;
}

static void addTraffic(const std::vector<Request> &requests, const Params &params,
                       nlohmann::ordered_json &json) {
  Traffic bytes = traffic(requests);
  json["dram_key_high_bytes"] = bytes.keyBytes;
  json["dram_key_low_bytes"] = bytes.lowBytes;
  json["dram_value_bytes"] = bytes.valueBytes;
  addTotals(bytes.total(), operations(requests), params, json);
}

nlohmann::ordered_json analyzeWorkload(const std::vector<Request> &requests, const Params &params) {
  nlohmann::ordered_json json, perLayer = nlohmann::ordered_json::array();
  int64_t total = 0;
  BehaviouralCycles parts;
  for (const std::vector<Request> &layer : byLayer(requests)) {
    BehaviouralCycles serial = behaviouralCycles(params, layer);
    int64_t cycles = params.isBehavioural ? serial.total() : LayerRun(params).run(layer);
    perLayer.push_back(cycles);
    total += cycles;
    parts.dram += serial.dram;
    parts.fill += serial.fill;
    parts.topk += serial.topk;
    parts.drain += serial.drain;
  }
  json["cycles"] = total;
  json["cycles_per_layer"] = std::move(perLayer);
  if (params.isBehavioural)
    json["serial"] = {
        {"dram", parts.dram}, {"fill", parts.fill}, {"topk", parts.topk}, {"drain", parts.drain}};
  else
    json["cycles_closed_form"] = std::ceil(pipelinedCycles(params, requests));
  addTraffic(requests, params, json);
  return json;
}

//===-- Masks --------------------------------------------------------------===//

static Result<nlohmann::ordered_json> analyzeMasks(const SimulateRequest &request) {
  ValidPairs kept, computed, mixed;
  for (const auto &[name, masks] : request.masks->kernels) {
    if (!request.masks->isMask(name))
      continue;
    const int64_t tokens = std::max(masks.queries(), masks.keys());
    if (Status status = checkValidLengths(request.validLengths, masks.batch(), tokens); !status)
      return makeError("masks '", name, "': ", status.error().message);
    auto find = [&](const std::string &part) {
      auto found = request.masks->kernels.find(part);
      return found == request.masks->kernels.end() ? nullptr : &found->second;
    };
    const ValidPairs own = countValidPairs(masks, request.validLengths);
    kept += own;
    computed += own;
    if (const BitTensor *hidden = find(hiddenName(name)))
      computed += countValidPairs(*hidden, request.validLengths);
    const BitTensor *values = find(valuesName(name));
    mixed += values ? countValidPairs(*values, request.validLengths) : own;
  }
  nlohmann::ordered_json json;
  json["density"] = kept.all > 0 ? double(kept.kept) / double(kept.all) : 0;
  json["value_density"] = computed.kept > 0 ? double(mixed.kept) / double(computed.kept) : 0;
  return json;
}

//===-- One layer ----------------------------------------------------------===//

/// The layer of an encoder around `attention`: four projections, and two feed-forward layers of
/// four times the width, whose weights come once for all tokens. [P V-B]
static nlohmann::ordered_json addFullyConnected(nlohmann::ordered_json attention,
                                                const Request &row, const Params &params) {
  const double width = double(row.count * row.headDim), weights = 12 * width * width,
               tokens = double(row.queries);
  const auto cycles = int64_t(std::ceil(fcCycles(params, weights, tokens)));
  const auto bytes = int64_t(std::ceil(weights * double(params.fcBits) / 8));
  const nlohmann::ordered_json connected{
      {"cycles", cycles}, {"dram_bytes", bytes}, {"operations", 2 * weights * tokens}};
  nlohmann::ordered_json json;
  json["cycles"] = attention["cycles"].get<int64_t>() + cycles;
  addTotals(attention["dram_bytes"].get<int64_t>() + bytes,
            attention["operations"].get<double>() + 2 * weights * tokens, params, json);
  json["attention"] = std::move(attention);
  json["fully_connected"] = connected;
  return json;
}

/// A layer of summarisation: as many queries as keys.
static Result<nlohmann::ordered_json> analyzeLayer(const SimulateRequest &request,
                                                   const Params &params) {
  constexpr int64_t kMost = 65535;
  const int64_t tokens = *request.seqLen;
  if (tokens < 1 || tokens > kMost)
    return makeError("--seq-len must lie in [1, ", kMost, "], got ", tokens);
  auto given = request.given.find("heads");
  const double heads = given == request.given.end() ? 12 : given->second;
  if (!(heads >= 1 && heads <= 1024) || heads != std::floor(heads))
    return makeError("--heads must be a whole number in [1, 1024], got ", heads);
  Request row;
  row.headDim = request.headDim;
  row.queries = row.keys = tokens;
  row.keyBits = params.msbBits + params.lsbBits > 8 ? -1 : params.msbBits + params.lsbBits;
  row.valueBits = params.valueBits;
  row.values = params.isBehavioural
                   ? tokens
                   : std::max<int64_t>(1, int64_t(params.valueKeep * double(tokens)));
  row.count = int64_t(heads);
  for (Status status : {checkRequest(row, params), checkPairs({row}, params)})
    if (!status)
      return status.error();
  nlohmann::ordered_json json{{"seq_len", tokens}, {"heads", row.count}};
  nlohmann::ordered_json attention = analyzeWorkload({row}, params);
  json.update(params.isEndToEnd ? addFullyConnected(std::move(attention), row, params) : attention);
  return json;
}

/// Layers come one by one here, so that nothing can be pruned from one to the next.
static Status refusePruning(const Arch &arch) {
  for (const char *name : {"token_prune", "head_prune"})
    if (arch.real(name) > 0)
      return makeError(name, " = ", arch.real(name),
                       " prunes from layer to layer of a model, and simulate times layers apart; "
                       "run a model, or give --workload with what lives in each layer");
  return Status();
}

Result<nlohmann::ordered_json> analyze(const SimulateRequest &request, const Params &params,
                                       const Arch &arch) {
  if (Status status = request.expectOnly(
          "spatten", {"masks", "valid-len", "head-dim", "seq-len", "heads", "workload"});
      !status)
    return status.error();
  if (request.headDim < 1 || request.headDim > kMostDimensions)
    return makeError("--head-dim must lie in [1, ", kMostDimensions, "], got ", request.headDim);
  if (Status status = refusePruning(arch); !status)
    return status.error();
  if (!request.workload.empty()) {
    Result<std::vector<Request>> requests = readWorkload(request.workload, params);
    if (!requests)
      return requests.error();
    return analyzeWorkload(*requests, params);
  }
  if (request.masks)
    return analyzeMasks(request);
  if (request.seqLen)
    return analyzeLayer(request, params);
  return makeError("nothing to analyse: give --workload, --masks or --seq-len");
}

} // namespace sparsam::spatten
