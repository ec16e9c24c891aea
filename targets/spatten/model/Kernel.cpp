// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Kernel.cpp - checks of a SpAtten program when it is loaded ---------===//

#include "targets/spatten/model/Kernel.h"

#include "runtime/program/Program_generated.h"
#include "runtime/units/InstructionChecks.h"

#include <cmath>

namespace sparsam::spatten {

using namespace runtime;

PipeFormat Kernel::format(const Params &params) const {
  PipeFormat format;
  format.headDim = config.head_dim;
  format.scale = config.scale;
  format.msbBits = config.msb;
  format.lsbBits = config.lsb;
  format.valueBits = config.value_bits;
  format.forceLsb = config.force_lsb;
  format.threshold = config.threshold;
  format.allowsLsb = config.allow_lsb;
  format.queryRange = config.q_range;
  format.keyRange = config.k_range;
  format.valueRange = config.v_range;
  format.values = config.values;
  format.pivot = params.pivot;
  return format;
}

//===-- Instructions -------------------------------------------------------===//

namespace {

/// Checks the instructions one after the other.
class Checker : InstructionChecks {
public:
  Checker(const Kernel &kernel, const Params &params)
      : InstructionChecks(kernel.stage), kernel_(kernel), params_(params) {}

  Status expectRow(uint16_t descriptor, const char *what, int64_t cols, const char *why) const {
    if (Status status =
            expect((std::string("rows of ") + what).c_str(), tile(descriptor).rows, "one", 1);
        !status)
      return status;
    return expect((std::string("columns of ") + what).c_str(), tile(descriptor).cols, why, cols);
  }
  Status expectHeadDim(uint16_t descriptor, const char *what) const {
    return expect((std::string("columns of ") + what).c_str(), tile(descriptor).cols,
                  "head_dim of 'config'", kernel_.config.head_dim);
  }
  Status check(const insn::Config &config) {
    if (!params_.fitsTree(config.head_dim))
      return makeError("heads of ", int64_t(config.head_dim),
                       " dimensions do not fit the adder tree of ", params_.multipliers,
                       " inputs (parameter 'multipliers'); a power of two up to that fits");
    if (!std::isfinite(config.scale))
      return makeError("scale must be a number, got ", config.scale);
    if (!(config.threshold >= 0 && config.threshold <= 1))
      return makeError("threshold must lie between 0 and 1, got ", config.threshold);
    if (!config.words)
      return Status();
    for (float range : {config.q_range, config.k_range, config.v_range})
      if (!(range > 0) || !std::isfinite(range))
        return makeError("12-bit words need calibrated ranges above 0, got tx = ", config.q_range,
                         ", ty = ", config.k_range, ", tz = ", config.v_range,
                         "; run 'sparsam calibrate' and compile again");
    return Status();
  }
  Status check(const insn::BindHead &i) {
    return isAbsent(i.heads) ? Status() : checkHeads(i.heads);
  }
  Status check(const insn::SetHeads &i) {
    return all({expectSameShape(i.source, i.destination), checkHeads(i.destination),
                expectAtMost("heads", kernel_.config.heads, "of", i.of)});
  }
  Status checkHeads(uint16_t heads) const {
    return expectRow(heads, "the head list", kernel_.config.heads, "heads of 'config'");
  }
  Status check(const insn::SetTokens &i) { return expectSameShape(i.source, i.destination); }
  Status check(const insn::SetLength &i) { return expectRow(i.length, "the length", 1, "one"); }
  Status check(const insn::ResetScores &) { return Status(); }
  Status check(const insn::LoadScores &i) { return expectSameShape(i.source, i.destination); }
  Status check(const insn::StoreScores &i) {
    return all({expectResult(i.destination), expectSameShape(i.source, i.destination)});
  }
  Status expectContiguous(uint16_t descriptor) const {
    if (tile(descriptor).rows == 1 || tile(descriptor).rowStride == int64_t(tile(descriptor).cols))
      return Status();
    return makeError("expects consecutive rows in SRAM, got a distance of ",
                     tile(descriptor).rowStride, " elements");
  }
  /// A list names rows among all keys of the head.
  Status checkTokens(uint16_t tokens, uint16_t source, int64_t fetched) const {
    return all(
        {expectRow(tokens, "the token list", fetched, "rows that are fetched"),
         expect("rows of the source", tile(source).rows, "keys of 'config'", kernel_.config.keys)});
  }
  Status checkLoad(uint16_t source, uint16_t destination, uint16_t tokens) const {
    return all({expectHeadDim(source, "the source"), expectHeadDim(destination, "the destination"),
                expectContiguous(destination),
                !isAbsent(tokens) ? checkTokens(tokens, source, tile(destination).rows)
                                  : expectSameShape(source, destination)});
  }
  Status check(const insn::LoadK &i) { return checkLoad(i.source, i.destination, i.tokens); }
  Status check(const insn::LoadV &i) { return checkLoad(i.source, i.destination, i.tokens); }
  Status check(const insn::LoadQ &i) {
    return all(
        {expectRow(i.destination, "the query", kernel_.config.head_dim, "head_dim of 'config'"),
         expectSameShape(i.source, i.destination)});
  }
  Status check(const insn::LoadBias &i) { return expectSameShape(i.source, i.destination); }
  Status check(const insn::StoreOut &i) {
    return all({expectResult(i.destination), expectSameShape(i.source, i.destination)});
  }

  /// `keys` go through the pipe.
  template <typename T> Status checkQuery(const T &i, int64_t keys) const {
    const int64_t dim = kernel_.config.head_dim;
    auto scores = [&](uint16_t descriptor, const char *what, int64_t least) -> Status {
      if (isAbsent(descriptor) || tile(descriptor).cols >= least)
        return Status();
      return makeError("expects at least ", least, " ", what, ", got ", tile(descriptor).cols);
    };
    const bool isOneBias = !isAbsent(i.bias) && tile(i.bias).cols == 1;
    return all({expectRow(i.query, "the query", dim, "head_dim of 'config'"),
                expectRow(i.output, "the output", dim, "head_dim of 'config'"),
                expectHeadDim(i.key, "keys"), expectHeadDim(i.value, "values"),
                expect("rows of values", tile(i.value).rows, "rows of keys", tile(i.key).rows),
                expectAtMost("keys", keys, "keys of 'config'", kernel_.config.keys),
                !isAbsent(i.bias) && !isOneBias
                    ? expectRow(i.bias, "the bias", keys, "keys of the query")
                    : Status(),
                scores(i.token_scores, "token scores", keys),
                scores(i.head_scores, "head scores", kernel_.config.heads)});
  }
  Status check(const insn::Query &i) {
    const int64_t keys = tile(i.key).rows;
    return all({expectContiguous(i.key), expectContiguous(i.value),
                !isAbsent(i.tokens) ? expectRow(i.tokens, "the token list", keys, "rows of keys")
                                    : Status(),
                checkQuery(i, keys)});
  }
  Status check(const insn::QueryStream &i) {
    if (isAbsent(i.tokens))
      return checkQuery(i, tile(i.key).rows);
    return all(
        {checkTokens(i.tokens, i.key, tile(i.tokens).cols), checkQuery(i, tile(i.tokens).cols)});
  }

  Status checkRanking(uint16_t scores, uint16_t survivors, int64_t k, int64_t isProtected) const {
    if (Status status =
            all({expectResult(survivors), expectRow(survivors, "the survivors", k, "k")});
        !status)
      return status;
    const int64_t n = tile(scores).cols;
    if (k > n)
      return makeError("keeps ", k, " of ", n, " scores");
    if (isProtected > k)
      return makeError("keeps ", k, " scores, but protects ", isProtected);
    return Status();
  }
  Status check(const insn::TopkToken &i) {
    return checkRanking(i.scores, i.survivors, i.k, int64_t(i.protect_first) + i.protect_last);
  }
  Status check(const insn::TopkHead &i) { return checkRanking(i.scores, i.survivors, i.k, 0); }
  Status check(const insn::Sync &) { return Status(); }

private:
  const Kernel &kernel_;
  const Params &params_;
};

} // namespace

Result<Kernel> Kernel::load(const program::AcceleratorStage &table, const Params &params,
                            const Arch &arch) {
  Result<Kernel> kernel = loadStage<Kernel>(table, memorySpecs(), "SpAtten", arch);
  if (kernel)
    if (Status status = checkInstructions<insn::Config>(*kernel, Checker(*kernel, params)); !status)
      return status.error();
  return kernel;
}

} // namespace sparsam::spatten
