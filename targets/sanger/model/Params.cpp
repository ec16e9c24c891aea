// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Params.cpp - parameters of a Sanger, read from its architecture ----===//

#include "targets/sanger/model/Params.h"

#include <cmath>

namespace sparsam::sanger {

using namespace runtime;

static FixedPointFormat readFormat(const Arch &arch) {
  FixedPointFormat format;
  format.wordBits = int(arch.integer("word_bits"));
  format.wordFraction = int(arch.integer("word_fraction"));
  format.accumulatorBits = int(arch.integer("accumulator_bits"));
  format.expBits = int(arch.integer("exp_bits"));
  format.expFraction = int(arch.integer("exp_fraction"));
  format.isExpSigned = arch.flag("exp_signed");
  format.isExpSaturating = arch.flag("exp_saturate");
  return format;
}

static DramParams readDram(const Arch &arch, double clockMhz) {
  auto cyclesOf = [&](const char *nanoseconds) {
    return Cycle(int64_t(std::ceil(arch.real(nanoseconds) * clockMhz / 1000)));
  };
  DramParams dram;
  dram.channels = unsigned(arch.integer("dram_channels"));
  dram.bytesPerCycle = arch.real("dram_bandwidth_gbps") * 1000 / clockMhz;
  dram.latency = cyclesOf("dram_latency_ns");
  dram.rowMiss = cyclesOf("dram_row_miss_ns");
  dram.rowBytes = arch.integer("dram_row_bytes");
  dram.interleaveBytes = arch.integer("dram_interleave_bytes");
  dram.banks = unsigned(arch.integer("dram_banks"));
  return dram;
}

static EnergyPrices readEnergy(const Arch &arch) {
  return {arch.real("energy_rsa_pj"),    arch.real("energy_lowbit_pj"),
          arch.real("energy_packer_pj"), arch.real("energy_accumulator_pj"),
          arch.real("energy_memory_pj"), arch.real("energy_dram_pj_per_bit")};
}

static Status check(const Params &params, const Arch &arch) {
  if (params.array.pes > params.array.stripe)
    return makeError("pes = ", params.array.pes, " exceeds stripe = ", params.array.stripe,
                     ": a sub-row has no more kept keys than the stripe has keys; lower 'pes' or "
                     "raise 'stripe'");
  if (params.bits % 2 != 0)
    return makeError("bits = ", params.bits, " is not possible; choose 2, 4, 6 or 8");
  if (params.format.wordFraction >= params.format.wordBits)
    return makeError("word_fraction = ", params.format.wordFraction,
                     " leaves no integer bit of word_bits = ", params.format.wordBits,
                     "; lower 'word_fraction'");
  if (2 * params.format.wordFraction >= params.format.accumulatorBits)
    return makeError("accumulator_bits = ", params.format.accumulatorBits,
                     " cannot hold products with ", 2 * params.format.wordFraction,
                     " fraction bits; raise 'accumulator_bits' or lower 'word_fraction'");
  if (params.format.expFraction >= params.format.expBits)
    return makeError("exp_fraction = ", params.format.expFraction,
                     " leaves no integer bit of exp_bits = ", params.format.expBits,
                     "; lower 'exp_fraction'");
  if (params.dram.interleaveBytes > params.dram.rowBytes)
    return makeError("dram_interleave_bytes = ", params.dram.interleaveBytes,
                     " exceeds dram_row_bytes = ", params.dram.rowBytes,
                     "; lower 'dram_interleave_bytes'");
  return Status();
}

Result<Params> Params::from(const Arch &arch) {
  Params params;
  params.clockMhz = arch.real(Arch::kClockParameter);
  params.estimatorClockMhz = arch.real("estimator_clock_mhz");
  params.dramGigabytesPerSecond = arch.real("dram_bandwidth_gbps");
  params.queueDepth = unsigned(arch.integer("queue_depth"));
  params.array = {arch.integer("pes"), arch.integer("rows"), arch.integer("stripe"),
                  arch.text("encoder") == "column_cut" ? Encoder::columnCut : Encoder::subrow};
  params.dividers = arch.integer("dividers");
  params.lowbitRows = arch.integer("lowbit_rows");
  params.lowbitCols = arch.integer("lowbit_cols");
  params.bits = arch.integer("bits");
  params.isNormalized = arch.flag("normalize");
  params.isRtl = arch.text("numerics") == "rtl";
  params.format = readFormat(arch);
  const std::string &overlap = arch.text("overlap");
  params.overlap = overlap == "none"   ? Overlap::none
                   : overlap == "full" ? Overlap::full
                                       : Overlap::partial;
  params.expCycles = arch.integer("exp_cycles");
  params.quantizeCycles = arch.integer("quantize_cycles");
  params.thresholdCycles = arch.integer("threshold_cycles");
  params.dram = readDram(arch, params.clockMhz);
  params.dramBytesPerCycle = params.dram.bytesPerCycle;
  params.energy = readEnergy(arch);
  if (Status status = check(params, arch); !status)
    return status.error();
  return params;
}

const std::vector<std::string> &memoryNames() {
  static const std::vector<std::string> names = {"query", "key",  "value", "low_query", "low_key",
                                                 "score", "bias", "mask",  "blocks",    "output"};
  return names;
}

unsigned memoryElementBits(const std::string &name) {
  if (name == "query" || name == "key" || name == "value")
    return 16;
  if (name == "low_query" || name == "low_key")
    return 8;
  if (name == "score" || name == "bias" || name == "output")
    return 32;
  return name == "mask" ? 1 : name == "blocks" ? 64 : 0;
}

std::optional<int64_t> memoryBytes(const Arch &arch, const std::string &name) {
  if (name == "blocks" || memoryElementBits(name) == 0)
    return std::nullopt;
  return arch.integer(name + "_buffer");
}

} // namespace sparsam::sanger
