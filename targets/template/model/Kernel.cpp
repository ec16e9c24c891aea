// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Kernel.cpp - checks of a program when it is loaded -----------------===//
//
// A program file may come from anywhere: what the compiler's verifiers guarantee is checked again.
// Addresses are inside of their memories already, Stage has seen to that.
//

#include "targets/template/model/Kernel.h"

#include "runtime/program/Program_generated.h"
#include "runtime/units/Dma.h"

#include <cmath>

namespace sparsam::template_ {

using namespace runtime;

Result<Params> Params::from(const Arch &arch) {
  Result<DramParams> dram = readDramParams(arch);
  if (!dram)
    return dram.error();
  Params params;
  params.queueDepth = unsigned(arch.integer("queue_depth"));
  params.rows = arch.integer("rows");
  params.cols = arch.integer("cols");
  params.expCycles = arch.integer("exp_cycles");
  params.dram = *dram;
  params.macPicojoules = arch.real("energy_mac_pj");
  params.cyclePicojoules = arch.real("energy_cycle_pj");
  params.dramBitPicojoules = arch.real("energy_dram_pj_per_bit");
  return params;
}

namespace {

class Checker {
public:
  Checker(const Kernel &kernel, const Params &params)
      : info_(kernel.stage.info()), generators_(kernel.stage.generators()), params_(params) {}

  Status check(const insn::Load &i) const { return sameShape(tile(i.source), tile(i.destination)); }
  Status check(const insn::Store &i) const {
    const AddressGenerator &destination = tile(i.destination);
    if (destination.binding < info_.inputs)
      return makeError("binding ", destination.binding, " is an input and cannot be stored to");
    return sameShape(tile(i.source), destination);
  }
  Status check(const insn::Attend &i) const {
    const AddressGenerator &query = tile(i.query), &key = tile(i.key), &output = tile(i.output);
    if (query.rows > params_.rows)
      return makeError("expects at most ", params_.rows, " query rows (parameter 'rows'), got ",
                       query.rows);
    if (key.rows > params_.cols)
      return makeError("expects at most ", params_.cols, " keys (parameter 'cols'), got ",
                       key.rows);
    if (Status status = sameShape(key, tile(i.value)); !status)
      return status;
    if (query.cols != key.cols)
      return makeError("expects queries and keys of one width, got ", query.cols, " and ",
                       key.cols);
    if (output.rows != query.rows || output.cols != query.cols + kRowState)
      return makeError("expects ", query.rows, "x", query.cols + kRowState, " accumulators, got ",
                       output.rows, "x", output.cols);
    if (!std::isfinite(i.scale))
      return makeError("expects a finite scale, got ", i.scale);
    return checkBias(i.bias, query.rows, key.rows);
  }

private:
  const AddressGenerator &tile(uint16_t descriptor) const { return generators_[descriptor]; }

  static Status sameShape(const AddressGenerator &a, const AddressGenerator &b) {
    if (a.rows == b.rows && a.cols == b.cols)
      return Status();
    return makeError("expects tiles of one shape, got ", a.rows, "x", a.cols, " and ", b.rows, "x",
                     b.cols);
  }
  Status checkBias(uint16_t descriptor, uint32_t rows, uint32_t cols) const {
    if (descriptor == kAbsentOperand)
      return Status();
    const AddressGenerator &bias = tile(descriptor);
    if ((bias.rows == 1 || bias.rows == rows) && bias.cols == cols)
      return Status();
    return makeError("expects a bias of 1 or ", rows, " rows and ", cols, " columns, got ",
                     bias.rows, "x", bias.cols);
  }

  const StageInfo &info_;
  std::span<const AddressGenerator> generators_;
  const Params &params_;
};

} // namespace

Result<Kernel> Kernel::load(const program::AcceleratorStage &table, const Params &params,
                            const Arch &arch) {
  Result<Stage<Isa>> stage = Stage<Isa>::load(table);
  if (!stage)
    return stage.error();
  Kernel kernel;
  kernel.stage = stage.take();
  static constexpr MemorySpec specs[] = {{"input", 32, "input_buffer"},
                                         {"output", 32, "output_buffer"}};
  Result<std::vector<unsigned>> memories =
      mapMemories(kernel.stage.info(), specs, "Template", arch);
  if (!memories)
    return memories.error();
  kernel.input = (*memories)[0];
  kernel.output = (*memories)[1];
  Checker checker(kernel, params);
  for (size_t i = 0; i < kernel.stage.instructions().size(); ++i)
    if (Status status = std::visit([&](const auto &insn) { return checker.check(insn); },
                                   kernel.stage.instructions()[i]);
        !status)
      return makeError("kernel '", kernel.name(), "', instruction ", i, ": ",
                       status.error().message);
  return kernel;
}

} // namespace sparsam::template_
