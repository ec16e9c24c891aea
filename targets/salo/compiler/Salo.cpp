// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Salo.cpp - the salo dialect and what its hardware cannot do --------===//

#include "Salo.h"

#include "mlir/IR/DialectImplementation.h"

using namespace mlir;
using namespace sparsam;
using namespace sparsam::salo;

#include "targets/salo/SaloDialect.cpp.inc"

#define GET_OP_CLASSES
#include "targets/salo/SaloOps.cpp.inc"

#include "targets/salo/SaloEncoder.cpp.inc"

void SaloDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "targets/salo/SaloOps.cpp.inc"
      >();
}

ArrayRef<MemorySpec> salo::getMemorySpecs() {
  static const MemorySpec specs[] = {
      {"key", 16, "key_buffer"},
      {"output", 32, "output_buffer"},
      {"query", 16, "query_buffer"},
      {"value", 16, "value_buffer"},
  };
  return specs;
}

LogicalResult salo::checkArch(isa::ArchAttr arch, Location loc) {
  if (arch.getTarget() != "salo")
    return emitError(loc) << "is for target salo, but `isa.arch` is for '" << arch.getTarget()
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
    return integer && integer.getType().isInteger(64);
  };
  return success(
      succeeded(check(isInteger, {"version", "pe_rows", "pe_cols", "globals", "window", "dilation",
                                  "global_tokens", "merge_dims", "scale_shift", "query_buffer",
                                  "key_buffer", "value_buffer", "output_buffer"})) &&
      succeeded(check(llvm::IsaPred<StringAttr>, {"scale", "base"})));
}

//===-- Verifiers ----------------------------------------------------------===//

/// The machine around `op`, or null: without one only what holds for every machine is checked.
static isa::ArchAttr findArch(Operation *op) {
  for (; op; op = op->getParentOp())
    if (auto arch = op->getAttrOfType<isa::ArchAttr>(isa::kArchAttr))
      return arch;
  return {};
}

static int64_t getRows(Value tile) { return cast<MemRefType>(tile.getType()).getDimSize(0); }

static int64_t getCols(Value tile) { return cast<MemRefType>(tile.getType()).getDimSize(1); }

/// Refuses operands that are not tiles of two static dimensions, all but `other` with as many
/// columns.
static LogicalResult verifyTiles(Operation *op, Value other = Value()) {
  int64_t cols = -1;
  for (Value operand : op->getOperands()) {
    auto type = dyn_cast<MemRefType>(operand.getType());
    if (!type)
      continue;
    if (type.getRank() != 2 || !type.hasStaticShape())
      return op->emitOpError("works on tiles of two static dimensions, got ") << type;
    if (operand == other)
      continue;
    if (cols >= 0 && cols != type.getDimSize(1))
      return op->emitOpError("works on tiles of one width, got ")
             << cols << " and " << type.getDimSize(1) << " columns";
    cols = type.getDimSize(1);
  }
  return success();
}

static LogicalResult verifySameShape(Operation *op, Value a, Value b, Value other = Value()) {
  if (failed(verifyTiles(op, other)))
    return failure();
  if (getRows(a) != getRows(b))
    return op->emitOpError("works on tiles of one shape, got ")
           << a.getType() << " and " << b.getType();
  return success();
}

/// Refuses more than the parameter `name` of the machine allows.
static LogicalResult verifyAtMost(Operation *op, StringRef what, int64_t value, StringRef name) {
  isa::ArchAttr arch = findArch(op);
  if (!arch || !arch.getParameters().contains(name) || value <= arch.getInteger(name))
    return success();
  return op->emitOpError("has ") << value << " " << what << "; the machine has "
                                 << arch.getInteger(name) << " (parameter `" << name << "`)";
}

LogicalResult ConfigOp::verify() {
  if (!getQFactor().isFinite())
    return emitOpError("needs a finite q_factor");
  return verifyAtMost(*this, "dimensions per head", getHeadDim(), "merge_dims");
}

LogicalResult LoadQueryOp::verify() {
  return verifySameShape(*this, getSource(), getDestination());
}
/// A mask has one column and, as its rows, the keys of the source.
static LogicalResult verifyMask(Operation *op, Value mask, Value source) {
  if (!mask || (getRows(mask) == getRows(source) && getCols(mask) == 1))
    return success();
  return op->emitOpError("takes a mask of ")
         << getRows(source) << " rows and one column, got " << mask.getType();
}

LogicalResult LoadKeyOp::verify() {
  return success(succeeded(verifyTiles(*this, getMask())) &&
                 succeeded(verifyMask(*this, getMask(), getSource())));
}
LogicalResult LoadValueOp::verify() { return verifyTiles(*this); }
LogicalResult LoadGlobalQueryOp::verify() {
  return verifySameShape(*this, getSource(), getDestination());
}
LogicalResult LoadGlobalKeyOp::verify() {
  return success(succeeded(verifySameShape(*this, getSource(), getDestination(), getMask())) &&
                 succeeded(verifyMask(*this, getMask(), getSource())));
}
LogicalResult LoadGlobalValueOp::verify() {
  return verifySameShape(*this, getSource(), getDestination());
}
LogicalResult StoreOutputOp::verify() {
  return verifySameShape(*this, getSource(), getDestination());
}

LogicalResult TileAttnOp::verify() {
  if (failed(verifyTiles(*this)) ||
      failed(verifyAtMost(*this, "query rows", getRows(getQuery()), "pe_rows")) ||
      failed(verifyAtMost(*this, "window columns", TileAttnOp::getCols(), "pe_cols")) ||
      failed(verifyAtMost(*this, "row columns", getRowCols(), "pe_cols")))
    return failure();
  if (getRows(getKey()) != getRows(getValue()))
    return emitOpError("takes the values of its keys, got ")
           << getRows(getKey()) << " keys and " << getRows(getValue()) << " values";
  if (getRowFrom() > getRowTo())
    return emitOpError("shows its global queries keys from ")
           << getRowFrom() << " to " << getRowTo() << ", which is none";
  if (getGlobalQuery() &&
      failed(verifyAtMost(*this, "global queries", getRows(getGlobalQuery()), "globals")))
    return failure();
  if (!getGlobalKey())
    return success();
  if (getRows(getGlobalKey()) != getRows(getGlobalValue()))
    return emitOpError("takes the values of its global keys, got ")
           << getRows(getGlobalKey()) << " keys and " << getRows(getGlobalValue()) << " values";
  return verifyAtMost(*this, "global keys", getRows(getGlobalKey()), "globals");
}

/// The outputs leave the array into the merge modules: nothing may come between.
LogicalResult MergeOp::verify() {
  if (failed(verifyTiles(*this)))
    return failure();
  Operation *previous = (*this)->getPrevNode();
  while (llvm::isa_and_nonnull<isa::ViewOp, isa::IndexOp>(previous))
    previous = previous->getPrevNode();
  auto pass = dyn_cast_if_present<TileAttnOp>(previous);
  if (!pass)
    return emitOpError("must follow salo.tile_attn: it takes what the pass leaves in the array");
  if (getRows(pass.getQuery()) != getRows(getOutput()))
    return emitOpError("merges ") << getRows(getOutput()) << " rows after a pass of "
                                  << getRows(pass.getQuery()) << " queries";
  const int64_t queries = pass.getGlobalQuery() ? getRows(pass.getGlobalQuery()) : 0;
  const int64_t rows = getGlobalOutput() ? getRows(getGlobalOutput()) : 0;
  if (queries != rows)
    return emitOpError("merges ") << rows << " global rows after a pass of " << queries
                                  << " global queries";
  return success();
}
