// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Params.cpp - parameters of a SpAtten, read from its architecture ---===//

#include "targets/spatten/model/Params.h"

#include <bit>
#include <cmath>

namespace sparsam::spatten {

using namespace runtime;

double Params::granulesPerCycle() const {
  return dramGigabytesPerSecond * 1000 * dramEfficiency / clockMhz / double(channels) /
         double(kGranuleBytes);
}

static EnergyPrices readEnergy(const Arch &arch) {
  return {arch.real("energy_qk_pj"),          arch.real("energy_pv_pj"),
          arch.real("energy_softmax_pj"),     arch.real("energy_fetcher_pj"),
          arch.real("energy_topk_pj"),        arch.real("energy_other_pj"),
          arch.real("energy_dram_pj_per_bit")};
}

static void readNumerics(const Arch &arch, Params &params) {
  params.isExact = arch.text("numerics") == "exact";
  params.msbBits = arch.integer("msb_bits");
  params.lsbBits = arch.integer("lsb_bits");
  params.valueBits = arch.integer("value_bits");
  params.forceLsb = arch.flag("force_lsb");
  params.lsbThreshold = arch.real("lsb_threshold");
  params.valueKeep = arch.real("value_keep");
  params.pivot = {arch.text("topk_pivot") == "random", uint64_t(arch.integer("topk_seed"))};
}

static void readTiming(const Arch &arch, Params &params) {
  params.isBehavioural = arch.text("timing") == "behavioural";
  params.lsbBubble = arch.real("lsb_bubble");
  params.topkRoundCycles = arch.integer("topk_round_cycles");
  params.latencies = {arch.integer("qk_latency"), arch.integer("softmax_latency"),
                      arch.integer("pv_latency")};
  params.channels = arch.integer("channels");
  params.dramGigabytesPerSecond = arch.real("dram_bandwidth_gbps");
  params.dramEfficiency = arch.real("dram_efficiency");
  params.dramLatency =
      Cycle(int64_t(std::ceil(arch.real("dram_latency_ns") * params.clockMhz / 1000)));
}

static Status check(const Params &params) {
  if (!std::has_single_bit(uint64_t(params.multipliers)))
    return makeError("multipliers = ", params.multipliers,
                     " is no power of two, but the adder tree behind them splits in halves "
                     "(arch.yaml of spatten)");
  if (params.msbBits % 2 != 0)
    return makeError("msb_bits = ", params.msbBits,
                     " is not one of the machine's settings; choose 4, 6, 8, 10 or 12");
  if (params.lsbBits != 0 && params.lsbBits != 4)
    return makeError("lsb_bits = ", params.lsbBits,
                     " is not one of the machine's settings; choose 4, or 0 for static "
                     "quantisation");
  return Status();
}

Result<Params> Params::from(const Arch &arch) {
  Params params;
  params.clockMhz = arch.real(Arch::kClockParameter);
  params.requestQueue = unsigned(arch.integer("request_queue"));
  params.multipliers = arch.integer("multipliers");
  params.keyBuffer = arch.integer("key_buffer");
  params.valueBuffer = arch.integer("value_buffer");
  params.softmaxParallelism = arch.integer("softmax_parallelism");
  params.topkParallelism = arch.integer("topk_parallelism");
  params.isEndToEnd = arch.flag("e2e");
  params.fcBits = arch.integer("fc_bits");
  readNumerics(arch, params);
  readTiming(arch, params);
  params.energy = readEnergy(arch);
  if (Status status = check(params); !status)
    return status.error();
  return params;
}

std::span<const MemorySpec> memorySpecs() {
  static const MemorySpec all[] = {
      {"query", 12, "query_buffer"},          {"key", 12, "key_buffer"},
      {"value", 12, "value_buffer"},          {"bias", 32, "bias_buffer"},
      {"output", 12, "output_buffer"},        {"index", 16, "index_buffer"},
      {"importance", 32, "importance_buffer"}};
  return all;
}

} // namespace sparsam::spatten
