// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Schedule.cpp - the order of instructions of one attention ----------===//

#include "Core.h"

#include "isa/ProgramBuilder.h"

using namespace mlir;
using namespace sparsam;
using namespace sparsam::spatten;

namespace {

using isa::Buffer;

class Emitter : isa::ProgramBuilder {
public:
  Emitter(OpBuilder &builder, Location loc, const Core &core, size_t inputs, ValueRange arguments)
      : ProgramBuilder(builder, loc), core(core), inputs(inputs), arguments(arguments) {}

  void run() {
    allocate();
    emitConfig();
    loadBias(Level::kernel, zero(), zero(), zero());
    loop(core.batch, [&](AffineExpr entry) { emitEntry(entry); });
    emit<SyncOp>();
  }

private:
  bool isResident() const { return core.queries > 1; }
  /// What buffers of one head rotate with: heads, or entries of one head.
  AffineExpr turnOf(AffineExpr entry, AffineExpr head) { return core.heads > 1 ? head : entry; }
  int64_t turns() const { return core.heads > 1 ? core.heads : core.batch; }
  /// The loops that an instruction may stand in, from the outermost one.
  enum class Level { kernel, entry, head, query };
  /// The innermost loop that a row of the mask changes with.
  Level biasLevel() const {
    const std::array<int64_t, 4> &shape = core.biasShape;
    return shape[2] > 1   ? Level::query
           : shape[1] > 1 ? Level::head
           : shape[0] > 1 ? Level::entry
                          : Level::kernel;
  }
  /// Rows of the mask that follow each other before a slot may hold the next one.
  int64_t biasRows() const {
    switch (biasLevel()) {
    case Level::query:
      return core.queries;
    case Level::head:
      return turns();
    case Level::entry:
      return core.batch;
    case Level::kernel:
      return 1;
    }
    llvm_unreachable("all levels are listed");
  }
  AffineExpr biasTurn(AffineExpr entry, AffineExpr head, AffineExpr query) {
    switch (biasLevel()) {
    case Level::query:
      return query;
    case Level::head:
      return turnOf(entry, head);
    case Level::entry:
      return entry;
    case Level::kernel:
      return zero();
    }
    llvm_unreachable("all levels are listed");
  }
  Value input(int64_t number) { return arguments[number]; }
  Value result(int64_t number) { return arguments[inputs + number]; }

  void allocate() {
    OpBuilder &types = getBuilder();
    Type word = types.getIntegerType(12), real = types.getF32Type();
    const int64_t d = core.headDim;
    const int64_t rows = isResident() ? core.queries : turns();
    queryBuffer = alloc("query", std::min(rows, core.querySlots), false, 1, d, word);
    outputBuffer = alloc("output", std::min(rows, core.outputSlots), false, 1, d, word);
    if (isResident()) {
      const int64_t slots = turns() > 1 ? 2 : 1;
      keyBuffer = alloc("key", slots, true, core.seenKeys, d, word);
      valueBuffer = alloc("value", slots, true, core.seenKeys, d, word);
    }
    if (core.bias >= 0)
      biasBuffer =
          alloc("bias", std::min(biasRows(), core.biasSlots), false, 1, core.biasShape[3], real);
    if (core.listRanking.result >= 0)
      listScoreBuffer = alloc("importance", 1, false, 1, core.listed, real);
    if (core.hasList())
      tokenBuffer = alloc("index", 1, false, 1, core.seenKeys, types.getI16Type());
    if (core.hasHeadList())
      headBuffer = alloc("index", 1, false, 1, core.heads, types.getI16Type());
    if (core.accumulatesTokens())
      tokenScoreBuffer = alloc("importance", 1, false, 1, core.seenKeys, real);
    if (core.accumulatesHeads())
      headScoreBuffer = alloc("importance", 1, false, 1, core.heads, real);
  }

  void emitConfig() {
    OpBuilder &builder = getBuilder();
    auto real = [&](double number) { return builder.getF32FloatAttr(float(number)); };
    auto integer = [&](int64_t number) { return builder.getI64IntegerAttr(number); };
    auto flag = [&](bool value) { return builder.getBoolAttr(value); };
    emit<ConfigOp>(integer(core.batch), integer(core.heads), integer(core.queries),
                   integer(core.keys), integer(core.headDim), real(core.scale), flag(core.causal),
                   flag(core.words), integer(core.msb), integer(core.lsb), integer(core.valueBits),
                   real(core.threshold), flag(core.forceLsb),
                   flag(!isResident()), // a second fetch would cost compute with many queries
                   integer(core.values), real(core.qRange), real(core.kRange), real(core.vRange));
  }

  /// The whole of a buffer's one slot.
  Value whole(const Buffer &buffer, int64_t cols) {
    return view(buffer, zero(), zero(), zero(), 1, cols);
  }
  /// Row `entry` of a matrix in DRAM.
  Value rowOf(Value source, AffineExpr entry) {
    const int64_t cols = cast<MemRefType>(source.getType()).getDimSize(1);
    return view(source, {entry, zero()}, 1, cols);
  }

  void emitEntry(AffineExpr entry) {
    if (core.listRanking.result >= 0)
      emitListRanking(entry);
    if (core.valid >= 0)
      emit<SetLengthOp>(number(core.valid));
    if (core.hasList())
      emit<SetTokensOp>(
          rowOf(core.tokens >= 0 ? input(core.tokens) : result(core.listRanking.result), entry),
          whole(tokenBuffer, core.seenKeys));
    if (core.hasHeadList())
      emit<SetHeadsOp>(rowOf(input(core.headList), entry), whole(headBuffer, core.heads),
                       getBuilder().getI64IntegerAttr(core.sourceHeads));
    if (core.accumulatesTokens())
      startScores(core.tokenScores, entry, whole(tokenScoreBuffer, core.seenKeys));
    if (core.accumulatesHeads())
      startScores(core.headScores, entry, whole(headScoreBuffer, core.heads));
    loadBias(Level::entry, entry, zero(), zero());
    loop(core.heads, [&](AffineExpr head) { emitHead(entry, head); });
    emitRankings(entry);
  }

  /// What earlier layers have accumulated, or zeros at the start of a sequence.
  void startScores(int64_t argument, AffineExpr entry, Value scores) {
    if (argument == Core::kFromZero)
      emit<ResetScoresOp>(scores);
    else
      emit<LoadScoresOp>(rowOf(input(argument), entry), scores);
  }

  /// A number in DRAM.
  Value number(int64_t argument) { return view(input(argument), {zero(), zero()}, 1, 1); }

  /// The survivors go to DRAM, where the token list is read from.
  void emitListRanking(AffineExpr entry) {
    OpBuilder &builder = getBuilder();
    auto integer = [&](int64_t number) { return builder.getI64IntegerAttr(number); };
    const RankingCore &r = core.listRanking;
    emit<LoadScoresOp>(rowOf(input(core.listScores), entry), whole(listScoreBuffer, core.listed));
    emit<TopkTokenOp>(whole(listScoreBuffer, core.listed), rowOf(result(r.result), entry),
                      integer(r.k), integer(r.protectFirst), integer(r.protectLast));
    emit<SyncOp>();
  }

  void emitRankings(AffineExpr entry) {
    OpBuilder &builder = getBuilder();
    auto integer = [&](int64_t number) { return builder.getI64IntegerAttr(number); };
    if (const RankingCore &r = core.tokenRanking; r.result >= 0)
      emit<TopkTokenOp>(whole(tokenScoreBuffer, core.seenKeys), rowOf(result(r.result), entry),
                        integer(r.k), integer(r.protectFirst), integer(r.protectLast));
    if (const RankingCore &r = core.headRanking; r.result >= 0)
      emit<TopkHeadOp>(whole(headScoreBuffer, core.heads), rowOf(result(r.result), entry),
                       integer(r.k));
    if (core.newTokenScores >= 0)
      emit<StoreScoresOp>(whole(tokenScoreBuffer, core.seenKeys),
                          rowOf(result(core.newTokenScores), entry));
    if (core.newHeadScores >= 0)
      emit<StoreScoresOp>(whole(headScoreBuffer, core.heads),
                          rowOf(result(core.newHeadScores), entry));
  }

  /// Loads a row of the mask at `level`, if that is where it changes: a row that all heads share
  /// comes once.
  void loadBias(Level level, AffineExpr entry, AffineExpr head, AffineExpr query) {
    if (core.bias < 0 || level != biasLevel())
      return;
    auto at = [&](size_t dim, AffineExpr expr) { return core.biasShape[dim] > 1 ? expr : zero(); };
    emit<LoadBiasOp>(view(input(core.bias), {at(0, entry), at(1, head), at(2, query), zero()}, 1,
                          core.biasShape[3]),
                     biasRow(entry, head, query));
  }
  Value biasRow(AffineExpr entry, AffineExpr head, AffineExpr query) {
    return view(biasBuffer, biasTurn(entry, head, query), zero(), zero(), 1, core.biasShape[3]);
  }

  void emitHead(AffineExpr entry, AffineExpr head) {
    const int64_t d = core.headDim;
    AffineExpr number = entry * core.heads + head, turn = turnOf(entry, head);
    emit<BindHeadOp>(index(number), core.hasHeadList() ? whole(headBuffer, core.heads) : Value());
    if (isResident()) {
      Value tokens = core.hasList() ? whole(tokenBuffer, core.seenKeys) : Value();
      emit<LoadKOp>(view(input(core.key), {number, zero(), zero()}, core.keys, d),
                    view(keyBuffer, turn, zero(), zero(), core.seenKeys, d), tokens);
      emit<LoadVOp>(view(input(core.value), {number, zero(), zero()}, core.keys, d),
                    view(valueBuffer, turn, zero(), zero(), core.seenKeys, d), tokens);
    }
    loadBias(Level::head, entry, head, zero());
    loop(core.queries, [&](AffineExpr query) { emitQuery(entry, head, query); });
  }

  void emitQuery(AffineExpr entry, AffineExpr head, AffineExpr query) {
    const int64_t d = core.headDim;
    AffineExpr number = entry * core.heads + head;
    AffineExpr turn = turnOf(entry, head), rowTurn = isResident() ? query : turn;
    loadBias(Level::query, entry, head, query);
    Value queryRow = view(queryBuffer, rowTurn, zero(), zero(), 1, d);
    Value outputRow = view(outputBuffer, rowTurn, zero(), zero(), 1, d);
    emit<LoadQOp>(view(input(core.query), {number, query, zero()}, 1, d), queryRow);
    Value tokens = core.hasList() ? whole(tokenBuffer, core.seenKeys) : Value();
    Value bias = core.bias >= 0 ? biasRow(entry, head, query) : Value();
    Value tokenScores = core.accumulatesTokens() ? whole(tokenScoreBuffer, core.seenKeys) : Value();
    Value headScores = core.accumulatesHeads() ? whole(headScoreBuffer, core.heads) : Value();
    if (isResident())
      emit<QueryOp>(index(query), queryRow, view(keyBuffer, turn, zero(), zero(), core.seenKeys, d),
                    view(valueBuffer, turn, zero(), zero(), core.seenKeys, d), tokens, bias,
                    tokenScores, headScores, outputRow);
    else
      emit<QueryStreamOp>(index(query), queryRow,
                          view(input(core.key), {number, zero(), zero()}, core.keys, d),
                          view(input(core.value), {number, zero(), zero()}, core.keys, d), tokens,
                          bias, tokenScores, headScores, outputRow);
    emit<StoreOutOp>(outputRow, view(result(core.output), {number, query, zero()}, 1, d));
  }

  const Core &core;
  size_t inputs;
  ValueRange arguments;
  Buffer queryBuffer, outputBuffer, keyBuffer, valueBuffer, biasBuffer, tokenBuffer, headBuffer,
      tokenScoreBuffer, headScoreBuffer, listScoreBuffer;
};

} // namespace

void spatten::emitSchedule(OpBuilder &builder, Location loc, const Core &core, size_t inputs,
                           ValueRange arguments) {
  Emitter(builder, loc, core, inputs, arguments).run();
}
