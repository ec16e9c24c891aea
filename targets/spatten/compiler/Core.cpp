// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Core.cpp - read one attention core with its rankings ---------------===//

#include "Core.h"

#include "sparsam/Calibrated.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace sparsam;
using namespace sparsam::spatten;

namespace {

class Reader {
public:
  Reader(isa::KernelOp kernel, isa::ArchAttr arch) : kernel(kernel), arch(arch) {}

  FailureOr<Core> read() {
    if (failed(findOps()) || failed(readShapes()) || failed(readOperands()) ||
        failed(readResults()) || failed(readPolicy()) || failed(checkCapacity()))
      return failure();
    return core;
  }

private:
  InFlightDiagnostic refuse(Operation *op) { return op->emitOpError("cannot run on SpAtten: "); }

  LogicalResult findOps() {
    if (!kernel.getBody().hasOneBlock())
      return refuse(kernel) << "expects one block";
    for (Operation &op : kernel.getBody().front().without_terminator()) {
      if (auto found = dyn_cast<sattn::AttentionOp>(op)) {
        if (attention)
          return refuse(found) << "a kernel holds one attention";
        attention = found;
      } else if (!llvm::isa<sattn::TopKOp, sattn::GatherOp>(op) &&
                 !matchPattern(&op, m_AnyZeroFloat())) {
        return refuse(&op) << "a kernel holds an attention, the rankings of its scores, and "
                              "gathers of its keys and values";
      }
    }
    if (!attention)
      return refuse(kernel) << "expects a `sattn.attention`";
    return success();
  }

  LogicalResult readShapes() {
    ArrayRef<int64_t> query = attention.getQuery().getType().getShape();
    ArrayRef<int64_t> key = attention.getKey().getType().getShape();
    const int64_t valueDim = attention.getValue().getType().getDimSize(3);
    if (valueDim != query[3])
      return refuse(attention) << "values of " << valueDim << " dimensions under queries of "
                               << query[3] << "; its arrays hold one width for both";
    core.batch = query[0];
    core.heads = query[1];
    core.queries = query[2];
    core.headDim = query[3];
    core.keys = core.seenKeys = key[2];
    constexpr int64_t kMaxSize = 65535;
    for (int64_t size : {core.batch, core.heads, core.queries, core.headDim, core.keys})
      if (size < 1 || size > kMaxSize)
        return refuse(attention) << "dimensions must lie between 1 and " << kMaxSize << ", got "
                                 << attention.getQuery().getType() << " and "
                                 << attention.getKey().getType();
    if (const int64_t inputs = arch.getInteger("multipliers"); !fitsTree(core.headDim, inputs))
      return refuse(attention) << "heads of " << core.headDim
                               << " dimensions; the adder tree splits in halves and has " << inputs
                               << " inputs (parameter 'multipliers'): a power of two up to "
                               << std::min(inputs, kMostDimensions) << " fits";
    core.scale = attention.getScale().convertToDouble();
    core.causal = attention.getCausal();
    return success();
  }

  /// Number of the kernel's argument that `value` is; -1 for no value.
  FailureOr<int64_t> argumentOf(Value value, StringRef what) {
    if (!value)
      return -1;
    auto argument = dyn_cast<BlockArgument>(value);
    if (!argument || argument.getOwner() != &kernel.getBody().front()) {
      refuse(attention) << "expects its " << what << " among the kernel's arguments";
      return failure();
    }
    return argument.getArgNumber();
  }

  /// Keys and values, directly or through one token list and one head list.
  LogicalResult readRows(Value value, StringRef what, int64_t &argument) {
    auto tokens = value.getDefiningOp<sattn::GatherOp>();
    if (tokens && tokens.getDim() == 2)
      value = tokens.getInput();
    else
      tokens = {};
    core.keys = cast<RankedTensorType>(value.getType()).getDimSize(2);
    if (failed(readHeads(value)) || failed(assign(argument, argumentOf(value, what))))
      return failure();
    if (!tokens)
      return success();
    if (auto ranking = tokens.getIndices().getDefiningOp<sattn::TopKOp>())
      return readListRanking(ranking);
    return readList(tokens, "token list", core.tokens);
  }
  /// Looks through a gather of heads.
  LogicalResult readHeads(Value &value) {
    auto heads = value.getDefiningOp<sattn::GatherOp>();
    const int64_t before = core.sourceHeads;
    if (!heads) {
      core.sourceHeads = core.heads;
    } else {
      if (heads.getDim() != 1)
        return refuse(heads) << "gathers dimension " << heads.getDim()
                             << "; a list names tokens, dimension 2, or heads, dimension 1";
      value = heads.getInput();
      core.sourceHeads = heads.getInput().getType().getDimSize(1);
      if (failed(readList(heads, "head list", core.headList)))
        return failure();
    }
    if (before != 0 && before != core.sourceHeads)
      return refuse(attention) << "keys and values have different head lists";
    return success();
  }
  LogicalResult readList(sattn::GatherOp gather, StringRef what, int64_t &list) {
    int64_t found = -1;
    if (failed(assign(found, argumentOf(gather.getIndices(), what))))
      return failure();
    if (list >= 0 && list != found)
      return refuse(gather) << "keys and values have different " << what << "s";
    list = found;
    return success();
  }
  static LogicalResult assign(int64_t &to, FailureOr<int64_t> from) {
    if (failed(from))
      return failure();
    to = *from;
    return success();
  }

  /// The survivors that keys and values are fetched of are ranked in this kernel.
  LogicalResult readListRanking(sattn::TopKOp op) {
    if (listRanking && listRanking != op)
      return refuse(op) << "keys and values have different token lists";
    listRanking = op;
    core.listed = op.getScores().getType().getDimSize(1);
    if (core.batch != 1)
      return refuse(op) << "ranks the tokens of " << core.batch
                        << " sequences before an attention; it does so for one";
    if (failed(assign(core.listScores, argumentOf(op.getScores(), "ranked scores"))))
      return failure();
    return readProtected(op, core.listRanking);
  }

  LogicalResult readScores(Value scores, StringRef what, int64_t &argument) {
    if (scores && matchPattern(scores, m_AnyZeroFloat())) {
      argument = Core::kFromZero;
      return success();
    }
    return assign(argument, argumentOf(scores, what));
  }

  LogicalResult readOperands() {
    if (failed(assign(core.query, argumentOf(attention.getQuery(), "query"))) ||
        failed(readRows(attention.getKey(), "key", core.key)) ||
        failed(readRows(attention.getValue(), "value", core.value)) ||
        failed(assign(core.bias, argumentOf(attention.getMask(), "mask"))) ||
        failed(assign(core.valid, argumentOf(attention.getValid(), "number of keys"))) ||
        failed(readScores(attention.getTokenScores(), "token scores", core.tokenScores)) ||
        failed(readScores(attention.getHeadScores(), "head scores", core.headScores)))
      return failure();
    auto isListed = [](Value rows) {
      auto gather = rows.getDefiningOp<sattn::GatherOp>();
      return gather && gather.getDim() == 2;
    };
    if (isListed(attention.getKey()) != isListed(attention.getValue()))
      return refuse(attention) << "keys and values have different token lists";
    if (attention.getMask())
      llvm::copy(attention.getMask().getType().getShape(), core.biasShape.begin());
    return success();
  }

  LogicalResult readResults() {
    auto returnOp = cast<isa::ReturnOp>(kernel.getBody().front().getTerminator());
    for (auto [number, value] : llvm::enumerate(returnOp.getOperands())) {
      if (auto ranking = value.getDefiningOp<sattn::TopKOp>()) {
        if (ranking == listRanking) {
          core.listRanking.result = int64_t(number);
          continue;
        }
        if (failed(readRanking(ranking, int64_t(number))))
          return failure();
        continue;
      }
      int64_t *place = value == attention.getOutput()           ? &core.output
                       : value == attention.getNewTokenScores() ? &core.newTokenScores
                       : value == attention.getNewHeadScores()  ? &core.newHeadScores
                                                                : nullptr;
      if (!place)
        return refuse(kernel) << "returns something else than the attention's results and their "
                                 "rankings";
      *place = int64_t(number);
    }
    if (core.output < 0)
      return refuse(kernel) << "does not return the attention's output";
    if (listRanking && core.listRanking.result < 0)
      return refuse(listRanking)
             << "the survivors are no result of the kernel, so that they have no "
                "place in DRAM";
    return success();
  }

  LogicalResult readRanking(sattn::TopKOp op, int64_t result) {
    const bool isToken = op.getScores() == attention.getNewTokenScores();
    if (!isToken && op.getScores() != attention.getNewHeadScores())
      return refuse(op) << "ranks other scores than the attention accumulates";
    RankingCore &ranking = isToken ? core.tokenRanking : core.headRanking;
    if (ranking.result >= 0 || (isToken && listRanking))
      return refuse(op) << "ranks scores that are ranked already";
    ranking.result = result;
    if (!isToken && !op.getProtect().empty())
      return refuse(op) << "protects heads, which the engine cannot";
    return readProtected(op, ranking);
  }

  LogicalResult readProtected(sattn::TopKOp op, RankingCore &ranking) {
    ranking.k = op.getK();
    const int64_t n = op.getScores().getType().getDimSize(1);
    SmallVector<int64_t> positions(op.getProtect());
    for (int64_t &position : positions)
      position += position < 0 ? n : 0;
    llvm::sort(positions);
    positions.erase(llvm::unique(positions), positions.end());
    while (ranking.protectFirst < int64_t(positions.size()) &&
           positions[ranking.protectFirst] == ranking.protectFirst)
      ++ranking.protectFirst;
    ranking.protectLast = int64_t(positions.size()) - ranking.protectFirst;
    for (int64_t i = 0; i < ranking.protectLast; ++i)
      if (positions[positions.size() - 1 - i] != n - 1 - i)
        return refuse(op) << "protects position " << positions[positions.size() - 1 - i]
                          << "; the engine protects the first and the last tokens";
    if (ranking.protectFirst > 255 || ranking.protectLast > 255)
      return refuse(op) << "protects " << positions.size() << " tokens; the engine protects 255 at "
                        << "each end";
    return success();
  }

  LogicalResult readPolicy() {
    core.values = core.seenKeys;
    if (attention.getPolicy().isDense())
      return success();
    auto policy = dyn_cast<sattn::ProgressiveAttr>(attention.getPolicy());
    if (!policy)
      return refuse(attention) << "policy " << attention.getPolicy()
                               << "; it knows #sattn.dense and #sattn.progressive";
    StringRef missing = policy.missingCalibration();
    if (!missing.empty())
      return emitUncalibratedPolicy(attention, missing);
    if (policy.getMsb() < 4 || policy.getMsb() > 12 || policy.getMsb() % 2 != 0 ||
        (policy.getLsb() != 0 && policy.getLsb() != 4))
      return refuse(attention) << policy.getMsb() << " + " << policy.getLsb()
                               << " bits; its DRAM layout has 4, 6, 8, 10 or 12 bits first, and 4 "
                                  "or none later";
    if (policy.getValueBits() > 12)
      return refuse(attention) << "values of " << policy.getValueBits()
                               << " bits; its words have 12";
    core.words = true;
    core.msb = policy.getMsb();
    core.lsb = policy.getLsb();
    core.valueBits = policy.getValueBits();
    core.threshold = policy.getThreshold();
    core.forceLsb = arch.getFlag("force_lsb");
    core.values = std::min(policy.getValues(), core.seenKeys);
    core.qRange = policy.getQRange();
    core.kRange = policy.getKRange();
    core.vRange = policy.getVRange();
    return success();
  }

  /// Rows of `bits` that wait in a buffer, one at least.
  int64_t slotsOf(StringRef parameter, int64_t bits) {
    constexpr int64_t kMostRows = 32; // more hide no latency
    return std::clamp<int64_t>(arch.getInteger(parameter) * 8 / bits, 1, kMostRows);
  }

  /// Keys and values of a head must fit twice, scores and lists once.
  LogicalResult checkCapacity() {
    constexpr int64_t kWordBits = 12;
    for (StringRef parameter : {"key_buffer", "value_buffer"}) {
      const int64_t bytes = arch.getInteger(parameter);
      const int64_t most = bytes * 8 / (2 * kWordBits * core.headDim);
      if (core.seenKeys > most)
        return refuse(attention) << "needs room for " << core.seenKeys << " tokens of "
                                 << core.headDim << " dimensions; its SRAM holds two heads of "
                                 << most << " (parameter '" << parameter << "' = " << bytes
                                 << " B); prune tokens in earlier layers, or raise the parameter";
    }
    core.querySlots = slotsOf("query_buffer", kWordBits * core.headDim);
    core.outputSlots = slotsOf("output_buffer", kWordBits * core.headDim);
    constexpr int64_t kMaskBits = 32;
    if (core.bias >= 0)
      core.biasSlots = slotsOf("bias_buffer", kMaskBits * core.biasShape[3]);
    const int64_t scores = 4 * core.scoreCount();
    if (scores > arch.getInteger("importance_buffer"))
      return refuse(attention) << "needs " << scores << " bytes for scores; the score memory has "
                               << arch.getInteger("importance_buffer")
                               << " (parameter 'importance_buffer')";
    return success();
  }

  isa::KernelOp kernel;
  isa::ArchAttr arch;
  sattn::AttentionOp attention;
  sattn::TopKOp listRanking;
  Core core;
};

} // namespace

FailureOr<Core> spatten::readCore(isa::KernelOp kernel, isa::ArchAttr arch) {
  return Reader(kernel, arch).read();
}
