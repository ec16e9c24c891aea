// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Sta.cpp - the sta dialect and what its hardware cannot do ----------===//

#include "Sta.h"

#include "mlir/IR/DialectImplementation.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace sparsam;
using namespace sparsam::sta;

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

LogicalResult sta::checkArch(isa::ArchAttr arch, Location loc) {
  if (arch.getTarget() != "sta")
    return emitError(loc) << "is for target sta, but `isa.arch` is for '" << arch.getTarget()
                          << "'";
  auto check = [&](auto hasType, std::initializer_list<StringRef> names) -> LogicalResult {
    for (StringRef name : names)
      if (Attribute value = arch.getParameters().get(name); !value || !hasType(value))
        return emitError(loc) << "needs parameter `" << name
                              << "` in `isa.arch`; run isa-set-target";
    return success();
  };
  auto isInteger = [](Attribute value) {
    auto integer = dyn_cast<IntegerAttr>(value);
    return integer && integer.getType().isInteger(64) && integer.getInt() >= 0;
  };
  if (failed(check(isInteger, {"n", "m", "engines", "tile_rows", "tile_cols", "weight_bits",
                               "softmax_levels", "guard_bits", "weight_memory", "bitmap_memory",
                               "activation_memory", "constant_memory", "mask_memory"})) ||
      failed(check(llvm::IsaPred<FloatAttr>, {"input_range", "output_range", "product_range",
                                              "q_range", "k_range", "v_range", "score_range"})) ||
      failed(check(llvm::IsaPred<StringAttr>, {"numerics"})))
    return failure();
  if (arch.getInteger("n") < 1 || arch.getInteger("n") > arch.getInteger("m"))
    return emitError(loc) << "n = " << arch.getInteger("n")
                          << " must lie from 1 to m = " << arch.getInteger("m")
                          << " (parameters `n` and `m`)";
  return success();
}

//===-- Verifiers ----------------------------------------------------------===//

/// The machine around `op`, or null: without one only what holds for every machine is checked.
static isa::ArchAttr findArch(Operation *op) {
  for (; op; op = op->getParentOp())
    if (auto arch = op->getAttrOfType<isa::ArchAttr>(isa::kArchAttr))
      return arch.getTarget() == "sta" ? arch : isa::ArchAttr();
  return {};
}

static int64_t getRows(Value tile) { return cast<MemRefType>(tile.getType()).getDimSize(0); }
static int64_t getCols(Value tile) { return cast<MemRefType>(tile.getType()).getDimSize(1); }

/// Refuses operands that are not tiles of two static dimensions.
static LogicalResult verifyTiles(Operation *op) {
  for (Value operand : op->getOperands())
    if (auto type = dyn_cast<MemRefType>(operand.getType()))
      if (type.getRank() != 2 || !type.hasStaticShape())
        return op->emitOpError("works on tiles of two static dimensions, got ") << type;
  return success();
}

/// Expects `tile` (may be null) to have the given shape.
static LogicalResult verifyShape(Operation *op, StringRef what, Value tile, int64_t rows,
                                 int64_t cols) {
  if (!tile || (getRows(tile) == rows && getCols(tile) == cols))
    return success();
  return op->emitOpError("expects ")
         << what << " of " << rows << "x" << cols << ", got " << tile.getType();
}

static LogicalResult verifySameShape(Operation *op, Value a, Value b) {
  if (failed(verifyTiles(op)))
    return failure();
  if (getRows(a) != getRows(b) || getCols(a) != getCols(b))
    return op->emitOpError("works on tiles of one shape, got ")
           << a.getType() << " and " << b.getType();
  return success();
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
  isa::ArchAttr arch = findArch(*this);
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
  if (::getRows(getBitmaps()) != ::getRows(getValues()) ||
      ::getCols(getValues()) % ::getCols(getBitmaps()) != 0)
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
  const int64_t rows = ::getRows(getWeights()), tokens = ::getRows(getSource());
  if (failed(verifyShape(*this, "a result", getDestination(), tokens, rows)) ||
      failed(verifyShape(*this, "a bias", getBias(), 1, rows)) ||
      failed(verifyShape(*this, "a residual", getResidual(), tokens, rows)))
    return failure();
  const int64_t depth = ::getCols(getSource()), values = ::getCols(getWeights());
  if (!getBitmaps() && values != depth)
    return emitOpError("multiplies ") << values << " weights per row with " << depth
                                      << " activations; compressed weights need their bitmaps";
  isa::ArchAttr arch = findArch(*this);
  if (!arch)
    return success();
  Engine g(arch);
  if (getBitmaps()) {
    const int64_t groups = ::getCols(getBitmaps());
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
  if (isa::ArchAttr arch = findArch(*this))
    if (failed(verifyAtMost(*this, "heads", heads, Engine(arch).engines, "parameter `engines`")))
      return failure();
  const bool isScores = getProduct() == Product::Scores;
  if (::getCols(getA()) != ::getCols(getB()) ||
      (isScores ? ::getCols(getA()) : ::getRows(getB())) % heads != 0)
    return emitOpError("cannot multiply ")
           << getA().getType() << " and " << getB().getType() << " of " << heads << " heads";
  return isScores ? verifyShape(*this, "scores", getDestination(), heads * ::getRows(getA()),
                                ::getRows(getB()))
                  : verifyShape(*this, "a context", getDestination(), ::getRows(getA()),
                                ::getRows(getB()) / heads);
}

LogicalResult SoftmaxOp::verify() {
  if (failed(verifyTiles(*this)))
    return failure();
  const int64_t rows = ::getRows(getScores()), heads = getHeads();
  if (rows % heads != 0)
    return emitOpError("has ") << rows << " rows of scores for " << heads << " heads";
  if (!getMask() || ::getRows(getMask()) == 1)
    return verifyShape(*this, "a mask", getMask(), 1, ::getCols(getScores()));
  return verifyShape(*this, "a mask", getMask(), rows / heads, ::getCols(getScores()));
}

LogicalResult LayerNormOp::verify() {
  if (failed(verifySameShape(*this, getSource(), getDestination())))
    return failure();
  if (!getEpsilon().isFinite() || getEpsilon().isNegative())
    return emitOpError("needs a finite epsilon of at least 0");
  const int64_t cols = ::getCols(getSource());
  return success(succeeded(verifyShape(*this, "a scale", getScale(), 1, cols)) &&
                 succeeded(verifyShape(*this, "a bias", getBias(), 1, cols)));
}

LogicalResult ReshuffleOp::verify() {
  if (failed(verifyTiles(*this)))
    return failure();
  const int64_t rows = ::getRows(getSource()), cols = ::getCols(getSource()), heads = getHeads();
  if (getLayout() == Layout::Transpose)
    return verifyShape(*this, "a result", getDestination(), cols, rows);
  if (rows % heads != 0)
    return emitOpError("has ") << rows << " rows for " << heads << " heads";
  return verifyShape(*this, "a result", getDestination(), rows / heads, cols * heads);
}
