// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Kernel.cpp - checks of a program when it is loaded -----------------===//

#include "targets/template/model/Kernel.h"

#include "runtime/program/Program_generated.h"
#include "runtime/units/Dma.h"
#include "runtime/units/InstructionChecks.h"

#include <cmath>
#include <map>

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

class Checker : InstructionChecks {
public:
  Checker(Kernel &kernel, const Params &params)
      : InstructionChecks(kernel.stage), kernel_(kernel), params_(params) {}

  Status check(const insn::Load &i) {
    loaded_[tile(i.destination).base] = tile(i.source).binding;
    return expectSameShape(i.source, i.destination);
  }
  Status check(const insn::Store &i) const {
    return all({expectResult(i.destination), expectSameShape(i.source, i.destination)});
  }
  Status check(const insn::Attend &i) {
    const AddressGenerator &query = tile(i.query), &key = tile(i.key);
    Status status =
        all({expectAtMost("query rows", query.rows, "parameter 'rows'", params_.rows),
             expectAtMost("keys", key.rows, "parameter 'cols'", params_.cols),
             expectSameShape(i.key, i.value),
             expect("columns of queries", query.cols, "columns of keys", key.cols),
             expectShape(i.output, query.rows, query.cols + kRowState, "accumulators")});
    if (!status)
      return status;
    if (!std::isfinite(i.scale))
      return makeError("expects a finite scale, got ", i.scale);
    return checkBias(i.bias, query.rows, key.rows);
  }

private:
  Status checkBias(uint16_t descriptor, uint32_t rows, uint32_t cols) {
    if (isAbsent(descriptor))
      return Status();
    const AddressGenerator &bias = tile(descriptor);
    if (auto load = loaded_.find(bias.base); load != loaded_.end())
      kernel_.maskBinding = load->second;
    if ((bias.rows == 1 || bias.rows == rows) && bias.cols == cols)
      return Status();
    return makeError("expects a bias of 1 or ", rows, " rows and ", cols, " columns, got ",
                     bias.rows, "x", bias.cols);
  }

  Kernel &kernel_;
  const Params &params_;
  std::map<int64_t, uint16_t> loaded_; ///< binding of what was loaded to an address
};

} // namespace

Result<Kernel> Kernel::load(const program::AcceleratorStage &table, const Params &params,
                            const Arch &arch) {
  static constexpr MemorySpec specs[] = {{"input", 32, "input_buffer"},
                                         {"output", 32, "output_buffer"}};
  Result<Kernel> kernel = loadStage<Kernel>(table, specs, "Template", arch);
  if (kernel)
    if (Status status = checkInstructions<void>(*kernel, Checker(*kernel, params)); !status)
      return status.error();
  return kernel;
}

} // namespace sparsam::template_
