// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Kernel.cpp - checks of a Sanger program when it is loaded ----------===//

#include "targets/sanger/model/Kernel.h"

#include "runtime/program/Program_generated.h"
#include "runtime/units/InstructionChecks.h"

#include <algorithm>
#include <cmath>

namespace sparsam::sanger {

using namespace runtime;

namespace {

/// Checks the instructions one after the other.
class Checker : InstructionChecks {
public:
  Checker(Kernel &kernel, const Params &params)
      : InstructionChecks(kernel.stage), kernel_(kernel), params_(params) {}

  Status atEnd() const {
    if (arrayState_ == nullptr)
      return Status();
    return makeError("ends after '", arrayState_, "', while its block is in the array");
  }

  Status check(const insn::Config &config) {
    if (!std::isfinite(config.scale) || std::abs(config.scale) > 65536)
      return makeError("scale must be a number in [-65536, 65536], got ", config.scale);
    if (!config.predict)
      return Status();
    if (config.bits % 2 != 0)
      return makeError("bits must be 2, 4, 6 or 8, got ", config.bits);
    if (!(config.threshold > 0 && config.threshold < 1))
      return makeError("threshold must lie between 0 and 1, got ", config.threshold);
    if (!(config.q_range > 0 && config.k_range > 0) || !std::isfinite(config.q_range) ||
        !std::isfinite(config.k_range))
      return makeError("prediction needs calibrated ranges above 0, got tx = ", config.q_range,
                       ", ty = ", config.k_range, "; run 'sparsam calibrate' and compile again");
    return Status();
  }
  Status check(const insn::SelectHead &) { return Status(); }

  Status expectHeadDim(uint16_t descriptor) const {
    return expect("columns of a tile", tile(descriptor).cols, "head_dim of 'config'",
                  kernel_.config.head_dim);
  }
  Status checkLoad(uint16_t source, uint16_t destination, bool isHeadDim) {
    return all(
        {expectSameShape(source, destination), isHeadDim ? expectHeadDim(destination) : Status()});
  }
  Status check(const insn::LoadQuery &i) {
    kernel_.queryBinding = tile(i.source).binding;
    return checkLoad(i.source, i.destination, true);
  }
  Status check(const insn::LoadKey &i) {
    kernel_.keyBinding = tile(i.source).binding;
    return checkLoad(i.source, i.destination, true);
  }
  Status check(const insn::LoadValue &i) {
    kernel_.valueBinding = tile(i.source).binding;
    return checkLoad(i.source, i.destination, true);
  }
  Status check(const insn::LoadBias &i) {
    kernel_.biasBinding = tile(i.source).binding;
    return checkLoad(i.source, i.destination, false);
  }
  Status check(const insn::StoreOutput &i) {
    return all({expectResult(i.destination), checkLoad(i.destination, i.source, true)});
  }

  Status check(const insn::QuantizeQuery &i) { return checkLoad(i.source, i.destination, true); }
  Status check(const insn::QuantizeKey &i) { return checkLoad(i.source, i.destination, true); }
  Status check(const insn::Score &i) {
    const AddressGenerator &q = tile(i.query), &k = tile(i.key), &s = tile(i.score);
    if (!kernel_.config.predict)
      return makeError("'score' needs 'config' with predict");
    Status shapes =
        all({expectHeadDim(i.query), expectHeadDim(i.key),
             expectAtMost("query rows", q.rows, "parameter 'lowbit_rows'", params_.lowbitRows),
             expectAtMost("key rows", k.rows, "parameter 'lowbit_cols'", params_.lowbitCols),
             expect("rows of the scores", s.rows, "rows of the query tile", q.rows),
             expect("columns of the scores", s.cols, "rows of the key tile", k.rows)});
    return shapes ? checkBias(i.bias, q.rows, k.rows) : shapes;
  }
  Status checkBias(uint16_t descriptor, int64_t rows, int64_t cols) {
    if (isAbsent(descriptor))
      return Status();
    const AddressGenerator &bias = tile(descriptor);
    if ((bias.rows != 1 && bias.rows < rows) || bias.cols < cols)
      return makeError("expects a bias of 1 or ", rows, " rows and ", cols, " columns, got ",
                       bias.rows, "x", bias.cols);
    return Status();
  }
  Status check(const insn::SoftmaxThreshold &i) {
    return all({expectSameShape(i.scores, i.mask),
                expect("columns of the stripe up to the next 'lowbit_cols'",
                       paddedKeys(tile(i.scores).cols), "all keys of the head",
                       paddedKeys(kernel_.config.keys))});
  }
  int64_t paddedKeys(int64_t keys) const {
    return (keys + params_.lowbitCols - 1) / params_.lowbitCols * params_.lowbitCols;
  }
  Status check(const insn::SelectAll &) { return Status(); }
  Status check(const insn::PackSplit &i) {
    return expectAtMost("columns of the mask tile", tile(i.mask).cols, "parameter 'stripe'",
                        params_.array.stripe);
  }
  Status check(const insn::SealBlocks &) { return Status(); }

  /// The array takes sddmm, exp, spmm and accumulate in this order.
  Status follow(const char *self, const char *before) {
    const char *last = std::exchange(arrayState_, self);
    if ((last == nullptr) != (before == nullptr) || (last && std::string_view(last) != before))
      return makeError("'", self, "' must follow ", before ? "'" : "",
                       before ? before : "a finished block", before ? "'" : "",
                       " on the same block, not ", last ? last : "an empty array");
    return Status();
  }
  Status check(const insn::Sddmm &i) {
    const AddressGenerator &q = tile(i.query);
    Status order = follow("sddmm", nullptr);
    if (!order)
      return order;
    if (q.rows < kernel_.config.queries)
      return makeError("expects the query tile to hold all ", kernel_.config.queries,
                       " queries of the head, got ", q.rows, " rows");
    Status shapes = all({expectHeadDim(i.query), expectHeadDim(i.key)});
    return shapes ? checkBias(i.bias, kernel_.config.queries, 1) : shapes;
  }
  Status check(const insn::Exp &) { return follow("exp", "sddmm"); }
  Status check(const insn::Spmm &i) { return all({follow("spmm", "exp"), expectHeadDim(i.value)}); }
  Status check(const insn::Accumulate &i) {
    Status order = follow("accumulate", "spmm");
    arrayState_ = nullptr;
    if (!order)
      return order;
    if (tile(i.output).rows < kernel_.config.queries)
      return makeError("expects the output tile to hold all ", kernel_.config.queries,
                       " queries of the head, got ", tile(i.output).rows, " rows");
    return expectHeadDim(i.output);
  }
  Status check(const insn::ClearOutput &i) { return expectHeadDim(i.output); }
  Status check(const insn::Normalize &i) { return expectHeadDim(i.output); }

private:
  Kernel &kernel_;
  const Params &params_;
  const char *arrayState_ = nullptr; ///< last instruction on the array; null: no block in it
};

} // namespace

Result<Kernel> Kernel::load(const program::AcceleratorStage &table, const Params &params,
                            const Arch &arch) {
  Result<Kernel> kernel = loadStage<Kernel>(table, memorySpecs(), "Sanger", arch);
  if (kernel)
    if (Status status = checkInstructions<insn::Config>(*kernel, Checker(*kernel, params)); !status)
      return status.error();
  return kernel;
}

} // namespace sparsam::sanger
