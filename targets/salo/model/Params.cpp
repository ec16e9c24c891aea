// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Params.cpp - parameters of a SALO, read from its architecture ------===//

#include "targets/salo/model/Params.h"

#include "runtime/units/Dma.h"

namespace sparsam::salo {

using namespace runtime;

/// What version 2 picks of a block must be in it.
static Status checkBlocks(const BlockRule &rule) {
  for (auto [name, what, count] :
       {std::tuple("globals", "global tokens", rule.globals), {"randoms", "keys", rule.randoms}})
    if (count > rule.block)
      return makeError("version 2 cannot pick ", count, " ", what, " of a block of ", rule.block,
                       " (parameters '", name, "' and 'block')");
  if ((rule.window - 1) * rule.dilation > 2 * rule.block - 2)
    return makeError("a window of ", rule.window, " diagonals at distance ", rule.dilation,
                     " does not fit the ", 2 * rule.block - 1, " diagonals of a block of ",
                     rule.block, "; lower 'block_window' or 'dilation', or raise 'block'");
  return Status();
}

Result<Params> Params::from(const Arch &arch) {
  Params params;
  params.version = arch.integer("version");
  params.clockMhz = arch.real(Arch::kClockParameter);
  params.queueDepth = unsigned(arch.integer("queue_depth"));
  params.array = {arch.integer("pe_rows"), arch.integer("pe_cols"), arch.integer("globals"),
                  arch.integer("randoms"), int(arch.integer("scale_shift"))};
  params.window = arch.integer("window");
  params.dilation = arch.integer("dilation");
  params.globalTokens = arch.integer("global_tokens");
  params.blocks = {arch.integer("block"), arch.integer("block_window"), params.array.globals,
                   params.array.randoms, params.dilation};
  params.isSoftmaxed = arch.text("scores") == "softmax";
  params.isIdealMemory = arch.text("memory") == "ideal";
  params.mergeDims = arch.integer("merge_dims");
  params.mergeCycles = arch.integer("merge_cycles");
  params.wordBits = unsigned(arch.integer("word_bits"));
  Result<DramParams> dram = readDramParams(arch);
  if (!dram)
    return dram.error();
  params.dram = *dram;
  params.arrayPicojoules = arch.real("energy_array_pj");
  params.dramBitPicojoules = arch.real("energy_dram_pj_per_bit");
  if (params.version == 2)
    if (Status status = checkBlocks(params.blocks); !status)
      return status.error();
  return params;
}

std::span<const MemorySpec> memorySpecs() {
  static const MemorySpec specs[] = {{"query", 16, "query_buffer"},
                                     {"key", 16, "key_buffer"},
                                     {"value", 16, "value_buffer"},
                                     {"output", 32, "output_buffer"}};
  return specs;
}

} // namespace sparsam::salo
