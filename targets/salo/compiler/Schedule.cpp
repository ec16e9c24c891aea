// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Schedule.cpp - the order of instructions of one attention ----------===//

#include "Schedule.h"

#include "isa/ProgramBuilder.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace sparsam;
using namespace sparsam::salo;

namespace {

/// Passes that differ in their offset alone, at equal distances: a hardware loop.
struct Run {
  PassPlan first;
  int64_t step = 0, count = 1;
  int64_t number = 0; ///< of the first pass in its tile
};

/// `before`: passes of the tile that come first.
SmallVector<Run> groupPasses(ArrayRef<PassPlan> plans, int64_t before = 0) {
  SmallVector<Run> runs;
  for (auto [number, plan] : llvm::enumerate(plans)) {
    if (number > 0 && before + int64_t(number) > 1) { // the first pass starts the rows anew
      Run &run = runs.back();
      PassPlan moved = run.first;
      moved.offset = plan.offset;
      const int64_t last = run.first.offset + run.step * (run.count - 1);
      const int64_t step = plan.offset - last;
      if (moved == plan && step > 0 && run.number > 0 && (run.count == 1 || step == run.step)) {
        run.step = step;
        ++run.count;
        continue;
      }
    }
    runs.push_back({plan, 0, 1, before + int64_t(number)});
  }
  return runs;
}

class Emitter : isa::ProgramBuilder {
public:
  Emitter(OpBuilder &builder, Location loc, const Core &core, const Geometry &geometry,
          ValueRange arguments)
      : ProgramBuilder(builder, loc), core(core), geometry(geometry), query(arguments[0]),
        key(arguments[1]), value(arguments[2]), mask(core.hasMask ? arguments[3] : Value()),
        output(arguments.back()), tiles(llvm::divideCeil(core.tokens, geometry.rows)),
        slice(geometry.rows + geometry.cols - 1), globals(core.globals.size()),
        plan(planPasses(core, geometry)), runs(groupPasses(plan.passes)),
        extra(groupPasses(plan.extra, int64_t(plan.passes.size()))) {}

  void run() {
    allocate();
    emit<ConfigOp>(number(core.tokens), number(core.keys), number(core.segments),
                   number(core.headDim), number(core.batch * core.heads), real(core.factors.query),
                   real(core.factors.key), real(core.factors.value));
    for (int64_t position : core.globals)
      emit<SetGlobalOp>(number(position % core.tokens * core.segments + position / core.tokens));
    // Batch and heads are one loop unless the mask tells them apart.
    const bool apart = core.hasMask && (core.maskBatch > 1 || core.maskHeads > 1);
    loop(apart ? core.batch : 1, [&](AffineExpr entry) {
      const int64_t heads = apart ? core.heads : core.batch * core.heads;
      loop(heads, [&](AffineExpr inEntry) {
        maskEntry = core.maskBatch > 1 ? entry : zero();
        maskHead = core.maskHeads > 1 ? inEntry : zero();
        emitHead(entry * heads + inEntry, heads > 1 ? inEntry : entry);
      });
    });
  }

private:
  IntegerAttr number(int64_t value) { return getBuilder().getI64IntegerAttr(value); }
  FloatAttr real(double value) { return getBuilder().getF32FloatAttr(float(value)); }

  //===-- Buffers ----------------------------------------------------------===//

  void allocate() {
    Type word = getBuilder().getI16Type(), sum = getBuilder().getF32Type();
    const int64_t d = core.headDim;
    const bool severalTiles = tiles * core.segments * core.batch * core.heads > 1;
    const int64_t tileSlots = severalTiles ? 2 : 1;
    const int64_t sliceSlots = severalTiles || plan.passes.size() + plan.extra.size() > 1 ? 2 : 1;
    queryBuffer = alloc("query", tileSlots, true, geometry.rows, d, word);
    keyBuffer = alloc("key", sliceSlots, true, slice, d, word);
    valueBuffer = alloc("value", sliceSlots, true, slice, d, word);
    outputBuffer = alloc("output", tileSlots, true, geometry.rows, d, sum);
    if (globals == 0)
      return;
    const int64_t headSlots = core.batch * core.heads > 1 ? 2 : 1;
    globalQuery = alloc("query", headSlots, true, globals, d, word);
    globalKey = alloc("key", headSlots, true, globals, d, word);
    globalValue = alloc("value", headSlots, true, globals, d, word);
    globalOutput = alloc("output", headSlots, true, globals, d, sum);
  }

  /// Row `row` and those behind it of a segment in DRAM.
  Value rowsOf(Value tensor, AffineExpr head, AffineExpr segment, AffineExpr row, int64_t rows) {
    return view(tensor, {head, row, segment * core.headDim}, rows, core.headDim);
  }
  /// A global token in DRAM.
  Value tokenOf(Value tensor, AffineExpr head, int64_t position) {
    return rowsOf(tensor, head, constant(position / core.tokens), constant(position % core.tokens),
                  1);
  }
  /// Tokens of one group in a buffer that holds all.
  Value groupOf(const isa::Buffer &buffer, int64_t group) {
    const int64_t at = group * geometry.globals;
    return view(buffer, headTurn, constant(at), zero(), std::min(geometry.globals, globals - at),
                core.headDim);
  }

  /// The mask of `rows` keys from `row` on.
  Value maskOf(AffineExpr segment, AffineExpr row, int64_t rows) {
    if (!core.hasMask)
      return Value();
    return view(mask, {maskEntry, maskHead, row, segment}, rows, 1);
  }

  //===-- Heads and tiles --------------------------------------------------===//

  /// `turn`: what buffers of one slot per head rotate with.
  void emitHead(AffineExpr head, AffineExpr turn) {
    headTurn = turn;
    auto at = [&](const isa::Buffer &buffer, int64_t i) {
      return view(buffer, headTurn, constant(i), zero(), 1, core.headDim);
    };
    emit<SelectHeadOp>(index(head), index(zero()));
    for (auto [i, position] : llvm::enumerate(core.globals)) {
      emit<LoadGlobalQueryOp>(tokenOf(query, head, position), at(globalQuery, i));
      emit<LoadGlobalKeyOp>(
          tokenOf(key, head, position),
          maskOf(constant(position / core.tokens), constant(position % core.tokens), 1),
          at(globalKey, i));
      emit<LoadGlobalValueOp>(tokenOf(value, head, position), at(globalValue, i));
    }
    if (globals > 0)
      emit<ClearOp>(view(globalOutput, headTurn, zero(), zero(), globals, core.headDim));
    loop(core.segments, [&](AffineExpr segment) {
      if (core.segments > 1)
        emit<SelectHeadOp>(index(head), index(segment));
      emitTiles(head, segment);
    });
    for (auto [i, position] : llvm::enumerate(core.globals))
      emit<StoreOutputOp>(at(globalOutput, i), tokenOf(output, head, position));
  }

  void emitTiles(AffineExpr head, AffineExpr segment) {
    if (extra.empty()) {
      loop(tiles, [&](AffineExpr tile) { emitTile(head, segment, tile, {}); });
      return;
    }
    emitTile(head, segment, zero(), extra);
    if (tiles > 1)
      loop(tiles - 1, [&](AffineExpr next) { emitTile(head, segment, next + 1, {}); });
  }

  /// `last`: further passes.
  void emitTile(AffineExpr head, AffineExpr segment, AffineExpr tile, ArrayRef<Run> last) {
    AffineExpr turn = tiles > 1 ? tile : core.segments > 1 ? segment : headTurn;
    AffineExpr row = tile * geometry.rows;
    Value queries = view(queryBuffer, turn, zero(), zero(), geometry.rows, core.headDim);
    Value rows = view(outputBuffer, turn, zero(), zero(), geometry.rows, core.headDim);
    emit<LoadQueryOp>(rowsOf(query, head, segment, row, geometry.rows), queries);
    for (const Run &run : llvm::concat<const Run>(runs, last))
      loop(run.count, [&](AffineExpr pass) {
        // Slices take turns from pass to pass, or from tile to tile where there is one pass.
        const bool isOnly = runs.size() == 1 && run.count == 1;
        AffineExpr sliceTurn = isOnly ? turn : pass + run.number;
        emitPass(run, head, segment, row + pass * run.step + run.first.offset, sliceTurn, queries,
                 rows);
      });
    emit<StoreOutputOp>(rows, rowsOf(output, head, segment, row, geometry.rows));
  }

  void emitPass(const Run &run, AffineExpr head, AffineExpr segment, AffineExpr first,
                AffineExpr turn, Value queries, Value rows) {
    const PassPlan &plan = run.first;
    Value keys = view(keyBuffer, turn, zero(), zero(), slice, core.headDim);
    Value values = view(valueBuffer, turn, zero(), zero(), slice, core.headDim);
    Value token = index(first);
    emit<LoadKeyOp>(rowsOf(key, head, segment, zero(), core.keys), token,
                    maskOf(segment, zero(), core.keys), keys);
    emit<LoadValueOp>(rowsOf(value, head, segment, zero(), core.keys), token, values);
    Value seenKeys, seenValues, seeing, merged;
    if (plan.keyGroup >= 0) {
      seenKeys = groupOf(globalKey, plan.keyGroup);
      seenValues = groupOf(globalValue, plan.keyGroup);
    }
    if (plan.queryGroup >= 0) {
      seeing = groupOf(globalQuery, plan.queryGroup);
      merged = groupOf(globalOutput, plan.queryGroup);
    }
    emit<TileAttnOp>(queries, keys, values, number(plan.cols), seenKeys, seenValues, seeing,
                     number(plan.rowFrom), number(plan.rowTo), number(plan.rowCols));
    emit<MergeOp>(rows, getBuilder().getBoolAttr(run.number == 0), merged);
  }

  const Core &core;
  const Geometry &geometry;
  Value query, key, value, mask, output;
  const int64_t tiles, slice, globals;
  const Plan plan;
  const SmallVector<Run> runs, extra;       ///< of every tile; of the first one, behind them
  AffineExpr maskEntry, maskHead, headTurn; ///< of the head that is emitted
  isa::Buffer queryBuffer, keyBuffer, valueBuffer, outputBuffer;
  isa::Buffer globalQuery, globalKey, globalValue, globalOutput;
};

} // namespace

void salo::emitSchedule(OpBuilder &builder, Location loc, const Core &core,
                        const Geometry &geometry, ValueRange arguments) {
  Emitter(builder, loc, core, geometry, arguments).run();
}
