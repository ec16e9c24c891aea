// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Schedule.cpp - the order of instructions of a kernel ---------------===//

#include "Plan.h"

#include "isa/ProgramBuilder.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace sparsam;
using namespace sparsam::sta;

namespace {

class Emitter {
public:
  Emitter(OpBuilder &builder, Location loc, const Plan &plan, const Engine &engine,
          unsigned weightBits, ValueRange arguments)
      : program(builder, loc), plan(plan), engine(engine), arguments(arguments),
        word(builder.getI16Type()), wide(builder.getI32Type()),
        weight(builder.getIntegerType(weightBits)), bitmap(builder.getI8Type()) {
    if (engine.m > 8)
      bitmap = builder.getI16Type();
  }

  void run() {
    emitConfig();
    allocate();
    loadVectors();
    program.loop(plan.entries, [&](AffineExpr entry) {
      for (const Step &step : plan.steps)
        std::visit([&](const auto &it) { emit(it, entry); }, step);
    });
  }

private:
  //===-- Fields -----------------------------------------------------------===//

  OpBuilder &builder() { return program.getBuilder(); }
  IntegerAttr integer(int64_t value) { return builder().getI64IntegerAttr(value); }
  FloatAttr real(double value) { return builder().getF32FloatAttr(float(value)); }
  BoolAttr flag(bool value) { return builder().getBoolAttr(value); }
  AffineExpr constant(int64_t value) { return program.constant(value); }
  AffineExpr zero() { return program.zero(); }

  void emitConfig() {
    const AttentionStep *attention = plan.attention();
    const int64_t tokens = plan.pageRows;
    program.emit<ConfigOp>(
        integer(engine.n), integer(engine.m), integer(engine.engines), integer(engine.rows),
        integer(engine.cols), integer(plan.entries), integer(attention ? attention->heads : 1),
        integer(attention ? attention->queries : tokens),
        integer(attention ? attention->keys : tokens), flag(attention && attention->causal));
  }

  /// Calls body(start, size, number) for pieces of `tile` of `total`; the last may be smaller.
  void forTiles(int64_t total, int64_t tile,
                function_ref<void(AffineExpr, int64_t, AffineExpr)> body) {
    const int64_t full = total / tile;
    if (full > 0)
      program.loop(full, [&](AffineExpr i) { body(i * tile, tile, i); });
    if (total % tile > 0)
      body(constant(full * tile), total % tile, constant(full));
  }

  //===-- Buffers ----------------------------------------------------------===//

  void allocate() {
    pages = program.alloc("activation", 1, false, plan.pages * plan.pageRows, plan.pageWidth, word);
    int64_t valuesPerRow = 0, groups = 0;
    for (const Step &step : plan.steps)
      if (auto *linear = std::get_if<LinearStep>(&step)) {
        valuesPerRow = std::max(valuesPerRow, linear->valuesPerRow);
        if (linear->bitmaps)
          groups = std::max(groups, linear->inputs / engine.m);
      }
    const int64_t rows = engine.engines * engine.rows;
    if (valuesPerRow > 0)
      values = program.alloc("values", 2, true, rows, valuesPerRow, weight);
    if (groups > 0)
      bitmaps = program.alloc("bitmaps", 2, true, rows, groups, bitmap);
    if (const AttentionStep *attention = plan.attention())
      allocateAttention(*attention);
  }

  void allocateAttention(const AttentionStep &attention) {
    const int64_t heads = std::min(engine.engines, attention.heads);
    const int64_t rows = heads * std::min(engine.rows, attention.queries);
    transposed = program.alloc("activation", 2, true, heads * attention.size, attention.keys, word);
    // The scores of the next tile are made before the context of this one.
    scores = program.alloc("activation", 2, false, rows, attention.keys, word);
    context = program.alloc("activation", 2, true, rows, attention.size, word);
    if (!attention.mask)
      return;
    const bool isOneRow = attention.maskQueries == 1;
    mask =
        program.alloc("mask", 2, isOneRow, isOneRow ? 1 : std::min(engine.rows, attention.queries),
                      attention.keys, wide);
  }

  /// Rows of `matrix` from `row` on, columns [col, col + cols) of its page number `page`.
  Value view(size_t matrix, int64_t page, AffineExpr row, AffineExpr col, int64_t rows,
             int64_t cols) {
    const int64_t first = plan.matrices[matrix].pages[size_t(page)] * plan.pageRows;
    return program.view(pages, zero(), row + first, col, rows, cols);
  }

  /// Loads biases and factors, each once.
  void loadVectors() {
    auto load = [&](const Vector &vector) {
      auto key = std::pair(vector.argument, vector.fraction);
      if (vectors.count(key))
        return;
      isa::Buffer buffer = program.alloc("constants", 1, false, 1, vector.width, wide);
      vectors[key] = buffer;
      program.emit<LoadConstOp>(
          program.view(arguments[vector.argument], {zero(), zero()}, 1, vector.width),
          program.view(buffer, zero(), zero(), zero(), 1, vector.width), integer(vector.fraction));
    };
    for (const Step &step : plan.steps) {
      if (auto *linear = std::get_if<LinearStep>(&step); linear && linear->bias)
        load(*linear->bias);
      if (auto *norm = std::get_if<NormStep>(&step)) {
        load(norm->scale);
        if (norm->bias)
          load(*norm->bias);
      }
    }
  }
  Value viewVector(const Vector &vector, AffineExpr first, int64_t width) {
    return program.view(vectors.at({vector.argument, vector.fraction}), zero(), zero(), first, 1,
                        width);
  }

  //===-- Transfer ---------------------------------------------------------===//

  void emit(const TransferStep &step, AffineExpr entry) {
    const Matrix &matrix = plan.matrices[step.columns.matrix];
    const int64_t heads = step.heads ? step.heads : 1;
    const int64_t size = step.columns.width / heads;
    program.loop(heads, [&](AffineExpr head) {
      forTiles(matrix.tokens, engine.cols, [&](AffineExpr row, int64_t rows, AffineExpr) {
        AffineExpr place = step.heads ? entry * heads + head : entry;
        transfer(step, program.view(arguments[step.argument], {place, row, zero()}, rows, size),
                 columns(step.columns, head * size, row, rows, size), matrix.fraction);
      });
    });
  }

  void transfer(const TransferStep &step, Value dram, Value tile, int64_t fraction) {
    if (step.isStore)
      program.emit<StoreActOp>(tile, dram, integer(fraction));
    else
      program.emit<LoadActOp>(dram, tile, integer(fraction));
  }

  //===-- Linear layers ----------------------------------------------------===//

  /// Tile by tile of outputs: its weights are loaded once and meet all tokens.
  void emit(const LinearStep &step, AffineExpr) {
    const Matrix &result = plan.matrices[step.destination];
    for (int64_t page = 0; page < int64_t(result.pages.size()); ++page) {
      const int64_t first = page * plan.pageWidth;
      forTiles(std::min(plan.pageWidth, step.outputs - first), engine.engines * engine.rows,
               [&](AffineExpr col, int64_t rows, AffineExpr number) {
                 loadWeights(step, col + first, rows, number);
                 forTiles(result.tokens, engine.cols,
                          [&](AffineExpr token, int64_t tokens, AffineExpr) {
                            multiply(step, page, col, rows, token, tokens, number);
                          });
               });
    }
  }

  void loadWeights(const LinearStep &step, AffineExpr row, int64_t rows, AffineExpr slot) {
    const int64_t groups = step.inputs / engine.m;
    program.emit<LoadWOp>(
        program.view(arguments[step.values], {row, zero()}, rows, step.valuesPerRow),
        program.view(values, slot, zero(), zero(), rows, step.valuesPerRow),
        step.bitmaps ? program.view(arguments[*step.bitmaps], {row, zero()}, rows, groups)
                     : Value(),
        step.bitmaps ? program.view(bitmaps, slot, zero(), zero(), rows, groups) : Value());
  }

  /// One tile of results; the inputs come page by page.
  void multiply(const LinearStep &step, int64_t page, AffineExpr col, int64_t rows,
                AffineExpr token, int64_t tokens, AffineExpr slot) {
    const int64_t pieces = llvm::divideCeil(step.inputs, plan.pageWidth);
    for (int64_t piece = 0; piece < pieces; ++piece) {
      const int64_t first = piece * plan.pageWidth,
                    depth = std::min(plan.pageWidth, step.inputs - first);
      const bool isLast = piece + 1 == pieces;
      auto wordsOf = [&](int64_t inputs) {
        return step.bitmaps ? inputs / engine.m * engine.n : inputs;
      };
      Value map = step.bitmaps ? program.view(bitmaps, slot, zero(), constant(first / engine.m),
                                              rows, depth / engine.m)
                               : Value();
      Value bias =
          step.bias && isLast ? viewVector(*step.bias, col + page * plan.pageWidth, rows) : Value();
      Value residual =
          step.residual && isLast ? view(*step.residual, page, token, col, tokens, rows) : Value();
      program.emit<MmSdOp>(
          program.view(values, slot, zero(), constant(wordsOf(first)), rows, wordsOf(depth)), map,
          view(step.source, piece, token, zero(), tokens, depth), bias, residual,
          view(step.destination, page, token, col, tokens, rows),
          integer(plan.matrices[step.source].fraction), integer(step.weightFraction),
          integer(step.residual ? plan.matrices[*step.residual].fraction : 0),
          integer(plan.matrices[step.destination].fraction), integer(step.shift),
          FunctionAttr::get(builder().getContext(), step.function), flag(piece == 0), flag(isLast));
    }
  }

  //===-- Normalisation ----------------------------------------------------===//

  void emit(const NormStep &step, AffineExpr) {
    const Matrix &result = plan.matrices[step.destination];
    forTiles(result.tokens, engine.cols, [&](AffineExpr token, int64_t tokens, AffineExpr) {
      program.emit<LayerNormOp>(view(step.source, 0, token, zero(), tokens, result.width),
                                viewVector(step.scale, zero(), result.width),
                                step.bias ? viewVector(*step.bias, zero(), result.width) : Value(),
                                view(step.destination, 0, token, zero(), tokens, result.width),
                                real(step.epsilon), integer(plan.matrices[step.source].fraction),
                                integer(step.scale.fraction), integer(result.fraction));
    });
  }

  //===-- Attention --------------------------------------------------------===//

  /// True if one row of the mask serves all queries and heads.
  static bool hasOneMaskRow(const AttentionStep &step) {
    return step.maskQueries == 1 && step.maskHeads == 1;
  }

  void emit(const AttentionStep &step, AffineExpr entry) {
    if (step.mask && hasOneMaskRow(step))
      loadMask(step, entry, entry, zero(), zero(), 1);
    forTiles(step.heads, engine.engines, [&](AffineExpr first, int64_t heads, AffineExpr group) {
      program.emit<ReshuffleOp>(
          LayoutAttr::get(builder().getContext(), Layout::Transpose),
          columns(step.value, first * step.size, zero(), step.keys, heads * step.size),
          program.view(transposed, group, zero(), zero(), heads * step.size, step.keys),
          integer(heads));
      emitGroup(step, entry, first, heads, group);
    });
  }

  /// Columns of queries, keys or values.
  Value columns(const Columns &part, AffineExpr col, AffineExpr row, int64_t rows, int64_t cols) {
    return view(part.matrix, part.first / plan.pageWidth, row, col + part.first % plan.pageWidth,
                rows, cols);
  }

  /// The heads of one group: scores and softmax of a tile of queries are issued before the context
  /// of the tile before, so that the engine does not wait for the softmax.
  void emitGroup(const AttentionStep &step, AffineExpr entry, AffineExpr first, int64_t heads,
                 AffineExpr group) {
    const int64_t tile = engine.rows, full = step.queries / tile, rest = step.queries % tile;
    auto before = [&](AffineExpr t, int64_t rows) {
      emitScores(step, entry, first, heads, t, rows);
    };
    auto after = [&](AffineExpr t, int64_t rows) {
      emitContext(step, first, heads, group, t, rows);
    };
    if (full > 0) {
      before(zero(), tile);
      if (full > 1)
        program.loop(full - 1, [&](AffineExpr t) {
          before(t + 1, tile);
          after(t, tile);
        });
    }
    if (rest > 0)
      before(constant(full), rest);
    if (full > 0)
      after(constant(full - 1), tile);
    if (rest > 0)
      after(constant(full), rest);
  }

  void loadMask(const AttentionStep &step, AffineExpr entry, AffineExpr slot, AffineExpr head,
                AffineExpr row, int64_t rows) {
    program.emit<LoadMaskOp>(
        program.view(arguments[*step.mask],
                     {step.maskBatch == 1 ? zero() : entry, head, row, zero()}, rows, step.keys),
        program.view(mask, slot, zero(), zero(), rows, step.keys), integer(step.scoreFraction));
  }

  void emitScores(const AttentionStep &step, AffineExpr entry, AffineExpr first, int64_t heads,
                  AffineExpr t, int64_t rows) {
    const int64_t width = heads * step.size;
    Value tile = program.view(scores, t, zero(), zero(), heads * rows, step.keys);
    program.emit<MmDdOp>(ProductAttr::get(builder().getContext(), Product::Scores),
                         columns(step.query, first * step.size, t * engine.rows, rows, width),
                         columns(step.key, first * step.size, zero(), step.keys, width), tile,
                         integer(heads), real(step.scale),
                         integer(plan.matrices[step.query.matrix].fraction),
                         integer(plan.matrices[step.key.matrix].fraction),
                         integer(step.scoreFraction), integer(step.scoreShift));
    if (!step.mask || hasOneMaskRow(step)) {
      Value added = step.mask ? program.view(mask, entry, zero(), zero(), 1, step.keys) : Value();
      return emitSoftmax(step, tile, added, t, heads);
    }
    const int64_t maskRows = step.maskQueries == 1 ? 1 : rows;
    AffineExpr row = step.maskQueries == 1 ? zero() : t * engine.rows;
    if (step.maskHeads == 1) {
      loadMask(step, entry, t, zero(), row, maskRows);
      Value added = program.view(mask, t, zero(), zero(), maskRows, step.keys);
      return emitSoftmax(step, tile, added, t, heads);
    }
    program.loop(heads, [&](AffineExpr head) {
      loadMask(step, entry, head, first + head, row, maskRows);
      emitSoftmax(step, program.view(scores, t, head * rows, zero(), rows, step.keys),
                  program.view(mask, head, zero(), zero(), maskRows, step.keys), t, 1);
    });
  }

  void emitSoftmax(const AttentionStep &step, Value tile, Value added, AffineExpr t,
                   int64_t heads) {
    program.emit<SoftmaxOp>(tile, added, program.index(t * engine.rows), integer(heads),
                            flag(step.causal), integer(step.causal ? step.keys - step.queries : 0),
                            integer(step.scoreFraction), integer(step.probabilityFraction));
  }

  void emitContext(const AttentionStep &step, AffineExpr first, int64_t heads, AffineExpr group,
                   AffineExpr t, int64_t rows) {
    Value tile = program.view(context, t, zero(), zero(), heads * rows, step.size);
    const int64_t fraction = plan.matrices[step.value.matrix].fraction;
    program.emit<MmDdOp>(
        ProductAttr::get(builder().getContext(), Product::Context),
        program.view(scores, t, zero(), zero(), heads * rows, step.keys),
        program.view(transposed, group, zero(), zero(), heads * step.size, step.keys), tile,
        integer(heads), real(1), integer(step.probabilityFraction), integer(fraction),
        integer(plan.matrices[step.destination].fraction), integer(0));
    program.emit<ReshuffleOp>(
        LayoutAttr::get(builder().getContext(), Layout::MergeHeads), tile,
        view(step.destination, 0, t * engine.rows, first * step.size, rows, heads * step.size),
        integer(heads));
  }

  isa::ProgramBuilder program;
  const Plan &plan;
  const Engine &engine;
  ValueRange arguments;
  Type word, wide, weight, bitmap;
  isa::Buffer pages, values, bitmaps, transposed, scores, context, mask;
  std::map<std::pair<unsigned, int64_t>, isa::Buffer> vectors;
};

} // namespace

void sta::emitSchedule(OpBuilder &builder, Location loc, const Plan &plan, const Engine &engine,
                       unsigned weightBits, ValueRange arguments) {
  Emitter(builder, loc, plan, engine, weightBits, arguments).run();
}
