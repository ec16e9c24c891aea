// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Salo.cpp - the salo dialect and what its hardware cannot do --------===//

#include "Salo.h"

#include "isa/Verifiers.h"

#include "mlir/IR/DialectImplementation.h"

using namespace mlir;
using namespace sparsam;
using namespace sparsam::salo;
using isa::getCols, isa::getRows, isa::verifyAtMost;

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

LogicalResult salo::checkArch(isa::ArchAttr arch, Location loc) {
  return isa::checkArch(
      arch, "salo",
      {.integers = {"version", "pe_rows", "pe_cols", "globals", "window", "dilation",
                    "global_tokens", "merge_dims", "scale_shift", "query_buffer", "key_buffer",
                    "value_buffer", "output_buffer"},
       .reals = {"score_limit", "score_range", "q_range", "k_range", "v_range"},
       .flags = {"balance"},
       .texts = {"scale", "base"}},
      loc);
}

//===-- Verifiers ----------------------------------------------------------===//

/// Refuses operands that are not tiles, all but `other` with as many columns.
static LogicalResult verifyWidths(Operation *op, Value other = Value()) {
  if (failed(isa::verifyTiles(op)))
    return failure();
  int64_t cols = -1;
  for (Value operand : op->getOperands()) {
    if (operand == other || !llvm::isa<MemRefType>(operand.getType()))
      continue;
    if (cols >= 0 && cols != getCols(operand))
      return op->emitOpError("works on tiles of one width, got ")
             << cols << " and " << getCols(operand) << " columns";
    cols = getCols(operand);
  }
  return success();
}

static LogicalResult verifyRowsAndWidths(Operation *op, Value a, Value b, Value other = Value()) {
  if (failed(verifyWidths(op, other)))
    return failure();
  if (getRows(a) != getRows(b))
    return op->emitOpError("works on tiles of one shape, got ")
           << a.getType() << " and " << b.getType();
  return success();
}

LogicalResult ConfigOp::verify() {
  for (auto [name, factor] : {std::pair("q_factor", getQFactor()),
                              {"k_factor", getKFactor()},
                              {"v_factor", getVFactor()}})
    if (!factor.isFinite())
      return emitOpError("needs a finite ") << name;
  if (getVFactor().isZero())
    return emitOpError("needs a v_factor other than 0: outputs are divided by it");
  return verifyAtMost(*this, "dimensions per head", getHeadDim(), "merge_dims");
}

LogicalResult LoadQueryOp::verify() {
  return verifyRowsAndWidths(*this, getSource(), getDestination());
}
/// A mask has one column and, as its rows, the keys of the source.
static LogicalResult verifyMask(Operation *op, Value mask, Value source) {
  if (!mask || (getRows(mask) == getRows(source) && getCols(mask) == 1))
    return success();
  return op->emitOpError("takes a mask of ")
         << getRows(source) << " rows and one column, got " << mask.getType();
}

LogicalResult LoadKeyOp::verify() {
  return success(succeeded(verifyWidths(*this, getMask())) &&
                 succeeded(verifyMask(*this, getMask(), getSource())));
}
LogicalResult LoadValueOp::verify() { return verifyWidths(*this); }
LogicalResult LoadGlobalQueryOp::verify() {
  return verifyRowsAndWidths(*this, getSource(), getDestination());
}
LogicalResult LoadGlobalKeyOp::verify() {
  return success(succeeded(verifyRowsAndWidths(*this, getSource(), getDestination(), getMask())) &&
                 succeeded(verifyMask(*this, getMask(), getSource())));
}
LogicalResult LoadGlobalValueOp::verify() {
  return verifyRowsAndWidths(*this, getSource(), getDestination());
}
LogicalResult StoreOutputOp::verify() {
  return verifyRowsAndWidths(*this, getSource(), getDestination());
}

LogicalResult TileAttnOp::verify() {
  if (failed(verifyWidths(*this)) ||
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
  if (failed(verifyWidths(*this)))
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
