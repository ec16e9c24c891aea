// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- LowerToTemplate.cpp - kernels of dense attention to instructions ---===//

#include "Template.h"

#include "isa/ProgramBuilder.h"
#include "sattn/Sattn.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace sparsam;
using namespace sparsam::template_;

namespace sparsam::template_ {
#define GEN_PASS_DEF_LOWERTOTEMPLATE
#include "targets/template/TemplatePasses.h.inc"
} // namespace sparsam::template_

namespace {

/// One attention core.
struct Core {
  int64_t batch, heads, queries, keys, dims;
  SmallVector<int64_t, 4> biasShape; ///< of the additive mask; empty without one
  APFloat scale{0.0f};
  bool causal;
};

/// Reads the one attention that a kernel holds. Errors are emitted at the op that does not fit.
class Reader {
public:
  explicit Reader(isa::KernelOp kernel) : kernel(kernel) {}

  FailureOr<Core> read() {
    auto returnOp = cast<isa::ReturnOp>(kernel.getBody().front().getTerminator());
    attention = returnOp.getNumOperands() == 1
                    ? returnOp.getOperand(0).getDefiningOp<sattn::AttentionOp>()
                    : sattn::AttentionOp();
    if (!attention || kernel.getBody().front().getOperations().size() != 2)
      return refuse(kernel) << "expects one sattn.attention";
    if (!llvm::isa<sattn::DenseAttr>(attention.getPolicy()))
      return refuse(attention) << "it keeps every pair, not those of " << attention.getPolicy();
    if (attention.getValid())
      return refuse(attention)
             << "its keys and values come from a cache that grows, and it attends "
                "to all keys; run attention on the host (--attention host)";
    if (attention->getNumOperands() > 3 + unsigned(bool(attention.getMask())))
      return refuse(attention) << "it takes queries, keys, values and an additive mask alone";
    if (SmallVector<Value>(attention->getOperands()) !=
        SmallVector<Value>(kernel.getArguments().begin(), kernel.getArguments().end()))
      return refuse(kernel) << "expects the operands of the attention as its arguments";
    Core core;
    if (failed(readShapes(core)))
      return failure();
    return core;
  }

private:
  InFlightDiagnostic refuse(Operation *op) { return op->emitOpError("cannot run on Template: "); }

  LogicalResult readShapes(Core &core) {
    RankedTensorType query = attention.getQuery().getType(), key = attention.getKey().getType();
    for (Value operand : attention->getOperands())
      if (!cast<RankedTensorType>(operand.getType()).hasStaticShape())
        return refuse(attention) << "expects static shapes, got " << operand.getType();
    if (attention.getValue().getType().getDimSize(3) != query.getDimSize(3))
      return refuse(attention) << "values of " << attention.getValue().getType().getDimSize(3)
                               << " dimensions under queries of " << query.getDimSize(3);
    core = {query.getDimSize(0),  query.getDimSize(1),  query.getDimSize(2),
            key.getDimSize(2),    query.getDimSize(3),  {},
            attention.getScale(), attention.getCausal()};
    for (int64_t size : {core.batch, core.heads, core.queries, core.keys, core.dims})
      if (size < 1 || size > kMaxSize)
        return refuse(attention) << "dimensions must lie between 1 and " << kMaxSize << ", got "
                                 << query << " and " << key;
    if (!attention.getMask())
      return success();
    core.biasShape = llvm::to_vector<4>(attention.getMask().getType().getShape());
    if (core.biasShape[3] != core.keys)
      return refuse(attention) << "an additive mask of " << core.biasShape[3] << " columns for "
                               << core.keys << " keys";
    return success();
  }

  static constexpr int64_t kMaxSize = 65535;
  isa::KernelOp kernel;
  sattn::AttentionOp attention;
};

/// The instructions of one attention core.
class Emitter : isa::ProgramBuilder {
public:
  /// `arguments`: query, key, value, the additive mask if there is one, output.
  Emitter(OpBuilder &builder, Location loc, const Core &core, isa::ArchAttr arch,
          ValueRange arguments)
      : ProgramBuilder(builder, loc), core(core), query(arguments[0]), key(arguments[1]),
        value(arguments[2]), bias(core.biasShape.empty() ? Value() : arguments[3]),
        output(arguments.back()), rows(arch.getInteger("rows")), cols(arch.getInteger("cols")) {}

  void run() {
    allocate();
    loop(core.batch, [&](AffineExpr entry) {
      loop(core.heads, [&](AffineExpr head) {
        loop(rowTiles(), [&](AffineExpr row) { emitRowTile(entry, head, row); });
      });
    });
  }

private:
  int64_t rowTiles() const { return llvm::divideCeil(core.queries, rows); }
  int64_t keyTiles() const { return llvm::divideCeil(core.keys, cols); }
  int64_t biasRows() const { return core.biasShape[2] == 1 ? 1 : rows; }

  void allocate() {
    Type real = getBuilder().getF32Type();
    queryBuffer = alloc("input", 2, true, rows, core.dims, real);
    keyBuffer = alloc("input", 2, true, cols, core.dims, real);
    valueBuffer = alloc("input", 2, true, cols, core.dims, real);
    if (bias) // whole rows: a tile is clipped at the rows of a tensor, not at its columns
      biasBuffer = alloc("input", 2, true, biasRows(), keyTiles() * cols, real);
    outputBuffer = alloc("output", 2, true, rows, core.dims + kRowState, real);
  }

  /// One tile of queries of one head against all keys.
  void emitRowTile(AffineExpr entry, AffineExpr head, AffineExpr row) {
    AffineExpr number = entry * core.heads + head; // of the head in query, key, value and output
    AffineExpr turn = rowTiles() > 1 ? row : core.heads > 1 ? head : entry;
    Value queryTile = view(queryBuffer, turn, zero(), zero(), rows, core.dims);
    emit<LoadOp>(view(query, {number, row * rows, zero()}, rows, core.dims), queryTile);
    if (bias)
      loadBias(entry, head, row, turn);
    loop(keyTiles(), [&](AffineExpr tile) {
      AffineExpr keyTurn = keyTiles() > 1 ? tile : turn;
      Value keyTile = view(keyBuffer, keyTurn, zero(), zero(), cols, core.dims);
      Value valueTile = view(valueBuffer, keyTurn, zero(), zero(), cols, core.dims);
      Value biasTile;
      if (bias)
        biasTile = view(biasBuffer, turn, zero(), tile * cols, biasRows(), cols);
      emit<LoadOp>(view(key, {number, tile * cols, zero()}, cols, core.dims), keyTile);
      emit<LoadOp>(view(value, {number, tile * cols, zero()}, cols, core.dims), valueTile);
      emit<AttendOp>(queryTile, keyTile, valueTile, biasTile, index(row * rows), index(tile * cols),
                     view(outputBuffer, turn, zero(), zero(), rows, core.dims + kRowState),
                     core.queries, core.keys, core.scale, core.causal);
    });
    emit<StoreOp>(view(outputBuffer, turn, zero(), zero(), rows, core.dims),
                  view(output, {number, row * rows, zero()}, rows, core.dims));
  }

  void loadBias(AffineExpr entry, AffineExpr head, AffineExpr row, AffineExpr turn) {
    auto orFirst = [&](unsigned dim, AffineExpr expr) {
      return core.biasShape[dim] == 1 ? zero() : expr;
    };
    emit<LoadOp>(view(bias, {orFirst(0, entry), orFirst(1, head), orFirst(2, row * rows), zero()},
                      biasRows(), core.keys),
                 view(biasBuffer, turn, zero(), zero(), biasRows(), core.keys));
  }

  const Core &core;
  Value query, key, value, bias, output;
  int64_t rows, cols; ///< of the array
  isa::Buffer queryBuffer, keyBuffer, valueBuffer, biasBuffer, outputBuffer;
};

struct LowerToTemplate : template_::impl::LowerToTemplateBase<LowerToTemplate> {
  using LowerToTemplateBase::LowerToTemplateBase;

  void runOnOperation() override {
    if (failed(isa::lowerKernels(getOperation(), "template", lower)))
      signalPassFailure();
  }

private:
  static LogicalResult lower(isa::KernelOp kernel, isa::ArchAttr arch) {
    FailureOr<Core> core = Reader(kernel).read();
    if (failed(core))
      return failure();
    // A bias keeps its four dimensions: it may have one entry or one head.
    const size_t bias = core->biasShape.empty() ? SIZE_MAX : 3;
    const auto types = isa::getDramTypes(kernel, [&](size_t number) { return number != bias; });
    isa::rewriteKernel(kernel, types, [&](OpBuilder &builder, ValueRange arguments) {
      Emitter(builder, kernel.getLoc(), *core, arch, arguments).run();
    });
    return success();
  }
};

} // namespace
