// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Kernel.cpp - checks of a SALO program when it is loaded ------------===//

#include "targets/salo/model/Kernel.h"

#include "runtime/program/Program_generated.h"
#include "runtime/units/InstructionChecks.h"

#include <algorithm>
#include <cmath>

namespace sparsam::salo {

using namespace runtime;

/// Far more than any tensor of a model needs.
static constexpr int32_t kMostFactor = 1 << 24;

namespace {

/// Checks the instructions one after the other.
class Checker : InstructionChecks {
public:
  Checker(Kernel &kernel, const Params &params)
      : InstructionChecks(kernel.stage), kernel_(kernel), params_(params) {}

  template <typename T> Status before(const T &) const {
    if (std::is_same_v<T, insn::Merge> || !inArray_)
      return Status();
    return makeError("'merge' must follow 'tile_attn': its outputs are leaving the array");
  }
  Status atEnd() const {
    if (inArray_)
      return makeError("ends after 'tile_attn', before its 'merge'");
    return Status();
  }

  Status expectHeadDim(uint16_t descriptor) const {
    return expect("columns of a tile", tile(descriptor).cols, "head_dim of 'config'",
                  kernel_.config.head_dim);
  }

  Status check(const insn::Config &config) {
    for (auto [name, factor] : {std::pair("q_factor", config.q_factor),
                                {"k_factor", config.k_factor},
                                {"v_factor", config.v_factor}})
      if (!std::isfinite(factor) || std::abs(factor) > kMostFactor)
        return makeError(name, " must be a number in [-", kMostFactor, ", ", kMostFactor, "], got ",
                         factor);
    if (config.v_factor == 0)
      return makeError("v_factor must not be 0: outputs are divided by it");
    if (config.segments > 1 && config.queries != config.keys)
      return makeError("expects as many queries as keys in each of ", config.segments,
                       " segments, got ", config.queries, " and ", config.keys);
    return expectAtMost("dimensions per head", config.head_dim, "parameter 'merge_dims'",
                        params_.mergeDims);
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
    kernel_.keyBinding = tile(i.source).binding;
    return all({checkSlice(i.source, i.destination), checkMask(i.mask, i.source)});
  }
  Status check(const insn::LoadValue &i) {
    kernel_.valueBinding = tile(i.source).binding;
    return checkSlice(i.source, i.destination);
  }
  Status check(const insn::LoadGlobalQuery &i) { return checkRows(i.source, i.destination); }
  Status check(const insn::LoadGlobalKey &i) {
    return all({checkRows(i.source, i.destination), checkMask(i.mask, i.source)});
  }
  Status check(const insn::LoadGlobalValue &i) { return checkRows(i.source, i.destination); }
  Status check(const insn::StoreOutput &i) {
    return all({expectResult(i.destination), checkRows(i.destination, i.source)});
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

private:
  Kernel &kernel_;
  const Params &params_;
  bool hasLoads_ = false;
  bool inArray_ = false; ///< after tile_attn, before its merge
  uint32_t tileRows_ = 0, globalRows_ = 0;
};

} // namespace

Result<Kernel> Kernel::load(const program::AcceleratorStage &table, const Params &params,
                            const Arch &arch) {
  if (params.version != 1)
    return makeError(
        "version ", params.version,
        " runs no programs: it picks its patterns at run time, which 'sparsam simulate' "
        "does on given scores; set version=1");
  Result<Kernel> kernel = loadStage<Kernel>(table, memorySpecs(), "SALO", arch);
  if (!kernel)
    return kernel;
  if (Status status = checkInstructions<insn::Config>(*kernel, Checker(*kernel, params)); !status)
    return status.error();
  std::sort(kernel->globals.begin(), kernel->globals.end());
  return kernel;
}

} // namespace sparsam::salo
