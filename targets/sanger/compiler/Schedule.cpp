// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Schedule.cpp - the order of instructions of one attention ----------===//

#include "Schedule.h"

#include "isa/ProgramBuilder.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace sparsam;
using namespace sparsam::sanger;

namespace {

using isa::Buffer;

class Emitter : isa::ProgramBuilder {
public:
  Emitter(OpBuilder &builder, Location loc, const Core &core, const Geometry &geometry,
          ValueRange arguments)
      : ProgramBuilder(builder, loc), core(core), geometry(geometry), query(arguments[0]),
        key(arguments[1]), value(arguments[2]), bias(core.hasBias ? arguments[3] : Value()),
        output(arguments.back()), rowTiles(llvm::divideCeil(core.queries, geometry.lowbitRows)),
        keyTiles(llvm::divideCeil(core.keys, geometry.lowbitCols)),
        stripes(llvm::divideCeil(core.keys, geometry.stripe)),
        paddedQueries(rowTiles * geometry.lowbitRows), scoreCols(keyTiles * geometry.lowbitCols),
        paddedKeys(std::max(scoreCols, stripes * geometry.stripe)) {}

  void run() {
    allocate();
    emitConfig();
    if (core.hasBias && core.biasBatch == 1 && core.biasHeads == 1)
      loadBias(zero(), zero());
    // Heads of one batch entry share what is loaded once per entry.
    const bool biasPerEntry = core.hasBias && core.biasBatch > 1;
    heads = biasPerEntry || biasPerHead() ? core.heads : core.batch * core.heads;
    emitEntries(core.batch * core.heads / heads);
  }

private:
  //===-- Buffers ----------------------------------------------------------===//

  bool biasPerHead() const { return core.hasBias && core.biasHeads > 1; }

  void allocate() {
    OpBuilder &types = getBuilder();
    Type word = types.getI16Type(), code = types.getI8Type(), real = types.getF32Type();
    const int64_t d = core.headDim, rows = geometry.lowbitRows;
    const bool several = core.batch * core.heads > 1;
    auto fitsTwice = [&](int64_t tokens, int64_t bytes) { return 2 * tokens * d * 2 <= bytes; };
    const int64_t biasRows = core.biasQueries == 1 ? 1 : paddedQueries;
    pipelined = several && fitsTwice(paddedQueries, geometry.queryBytes) &&
                fitsTwice(paddedKeys, geometry.keyBytes) &&
                (!biasPerHead() || 2 * biasRows * paddedKeys * 4 <= geometry.biasBytes);
    const int64_t headSlots = pipelined ? 2 : 1, elastic = several ? 2 : 1;
    queryBuffer = alloc("query", headSlots, false, paddedQueries, d, word);
    keyBuffer = alloc("key", headSlots, false, paddedKeys, d, word);
    valueBuffer = alloc("value", stripes > 1 ? 2 : elastic, true, geometry.stripe, d, word);
    const int64_t tileSlots = rowTiles > 1 ? 2 : elastic;
    if (core.predict) {
      lowQueryBuffer = alloc("low_query", tileSlots, true, rows, d, code);
      lowKeyBuffer = alloc("low_key", elastic, true, scoreCols, d, code);
      scoreBuffer = alloc("score", tileSlots, true, rows, scoreCols, real);
    }
    if (core.hasBias) {
      bool once = core.biasBatch == 1 && core.biasHeads == 1;
      biasBuffer = alloc("bias",
                         biasPerHead() ? headSlots
                         : once        ? 1
                                       : 2,
                         !biasPerHead(), biasRows, paddedKeys, real);
    }
    maskBuffer = alloc("mask", tileSlots, true, rows, paddedKeys, types.getI1Type());
    blocksBuffer = alloc("blocks", headSlots, false, stripes, 1, types.getI64Type());
    outputBuffer = alloc("output", elastic, true, paddedQueries, d, real);
  }

  //===-- Instructions -----------------------------------------------------===//

  void emitConfig() {
    OpBuilder &builder = getBuilder();
    auto real = [&](double number) { return builder.getF32FloatAttr(float(number)); };
    auto integer = [&](int64_t number) { return builder.getI64IntegerAttr(number); };
    MLIRContext *context = builder.getContext();
    emit<ConfigOp>(integer(core.queries), integer(core.keys), integer(core.headDim),
                   integer(core.batch * core.heads), builder.getBoolAttr(core.predict),
                   integer(core.bits), builder.getBoolAttr(core.normalize), real(core.threshold),
                   real(core.qRange), real(core.kRange), real(core.scale),
                   builder.getBoolAttr(core.causal), EmptyRowModeAttr::get(context, core.emptyRow),
                   BlockEncoderAttr::get(context, core.encoder));
  }

  void emitEntry(AffineExpr entry, AffineExpr turnOfFirstHead) {
    firstTurn = turnOfFirstHead;
    if (core.hasBias && core.biasBatch > 1 && !biasPerHead())
      loadBias(entry, zero());
    emitHeads(entry);
  }

  /// An address generator takes no sum of two loop counters modulo two: entries of an odd number of
  /// heads come in pairs, in each of which the turn of the first head is known.
  void emitEntries(int64_t entries) {
    if (heads == 1)
      return loop(entries, [&](AffineExpr entry) { emitEntry(entry, entry); });
    if (heads % 2 == 0 || entries == 1)
      return loop(entries, [&](AffineExpr entry) { emitEntry(entry, zero()); });
    loop(entries / 2, [&](AffineExpr pair) {
      emitEntry(pair * 2, zero());
      emitEntry(pair * 2 + 1, constant(1));
    });
    if (entries % 2 == 1)
      emitEntry(constant(entries - 1), zero());
  }

  void emitHeads(AffineExpr entry) {
    auto predict = [&](AffineExpr head) { emitPrediction(entry, head); };
    auto compute = [&](AffineExpr head) { emitSparse(entry, head); };
    if (!pipelined)
      return loop(heads, [&](AffineExpr head) {
        predict(head);
        compute(head);
      });
    predict(zero());
    if (heads > 1)
      loop(heads - 1, [&](AffineExpr head) {
        predict(head + 1);
        compute(head);
      });
    compute(constant(heads - 1));
  }

  /// What the bias buffer rotates with.
  AffineExpr biasTurn(AffineExpr entry, AffineExpr head) {
    return biasPerHead() ? turnOf(head) : entry;
  }

  /// The bias of batch entry `entry` and, where it has one per head, head `head`.
  void loadBias(AffineExpr entry, AffineExpr head) {
    AffineExpr turn = biasTurn(entry, head);
    AffineExpr fromEntry = core.biasBatch > 1 ? entry : zero();
    AffineExpr fromHead = biasPerHead() ? head : zero();
    const int64_t rows = core.biasQueries == 1 ? 1 : geometry.lowbitRows;
    loop(core.biasQueries == 1 ? 1 : rowTiles, [&](AffineExpr t) {
      emit<LoadBiasOp>(view(bias, {fromEntry, fromHead, t * rows, zero()}, rows, core.keys),
                       view(biasBuffer, turn, t * rows, zero(), rows, core.keys));
    });
  }

  /// The bias of a tile of `rows` queries from `row` on and `cols` keys from `col` on; null
  /// without a bias.
  Value biasTile(AffineExpr entry, AffineExpr head, AffineExpr row, AffineExpr col, int64_t rows,
                 int64_t cols) {
    if (!core.hasBias)
      return Value();
    bool oneRow = core.biasQueries == 1;
    return view(biasBuffer, biasTurn(entry, head), oneRow ? zero() : row, col, oneRow ? 1 : rows,
                cols);
  }

  /// What a buffer of one tile per row tile, or per stripe, rotates with: the tile, or the head
  /// where there is but one tile.
  AffineExpr turn(int64_t tiles, AffineExpr tile, AffineExpr head) {
    return tiles > 1 ? tile : turnOf(head);
  }

  /// What buffers of heads rotate with: as good as the head's number, so that the last head of an
  /// entry and the first of the next have different slots, too.
  AffineExpr turnOf(AffineExpr head) { return firstTurn + head; }

  /// The head's number in query, key, value and output.
  AffineExpr number(AffineExpr entry, AffineExpr head) { return entry * heads + head; }

  void emitPrediction(AffineExpr entry, AffineExpr head) {
    const int64_t rows = geometry.lowbitRows, cols = geometry.lowbitCols, d = core.headDim;
    AffineExpr g = number(entry, head);
    emit<SelectHeadOp>(index(g), PipeAttr::get(getBuilder().getContext(), Pipe::Predict));
    if (biasPerHead())
      loadBias(entry, head);
    loop(rowTiles, [&](AffineExpr t) {
      emit<LoadQueryOp>(view(query, {g, t * rows, zero()}, rows, d),
                        view(queryBuffer, turnOf(head), t * rows, zero(), rows, d));
    });
    loop(keyTiles, [&](AffineExpr j) {
      Value tile = view(keyBuffer, turnOf(head), j * cols, zero(), cols, d);
      emit<LoadKeyOp>(view(key, {g, j * cols, zero()}, cols, d), tile);
      if (core.predict)
        emit<QuantizeKeyOp>(tile, view(lowKeyBuffer, turnOf(head), j * cols, zero(), cols, d));
    });
    loop(rowTiles, [&](AffineExpr t) {
      if (core.predict)
        emitScores(entry, head, t);
      else
        emit<SelectAllOp>(index(t * rows), view(maskBuffer, turn(rowTiles, t, head), zero(), zero(),
                                                rows, paddedKeys));
      loop(stripes, [&](AffineExpr s) {
        emit<PackSplitOp>(index(t * rows),
                          view(maskBuffer, turn(rowTiles, t, head), zero(), s * geometry.stripe,
                               rows, geometry.stripe),
                          view(blocksBuffer, turnOf(head), s, zero(), 1, 1));
      });
    });
  }

  /// Mask bits of row tile `t` from the codes.
  void emitScores(AffineExpr entry, AffineExpr head, AffineExpr t) {
    const int64_t rows = geometry.lowbitRows, cols = geometry.lowbitCols, d = core.headDim;
    AffineExpr slot = turn(rowTiles, t, head);
    Value codes = view(lowQueryBuffer, slot, zero(), zero(), rows, d);
    emit<QuantizeQueryOp>(view(queryBuffer, turnOf(head), t * rows, zero(), rows, d), codes);
    loop(keyTiles, [&](AffineExpr j) {
      emit<ScoreOp>(codes, view(lowKeyBuffer, turnOf(head), j * cols, zero(), cols, d),
                    biasTile(entry, head, t * rows, j * cols, rows, cols),
                    view(scoreBuffer, slot, zero(), j * cols, rows, cols));
    });
    emit<SoftmaxThresholdOp>(view(scoreBuffer, slot, zero(), zero(), rows, scoreCols),
                             view(maskBuffer, slot, zero(), zero(), rows, scoreCols));
  }

  void emitSparse(AffineExpr entry, AffineExpr head) {
    const int64_t rows = geometry.lowbitRows, d = core.headDim;
    AffineExpr g = number(entry, head);
    emit<SelectHeadOp>(index(g), PipeAttr::get(getBuilder().getContext(), Pipe::Sparse));
    loop(rowTiles, [&](AffineExpr t) {
      emit<ClearOutputOp>(view(outputBuffer, turnOf(head), t * rows, zero(), rows, d));
    });
    loop(stripes, [&](AffineExpr s) { emitStripe(entry, head, s); });
    loop(rowTiles, [&](AffineExpr t) {
      Value tile = view(outputBuffer, turnOf(head), t * rows, zero(), rows, d);
      emit<NormalizeOp>(tile);
      emit<StoreOutputOp>(tile, view(output, {g, t * rows, zero()}, rows, d));
    });
  }

  /// All blocks of one stripe of keys.
  void emitStripe(AffineExpr entry, AffineExpr head, AffineExpr s) {
    const int64_t stripe = geometry.stripe, d = core.headDim;
    emit<LoadValueOp>(view(value, {number(entry, head), s * stripe, zero()}, stripe, d),
                      view(valueBuffer, turn(stripes, s, head), zero(), zero(), stripe, d));
    auto seal = emit<SealBlocksOp>(getBuilder().getIndexType(),
                                   view(blocksBuffer, turnOf(head), s, zero(), 1, 1));
    loop(seal.getCount(), [&](AffineExpr) {
      Value blocks = view(blocksBuffer, turnOf(head), s, zero(), 1, 1);
      Value queries = view(queryBuffer, turnOf(head), zero(), zero(), paddedQueries, d);
      Value keys = view(keyBuffer, turnOf(head), s * stripe, zero(), stripe, d);
      Value values = view(valueBuffer, turn(stripes, s, head), zero(), zero(), stripe, d);
      Value accumulators = view(outputBuffer, turnOf(head), zero(), zero(), paddedQueries, d);
      Value biases = biasTile(entry, head, zero(), s * stripe, paddedQueries, stripe);
      emit<SddmmOp>(blocks, queries, keys, biases);
      emit<ExpOp>();
      emit<SpmmOp>(values);
      emit<AccumulateOp>(accumulators);
    });
  }

  const Core &core;
  const Geometry &geometry;
  Value query, key, value, bias, output;
  int64_t rowTiles, keyTiles, stripes;
  int64_t paddedQueries, scoreCols, paddedKeys;
  int64_t heads = 0;    ///< of one turn of the loop over batch entries
  AffineExpr firstTurn; ///< of the entry's first head
  bool pipelined = false;
  Buffer queryBuffer, keyBuffer, valueBuffer, lowQueryBuffer, lowKeyBuffer, scoreBuffer, biasBuffer,
      maskBuffer, blocksBuffer, outputBuffer;
};

} // namespace

void sanger::emitSchedule(OpBuilder &builder, Location loc, const Core &core,
                          const Geometry &geometry, ValueRange arguments) {
  Emitter(builder, loc, core, geometry, arguments).run();
}
