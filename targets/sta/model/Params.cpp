// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Params.cpp - parameters of an STA, read from its architecture ------===//

#include "targets/sta/model/Params.h"

#include "runtime/units/Dma.h"

#include <bit>
#include <cmath>

namespace sparsam::sta {

using namespace runtime;

static Geometry readGeometry(const Arch &arch) {
  Geometry geometry;
  geometry.n = arch.integer("n");
  geometry.m = arch.integer("m");
  geometry.engines = arch.integer("engines");
  if (geometry.engines == 0)
    geometry.engines = std::max<int64_t>(geometry.m / geometry.n, 1);
  geometry.rows = arch.integer("tile_rows");
  geometry.cols = arch.integer("tile_cols");
  geometry.shiftsOut = arch.flag("shift_out");
  return geometry;
}

static SoftmaxFormat readSoftmax(const Arch &arch) {
  SoftmaxFormat format;
  format.lanes = arch.integer("softmax_lanes");
  format.levels = int(arch.integer("softmax_levels"));
  format.entries = arch.integer("exp_entries");
  format.range = arch.integer("exp_range");
  format.subtractsMax = arch.flag("softmax_subtract_max");
  format.isExact = arch.text("softmax") == "exact_fp32";
  return format;
}

static Status checkGeometry(const Geometry &g) {
  if (g.m != 2 && g.m != 4 && g.m != 8 && g.m != 16)
    return makeError("m = ", g.m, " is not possible; choose groups of 2, 4, 8 or 16 weights");
  if (g.n > g.m)
    return makeError("n = ", g.n, " exceeds m = ", g.m,
                     ": a group keeps at most all of its weights; lower 'n' or raise 'm'");
  if (g.n * g.engines > g.m)
    return makeError("n * engines = ", g.n * g.engines, " exceeds m = ", g.m,
                     ": in dense products the input memory delivers m elements per column and "
                     "cycle, n to each engine; lower 'engines', or set it to 0 for m / n");
  return Status();
}

static Status check(const Params &params) {
  if (Status status = checkGeometry(params.geometry); !status)
    return status;
  if (params.weightBits != 8 && params.weightBits != 16)
    return makeError("weight_bits = ", params.weightBits, " is not possible; choose 8 or 16");
  for (auto [name, value] : {std::pair("exp_entries", params.softmax.entries),
                             {"exp_range", params.softmax.range},
                             {"gelu_entries", params.vector.geluEntries}})
    if (!std::has_single_bit(uint64_t(value)))
      return makeError(name, " = ", value,
                       " is no power of two, but its address is cut out of a "
                       "word; choose ",
                       std::bit_ceil(uint64_t(value)));
  if (params.softmax.entries < params.softmax.range)
    return makeError("exp_entries = ", params.softmax.entries,
                     " are fewer than exp_range = ", params.softmax.range, "; raise 'exp_entries'");
  return Status();
}

Result<Params> Params::from(const Arch &arch) {
  Params params;
  params.clockMhz = arch.real(Arch::kClockParameter);
  params.queueDepth = unsigned(arch.integer("queue_depth"));
  params.geometry = readGeometry(arch);
  params.weightBits = arch.integer("weight_bits");
  params.softmax = readSoftmax(arch);
  params.vector = {arch.integer("vector_lanes"), arch.integer("vector_latency"),
                   arch.integer("gelu_entries"), int(arch.integer("guard_bits")),
                   arch.integer("rsqrt_iterations")};
  params.isFixed = arch.text("numerics") == "fixed";
  params.dramGigabytesPerSecond = arch.real("dram_bandwidth_gbps");
  Result<DramParams> dram = readDramParams(arch);
  if (!dram)
    return dram.error();
  params.dram = *dram;
  params.power = {arch.real("power_w"),         arch.real("share_multipliers"),
                  arch.real("share_selectors"), arch.real("share_routing"),
                  arch.real("share_softmax"),   arch.real("share_others")};
  if (Status status = check(params); !status)
    return status.error();
  return params;
}

std::array<MemorySpec, kRoles> memorySpecs(const Params &params) {
  return {{{"activation", 16, "activation_memory"},
           {"bitmaps", unsigned(params.geometry.m), "bitmap_memory"},
           {"constants", 32, "constant_memory"},
           {"mask", 32, "mask_memory"},
           {"values", unsigned(params.weightBits), "weight_memory"}}};
}

} // namespace sparsam::sta
