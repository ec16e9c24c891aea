// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Spatten.cpp - the spatten dialect and what its hardware cannot do --===//

#include "Spatten.h"

#include "isa/Verifiers.h"

#include "mlir/IR/DialectImplementation.h"

#include <cmath>

using namespace mlir;
using namespace sparsam;
using namespace sparsam::spatten;
using isa::getCols, isa::getRows, isa::verifySameShape, isa::verifyTiles;

#include "targets/spatten/SpattenDialect.cpp.inc"

#define GET_OP_CLASSES
#include "targets/spatten/SpattenOps.cpp.inc"

#include "targets/spatten/SpattenEncoder.cpp.inc"

void SpattenDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "targets/spatten/SpattenOps.cpp.inc"
      >();
}

LogicalResult spatten::checkArch(isa::ArchAttr arch, Location loc) {
  return isa::checkArch(arch, "spatten",
                        {.integers = {"msb_bits", "lsb_bits", "value_bits", "key_buffer",
                                      "value_buffer", "bias_buffer", "importance_buffer",
                                      "index_buffer", "max_context", "multipliers"},
                         .reals = {"lsb_threshold", "value_keep", "tx", "ty", "tz", "token_prune",
                                   "head_prune", "prune_slope", "token_front", "head_front"},
                         .flags = {"force_lsb"},
                         .texts = {"schedule", "protect"}},
                        loc);
}

//===-- Verifiers ----------------------------------------------------------===//

/// A head must fit twice: while its queries run, the next head is loaded.
static LogicalResult verifyFits(Operation *op, Value tile, StringRef parameter) {
  isa::ArchAttr arch = isa::findArch(op);
  auto bytes = arch ? arch.getParameters().getAs<IntegerAttr>(parameter) : IntegerAttr();
  const int64_t needed = 2 * getRows(tile) * getCols(tile) * 12 / 8;
  if (!bytes || needed <= bytes.getInt())
    return success();
  return op->emitOpError("needs ")
         << needed << " bytes for two heads of " << getRows(tile) << " rows; the SRAM has "
         << bytes.getInt() << " (parameter `" << parameter << "`)";
}

static LogicalResult verifyList(Operation *op, Value tokens, int64_t rows) {
  if (!tokens || (getRows(tokens) == 1 && getCols(tokens) == rows))
    return success();
  return op->emitOpError("takes a list of ") << rows << " tokens, got " << tokens.getType();
}

LogicalResult ConfigOp::verify() {
  if (!getScale().isFinite())
    return emitOpError("needs a finite scale");
  const float threshold = getThreshold().convertToFloat();
  if (!(threshold >= 0 && threshold <= 1))
    return emitOpError("needs a threshold between 0 and 1, got ") << threshold;
  isa::ArchAttr arch = isa::findArch(*this);
  auto inputs = arch ? arch.getParameters().getAs<IntegerAttr>("multipliers") : IntegerAttr();
  const int64_t most = inputs ? inputs.getInt() : kMostDimensions;
  if (!fitsTree(getHeadDim(), most))
    return emitOpError("needs heads of a power of two of dimensions, at most ")
           << std::min(most, kMostDimensions)
           << ", because the adder tree splits in halves (parameter `multipliers`), got "
           << getHeadDim();
  if (getMsb() % 2 != 0 || getMsb() < 4 || (getLsb() != 0 && getLsb() != 4))
    return emitOpError("fetches 4, 6, 8, 10 or 12 bits of a key first and 4 or none later, got ")
           << getMsb() << " and " << getLsb();
  if (!getWords())
    return success();
  for (APFloat range : {getQRange(), getKRange(), getVRange()})
    if (!range.isFiniteNonZero() || range.isNegative())
      return emitOpError("needs calibrated ranges q_range, k_range and v_range above 0, got ")
             << getQRange().convertToFloat() << ", " << getKRange().convertToFloat() << " and "
             << getVRange().convertToFloat();
  return success();
}

LogicalResult SetTokensOp::verify() {
  return verifySameShape(*this, getSource(), getDestination());
}
LogicalResult SetHeadsOp::verify() {
  if (failed(verifySameShape(*this, getSource(), getDestination())))
    return failure();
  if (getCols(getSource()) > int64_t(getOf()))
    return emitOpError("names ") << getCols(getSource()) << " of " << getOf() << " heads";
  return success();
}
LogicalResult BindHeadOp::verify() {
  if (failed(verifyTiles(*this)))
    return failure();
  if (getHeads() && getRows(getHeads()) != 1)
    return emitOpError("takes one list of heads, got ") << getHeads().getType();
  return success();
}
LogicalResult SetLengthOp::verify() {
  if (failed(verifyTiles(*this)))
    return failure();
  if (getRows(getLength()) != 1 || getCols(getLength()) != 1)
    return emitOpError("takes one number, got ") << getLength().getType();
  return success();
}
LogicalResult LoadScoresOp::verify() {
  return verifySameShape(*this, getSource(), getDestination());
}
LogicalResult StoreScoresOp::verify() {
  return verifySameShape(*this, getSource(), getDestination());
}
LogicalResult LoadQOp::verify() { return verifySameShape(*this, getSource(), getDestination()); }
LogicalResult LoadBiasOp::verify() { return verifySameShape(*this, getSource(), getDestination()); }
LogicalResult StoreOutOp::verify() { return verifySameShape(*this, getSource(), getDestination()); }

template <typename Op> static LogicalResult verifyLoadRows(Op op, StringRef parameter) {
  if (failed(verifyTiles(op)))
    return failure();
  if (!op.getTokens() && failed(verifySameShape(op, op.getSource(), op.getDestination())))
    return failure();
  return success(succeeded(verifyList(op, op.getTokens(), getRows(op.getDestination()))) &&
                 succeeded(verifyFits(op, op.getDestination(), parameter)));
}
LogicalResult LoadKOp::verify() { return verifyLoadRows(*this, "key_buffer"); }
LogicalResult LoadVOp::verify() { return verifyLoadRows(*this, "value_buffer"); }

template <typename Op> static LogicalResult verifyQuery(Op op, int64_t keys) {
  const int64_t dim = getCols(op.getQuery());
  for (Value row : {op.getQuery(), op.getOutput()})
    if (getRows(row) != 1)
      return op.emitOpError("takes one query, got ") << row.getType();
  for (Value rows : {op.getKey(), op.getValue(), op.getOutput()})
    if (getCols(rows) != dim)
      return op.emitOpError("works on rows of ") << dim << " dimensions, got " << rows.getType();
  if (getRows(op.getKey()) != getRows(op.getValue()))
    return op.emitOpError("needs as many values as keys, got ")
           << getRows(op.getValue()) << " and " << getRows(op.getKey());
  if (Value bias = op.getBias(); bias && getCols(bias) != 1 && getCols(bias) != keys)
    return op.emitOpError("takes a bias of 1 or ") << keys << " columns, got " << bias.getType();
  if (Value scores = op.getTokenScores(); scores && getCols(scores) < keys)
    return op.emitOpError("accumulates scores of ") << keys << " tokens, got " << scores.getType();
  return success();
}
LogicalResult QueryOp::verify() {
  return success(succeeded(verifyTiles(*this)) &&
                 succeeded(verifyList(*this, getTokens(), getRows(getKey()))) &&
                 succeeded(verifyQuery(*this, getRows(getKey()))));
}
LogicalResult QueryStreamOp::verify() {
  return success(
      succeeded(verifyTiles(*this)) &&
      succeeded(verifyQuery(*this, getTokens() ? getCols(getTokens()) : getRows(getKey()))));
}

static LogicalResult verifyRanking(Operation *op, Value scores, Value survivors, int64_t k,
                                   int64_t isProtected) {
  if (failed(verifyTiles(op)))
    return failure();
  if (k > getCols(scores))
    return op->emitOpError("keeps ") << k << " of " << getCols(scores) << " scores";
  if (isProtected > k)
    return op->emitOpError("keeps ") << k << " scores, but protects " << isProtected;
  return verifyList(op, survivors, k);
}
LogicalResult TopkTokenOp::verify() {
  return verifyRanking(*this, getScores(), getSurvivors(), getK(),
                       getProtectFirst() + getProtectLast());
}
LogicalResult TopkHeadOp::verify() {
  return verifyRanking(*this, getScores(), getSurvivors(), getK(), 0);
}
