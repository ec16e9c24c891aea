// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Sta.cpp - the sta dialect and what its hardware cannot do ----------===//

#include "Sta.h"

#include "isa/Verifiers.h"

#include "mlir/IR/DialectImplementation.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace sparsam;
using namespace sparsam::sta;
using isa::verifySameShape, isa::verifyTiles;

#include "targets/sta/StaDialect.cpp.inc"
#include "targets/sta/StaEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "targets/sta/StaAttrs.cpp.inc"

#define GET_OP_CLASSES
#include "targets/sta/StaOps.cpp.inc"

#include "targets/sta/StaEncoder.cpp.inc"

void StaDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "targets/sta/StaAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "targets/sta/StaOps.cpp.inc"
      >();
}

sta::Engine::Engine(isa::ArchAttr arch)
    : n(arch.getInteger("n")), m(arch.getInteger("m")), engines(arch.getInteger("engines")),
      rows(arch.getInteger("tile_rows")), cols(arch.getInteger("tile_cols")) {
  if (engines == 0)
    engines = std::max<int64_t>(m / n, 1);
}

/// What a machine may look like; the model says the same of what it is given.
static LogicalResult checkGeometry(isa::ArchAttr arch, Location loc) {
  const int64_t n = arch.getInteger("n"), m = arch.getInteger("m"),
                bits = arch.getInteger("weight_bits");
  if (m != 2 && m != 4 && m != 8 && m != 16)
    return emitError(loc) << "m = " << m << " must be 2, 4, 8 or 16 (parameter `m`)";
  if (n < 1 || n > m)
    return emitError(loc) << "n = " << n << " must lie from 1 to m = " << m
                          << " (parameters `n` and `m`)";
  if (bits != 8 && bits != 16)
    return emitError(loc) << "words of " << bits
                          << " bits; the weight memory has 8 or 16 (parameter `weight_bits`)";
  if (const Engine engine(arch); n * engine.engines > m)
    return emitError(loc) << engine.engines << " engines that take " << n
                          << " elements per cycle each; the input memory delivers m = " << m
                          << " (parameters `engines`, `n` and `m`)";
  return success();
}

LogicalResult sta::checkArch(isa::ArchAttr arch, Location loc) {
  const isa::NeededParameters needed = {
      .integers = {"n", "m", "engines", "tile_rows", "tile_cols", "weight_bits", "softmax_levels",
                   "guard_bits", "weight_memory", "bitmap_memory", "activation_memory",
                   "constant_memory", "mask_memory"},
      .reals = {"input_range", "output_range", "product_range", "q_range", "k_range", "v_range",
                "score_range"},
      .texts = {"numerics"}};
  if (failed(isa::checkArch(arch, "sta", needed, loc)))
    return failure();
  return checkGeometry(arch, loc);
}

//===-- Verifiers ----------------------------------------------------------===//

/// Expects `tile` (may be null) to have the given shape.
static LogicalResult verifyShape(Operation *op, StringRef what, Value tile, int64_t rows,
                                 int64_t cols) {
  if (!tile || (isa::getRows(tile) == rows && isa::getCols(tile) == cols))
    return success();
  return op->emitOpError("expects ")
         << what << " of " << rows << "x" << cols << ", got " << tile.getType();
}

/// Refuses more than the machine has.
static LogicalResult verifyAtMost(Operation *op, StringRef what, int64_t value, int64_t limit,
                                  StringRef origin) {
  if (value <= limit)
    return success();
  return op->emitOpError("has ") << value << " " << what << "; the engine has " << limit << " ("
                                 << origin << ")";
}

LogicalResult ConfigOp::verify() {
  if (getN() > getM() || !llvm::isPowerOf2_64(uint64_t(getM())))
    return emitOpError(
               "expects groups of 2, 4, 8 or 16 weights of which at most all are kept, got ")
           << getN() << ":" << getM();
  isa::ArchAttr arch = isa::findArch(*this);
  if (!arch)
    return success();
  Engine geometry(arch);
  for (auto [name, mine, machine] : {std::tuple("n", getN(), geometry.n),
                                     {"m", getM(), geometry.m},
                                     {"engines", getEngines(), geometry.engines},
                                     {"rows", getRows(), geometry.rows},
                                     {"cols", getCols(), geometry.cols}})
    if (int64_t(mine) != machine)
      return emitOpError("has ") << name << " = " << mine << ", the machine has " << machine;
  return success();
}

LogicalResult LoadWOp::verify() {
  if (failed(verifySameShape(*this, getValues(), getValueSlot())))
    return failure();
  if (bool(getBitmaps()) != bool(getBitmapSlot()))
    return emitOpError("needs a slot for its bitmaps");
  if (!getBitmaps())
    return success();
  if (failed(verifySameShape(*this, getBitmaps(), getBitmapSlot())))
    return failure();
  if (isa::getRows(getBitmaps()) != isa::getRows(getValues()) ||
      isa::getCols(getValues()) % isa::getCols(getBitmaps()) != 0)
    return emitOpError("expects values and bitmaps of the same rows and groups, got ")
           << getValues().getType() << " and " << getBitmaps().getType();
  return success();
}
LogicalResult LoadActOp::verify() { return verifySameShape(*this, getSource(), getDestination()); }
LogicalResult StoreActOp::verify() { return verifySameShape(*this, getSource(), getDestination()); }
LogicalResult LoadConstOp::verify() {
  return verifySameShape(*this, getSource(), getDestination());
}
LogicalResult LoadMaskOp::verify() { return verifySameShape(*this, getSource(), getDestination()); }

LogicalResult MmSdOp::verify() {
  if (failed(verifyTiles(*this)))
    return failure();
  const int64_t rows = isa::getRows(getWeights()), tokens = isa::getRows(getSource());
  if (failed(verifyShape(*this, "a result", getDestination(), tokens, rows)) ||
      failed(verifyShape(*this, "a bias", getBias(), 1, rows)) ||
      failed(verifyShape(*this, "a residual", getResidual(), tokens, rows)))
    return failure();
  const int64_t depth = isa::getCols(getSource()), values = isa::getCols(getWeights());
  if (!getBitmaps() && values != depth)
    return emitOpError("multiplies ") << values << " weights per row with " << depth
                                      << " activations; compressed weights need their bitmaps";
  isa::ArchAttr arch = isa::findArch(*this);
  if (!arch)
    return success();
  Engine g(arch);
  if (getBitmaps()) {
    const int64_t groups = isa::getCols(getBitmaps());
    if (depth != groups * g.m || values != groups * g.n)
      return emitOpError("expects ")
             << g.n << " values and " << g.m
             << " activations per group (parameters `n` and `m`), got " << values << " and "
             << depth << " for " << groups << " groups";
  }
  return success(succeeded(verifyAtMost(*this, "rows of weights", rows, g.engines * g.rows,
                                        "parameters `engines` and `tile_rows`")) &&
                 succeeded(verifyAtMost(*this, "tokens", tokens, g.cols, "parameter `tile_cols`")));
}

LogicalResult MmDdOp::verify() {
  if (failed(verifyTiles(*this)))
    return failure();
  if (!getScale().isFinite())
    return emitOpError("needs a finite scale");
  const int64_t heads = getHeads();
  if (isa::ArchAttr arch = isa::findArch(*this))
    if (failed(verifyAtMost(*this, "heads", heads, Engine(arch).engines, "parameter `engines`")))
      return failure();
  const bool isScores = getProduct() == Product::Scores;
  if (isa::getCols(getA()) != isa::getCols(getB()) ||
      (isScores ? isa::getCols(getA()) : isa::getRows(getB())) % heads != 0)
    return emitOpError("cannot multiply ")
           << getA().getType() << " and " << getB().getType() << " of " << heads << " heads";
  return isScores ? verifyShape(*this, "scores", getDestination(), heads * isa::getRows(getA()),
                                isa::getRows(getB()))
                  : verifyShape(*this, "a context", getDestination(), isa::getRows(getA()),
                                isa::getRows(getB()) / heads);
}

LogicalResult SoftmaxOp::verify() {
  if (failed(verifyTiles(*this)))
    return failure();
  const int64_t rows = isa::getRows(getScores()), heads = getHeads();
  if (rows % heads != 0)
    return emitOpError("has ") << rows << " rows of scores for " << heads << " heads";
  if (!getMask() || isa::getRows(getMask()) == 1)
    return verifyShape(*this, "a mask", getMask(), 1, isa::getCols(getScores()));
  return verifyShape(*this, "a mask", getMask(), rows / heads, isa::getCols(getScores()));
}

LogicalResult LayerNormOp::verify() {
  if (failed(verifySameShape(*this, getSource(), getDestination())))
    return failure();
  if (!getEpsilon().isFinite() || getEpsilon().isNegative())
    return emitOpError("needs a finite epsilon of at least 0");
  const int64_t cols = isa::getCols(getSource());
  return success(succeeded(verifyShape(*this, "a scale", getScale(), 1, cols)) &&
                 succeeded(verifyShape(*this, "a bias", getBias(), 1, cols)));
}

LogicalResult ReshuffleOp::verify() {
  if (failed(verifyTiles(*this)))
    return failure();
  const int64_t rows = isa::getRows(getSource()), cols = isa::getCols(getSource()),
                heads = getHeads();
  if (getLayout() == Layout::Transpose)
    return verifyShape(*this, "a result", getDestination(), cols, rows);
  if (rows % heads != 0)
    return emitOpError("has ") << rows << " rows for " << heads << " heads";
  return verifyShape(*this, "a result", getDestination(), rows / heads, cols * heads);
}
