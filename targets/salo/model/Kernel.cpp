// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Kernel.cpp - checks of a SALO program when it is loaded ------------===//

#include "targets/salo/model/Kernel.h"

#include "runtime/program/Program_generated.h"
#include "runtime/units/TileScheduler.h"

#include <algorithm>
#include <cmath>

namespace sparsam::salo {

using namespace runtime;

/// Rows of the output memory are told apart by their start.
static Status mapKernelMemories(Kernel &kernel, const Arch &arch) {
  const StageInfo &info = kernel.stage.info();
  Result<std::vector<unsigned>> numbers = mapMemories(info, memorySpecs(), "SALO", arch);
  if (!numbers)
    return numbers.error();
  for (size_t role = 0; role < kRoles; ++role)
    if (unsigned number = (*numbers)[role])
      kernel.memories[role] = {number, info.memories[number - 2].extent,
                               tileGrain(info, kernel.stage.generators(), number)};
  return Status();
}

namespace {

/// Checks the instructions one after the other.
class InstructionChecker {
public:
  InstructionChecker(Kernel &kernel, const Params &params)
      : kernel_(kernel), params_(params), generators_(kernel.stage.generators()) {}

  Status run() {
    for (const Isa::Instruction &instruction : kernel_.stage.instructions()) {
      Status status = std::visit([this](const auto &insn) { return begin(insn); }, instruction);
      if (!status)
        return makeError("kernel '", kernel_.name(), "', instruction ", index_, ": ",
                         status.error().message);
      ++index_;
    }
    if (!hasConfig_)
      return makeError("kernel '", kernel_.name(),
                       "' has no instruction 'config'; it must be the first one");
    if (inArray_)
      return makeError("kernel '", kernel_.name(), "' ends after 'tile_attn', before its 'merge'");
    std::sort(kernel_.globals.begin(), kernel_.globals.end());
    return Status();
  }

private:
  template <typename T> Status begin(const T &insn) {
    if constexpr (!std::is_same_v<T, insn::Config>)
      if (!hasConfig_)
        return makeError("'config' must be the first instruction");
    if constexpr (!std::is_same_v<T, insn::Merge>)
      if (inArray_)
        return makeError("'merge' must follow 'tile_attn': its outputs are leaving the array");
    return check(insn);
  }

  const AddressGenerator &tile(uint16_t descriptor) const { return generators_[descriptor]; }
  bool isAbsent(uint16_t descriptor) const { return descriptor == kAbsentOperand; }

  Status expect(const char *what, int64_t got, const char *limitName, int64_t limit) const {
    if (got == limit)
      return Status();
    return makeError("expects ", what, " = ", limit, " (", limitName, "), got ", got);
  }
  Status expectAtMost(const char *what, int64_t got, const char *limitName, int64_t limit) const {
    if (got <= limit)
      return Status();
    return makeError("expects ", what, " of at most ", limit, " (", limitName, "), got ", got);
  }
  Status expectHeadDim(uint16_t descriptor) const {
    return expect("columns of a tile", tile(descriptor).cols, "head_dim of 'config'",
                  kernel_.config.head_dim);
  }
  /// The first failure of several checks.
  static Status all(std::initializer_list<Status> statuses) {
    for (const Status &status : statuses)
      if (!status)
        return status;
    return Status();
  }

  Status check(const insn::Config &config) {
    if (hasConfig_)
      return makeError("'config' is there twice");
    hasConfig_ = true;
    kernel_.config = config;
    if (!std::isfinite(config.q_factor) || std::abs(config.q_factor) > 65536)
      return makeError("q_factor must be a number in [-65536, 65536], got ", config.q_factor);
    if (config.segments > 1 && config.queries != config.keys)
      return makeError("expects as many queries as keys in each of ", config.segments,
                       " segments, got ", config.queries, " and ", config.keys);
    return expectAtMost("head_dim", config.head_dim, "parameter 'merge_dims'", params_.mergeDims);
  }
  Status check(const insn::SetGlobal &i) {
    if (int64_t(i.token) >= kernel_.headKeys())
      return makeError("global token ", i.token, " is none of the ", kernel_.headKeys(),
                       " tokens of a head");
    if (kernel_.config.queries != kernel_.config.keys)
      return makeError("expects as many queries as keys where tokens are global, got ",
                       kernel_.config.queries, " and ", kernel_.config.keys);
    if (hasLoads_)
      return makeError("'set_global' must come before the first load");
    auto &globals = kernel_.globals;
    if (std::find(globals.begin(), globals.end(), int64_t(i.token)) != globals.end())
      return makeError("token ", i.token, " is declared global twice");
    globals.push_back(i.token);
    return Status();
  }
  Status check(const insn::SelectHead &) { return Status(); }

  Status checkRows(uint16_t source, uint16_t destination) {
    hasLoads_ = true;
    const AddressGenerator &from = tile(source), &to = tile(destination);
    if (from.rows != to.rows)
      return makeError("expects tiles of one shape, got ", from.rows, "x", from.cols, " and ",
                       to.rows, "x", to.cols);
    return all({expectHeadDim(source), expectHeadDim(destination)});
  }
  Status checkSlice(uint16_t source, uint16_t destination) {
    hasLoads_ = true;
    kernel_.keyRows = std::max(kernel_.keyRows, int64_t(tile(destination).rows));
    return all(
        {expect("rows of the source", tile(source).rows, "keys of 'config'", kernel_.config.keys),
         expectHeadDim(source), expectHeadDim(destination)});
  }
  Status check(const insn::LoadQuery &i) {
    kernel_.queryBinding = tile(i.source).binding;
    return checkRows(i.source, i.destination);
  }
  /// One number for each key of the source.
  Status checkMask(uint16_t mask, uint16_t source) {
    if (isAbsent(mask))
      return Status();
    return all(
        {expect("rows of the mask", tile(mask).rows, "rows of the source", tile(source).rows),
         expect("columns of the mask", tile(mask).cols, "one per key", 1)});
  }
  Status check(const insn::LoadKey &i) {
    return all({checkSlice(i.source, i.destination), checkMask(i.mask, i.source)});
  }
  Status check(const insn::LoadValue &i) { return checkSlice(i.source, i.destination); }
  Status check(const insn::LoadGlobalQuery &i) { return checkRows(i.source, i.destination); }
  Status check(const insn::LoadGlobalKey &i) {
    return all({checkRows(i.source, i.destination), checkMask(i.mask, i.source)});
  }
  Status check(const insn::LoadGlobalValue &i) { return checkRows(i.source, i.destination); }
  Status check(const insn::StoreOutput &i) {
    if (tile(i.destination).binding < kernel_.stage.info().inputs)
      return makeError("binding ", tile(i.destination).binding,
                       " is an input and cannot be stored to");
    return checkRows(i.destination, i.source);
  }

  Status check(const insn::TileAttn &i) {
    inArray_ = true;
    tileRows_ = tile(i.query).rows;
    globalRows_ = isAbsent(i.global_query) ? 0 : tile(i.global_query).rows;
    const int64_t slice = int64_t(tileRows_) + params_.array.cols - 1;
    Status shapes =
        all({expectHeadDim(i.query), expectHeadDim(i.key), expectHeadDim(i.value),
             expectAtMost("query rows", tileRows_, "parameter 'pe_rows'", params_.array.rows),
             expectAtMost("columns", i.cols, "parameter 'pe_cols'", params_.array.cols),
             expectAtMost("row_cols", i.row_cols, "parameter 'pe_cols'", params_.array.cols),
             expect("keys of a slice", tile(i.key).rows, "rows + pe_cols - 1", slice),
             expect("values of a slice", tile(i.value).rows, "keys of the slice", slice)});
    return shapes ? checkGlobals(i) : shapes;
  }
  Status checkGlobals(const insn::TileAttn &i) {
    const int64_t most = params_.array.globals;
    if (isAbsent(i.global_key) != isAbsent(i.global_value))
      return makeError("expects global keys with their values");
    if (!isAbsent(i.global_key))
      if (Status status = all(
              {expectHeadDim(i.global_key), expectHeadDim(i.global_value),
               expectAtMost("global keys", tile(i.global_key).rows, "parameter 'globals'", most),
               expect("global values", tile(i.global_value).rows, "global keys",
                      tile(i.global_key).rows)});
          !status)
        return status;
    if (isAbsent(i.global_query))
      return Status();
    return all({expectHeadDim(i.global_query),
                expectAtMost("global queries", globalRows_, "parameter 'globals'", most),
                expect("query rows with global queries", tileRows_, "parameter 'pe_rows'",
                       params_.array.rows)});
  }
  Status check(const insn::Clear &i) { return expectHeadDim(i.output); }
  Status check(const insn::Merge &i) {
    if (!std::exchange(inArray_, false))
      return makeError("'merge' must follow 'tile_attn'");
    if (isAbsent(i.global_output) != (globalRows_ == 0))
      return makeError("expects rows for the ", globalRows_, " global queries of the pass");
    Status status = all({expectHeadDim(i.output),
                         expect("rows", tile(i.output).rows, "queries of the pass", tileRows_)});
    if (!status || globalRows_ == 0)
      return status;
    return all({expectHeadDim(i.global_output), expect("global rows", tile(i.global_output).rows,
                                                       "global queries of the pass", globalRows_)});
  }

  Kernel &kernel_;
  const Params &params_;
  std::span<const AddressGenerator> generators_;
  bool hasConfig_ = false, hasLoads_ = false;
  bool inArray_ = false; ///< after tile_attn, before its merge
  uint32_t tileRows_ = 0, globalRows_ = 0;
  size_t index_ = 0;
};

} // namespace

Result<Kernel> Kernel::load(const program::AcceleratorStage &table, const Params &params,
                            const Arch &arch) {
  if (params.version != 1)
    return makeError(
        "version ", params.version,
        " runs no programs: it picks its patterns at run time, which 'sparsam simulate' "
        "does on given scores; set version=1");
  Result<Stage<Isa>> stage = Stage<Isa>::load(table);
  if (!stage)
    return stage.error();
  Kernel kernel;
  kernel.stage = stage.take();
  if (Status status = mapKernelMemories(kernel, arch); !status)
    return status.error();
  if (Status status = InstructionChecker(kernel, params).run(); !status)
    return status.error();
  return kernel;
}

} // namespace sparsam::salo
