// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Params.cpp - parameters of a Sanger, read from its architecture ----===//

#include "targets/sanger/model/Params.h"

#include "runtime/units/Dma.h"

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
  Result<DramParams> dram = readDramParams(arch);
  if (!dram)
    return dram.error();
  params.dram = *dram;
  params.dramBytesPerCycle = params.dram.bytesPerCycle;
  params.energy = readEnergy(arch);
  if (Status status = check(params, arch); !status)
    return status.error();
  return params;
}

std::span<const MemorySpec> memorySpecs() {
  static const MemorySpec specs[] = {
      {"query", 16, "query_buffer"},    {"key", 16, "key_buffer"},
      {"value", 16, "value_buffer"},    {"low_query", 8, "low_query_buffer"},
      {"low_key", 8, "low_key_buffer"}, {"score", 32, "score_buffer"},
      {"bias", 32, "bias_buffer"},      {"mask", 1, "mask_buffer"},
      {"blocks", 64, nullptr},          {"output", 32, "output_buffer"},
  };
  return specs;
}

} // namespace sparsam::sanger
