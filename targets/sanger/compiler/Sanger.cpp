// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Sanger.cpp - the sanger dialect and what its hardware cannot do ----===//

#include "Sanger.h"

#include "isa/Verifiers.h"

#include "mlir/IR/DialectImplementation.h"

#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;
using namespace sparsam;
using namespace sparsam::sanger;
using isa::getCols, isa::getRows, isa::verifyAtMost, isa::verifySameShape, isa::verifyTiles;

#include "targets/sanger/SangerDialect.cpp.inc"
#include "targets/sanger/SangerEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "targets/sanger/SangerAttrs.cpp.inc"

#define GET_OP_CLASSES
#include "targets/sanger/SangerOps.cpp.inc"

#include "targets/sanger/SangerEncoder.cpp.inc"

void SangerDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "targets/sanger/SangerAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "targets/sanger/SangerOps.cpp.inc"
      >();
}

LogicalResult sanger::checkArch(isa::ArchAttr arch, Location loc) {
  return isa::checkArch(arch, "sanger",
                        {.integers = {"pes", "rows", "stripe", "lowbit_rows", "lowbit_cols", "bits",
                                      "query_buffer", "key_buffer", "bias_buffer"},
                         .reals = {"threshold", "tx", "ty"},
                         .flags = {"normalize"},
                         .texts = {"empty_row"}},
                        loc);
}

//===-- Verifiers ----------------------------------------------------------===//

/// A bias has one row or `rows` rows, and at least `cols` columns.
static LogicalResult verifyBias(Operation *op, Value bias, int64_t rows, int64_t cols) {
  if (!bias || ((getRows(bias) == 1 || getRows(bias) >= rows) && getCols(bias) >= cols))
    return success();
  return op->emitOpError("takes a bias of 1 or ")
         << rows << " rows and " << cols << " columns, got " << bias.getType();
}

LogicalResult ConfigOp::verify() {
  auto positive = [](APFloat value) { return value.isFiniteNonZero() && !value.isNegative(); };
  if (!getScale().isFinite())
    return emitOpError("needs a finite scale");
  if (!getPredict())
    return success();
  if (getBits() % 2 != 0)
    return emitOpError("predicts with 2, 4, 6 or 8 bits, got ") << getBits();
  float threshold = getThreshold().convertToFloat();
  if (!(threshold > 0 && threshold < 1))
    return emitOpError("needs a threshold between 0 and 1, got ") << threshold;
  if (!positive(getQRange()) || !positive(getKRange()))
    return emitOpError("needs calibrated ranges q_range and k_range above 0, got ")
           << getQRange().convertToFloat() << " and " << getKRange().convertToFloat();
  return success();
}

LogicalResult LoadQueryOp::verify() {
  return verifySameShape(*this, getSource(), getDestination());
}
LogicalResult LoadKeyOp::verify() { return verifySameShape(*this, getSource(), getDestination()); }
LogicalResult LoadValueOp::verify() {
  return verifySameShape(*this, getSource(), getDestination());
}
LogicalResult LoadBiasOp::verify() { return verifySameShape(*this, getSource(), getDestination()); }
LogicalResult StoreOutputOp::verify() {
  return verifySameShape(*this, getSource(), getDestination());
}
LogicalResult QuantizeQueryOp::verify() {
  return verifySameShape(*this, getSource(), getDestination());
}
LogicalResult QuantizeKeyOp::verify() {
  return verifySameShape(*this, getSource(), getDestination());
}

LogicalResult ScoreOp::verify() {
  if (failed(verifyTiles(*this)) ||
      failed(verifyAtMost(*this, "query rows", getRows(getQuery()), "lowbit_rows")) ||
      failed(verifyAtMost(*this, "keys", getRows(getKey()), "lowbit_cols")) ||
      failed(verifyBias(*this, getBias(), getRows(getQuery()), getRows(getKey()))))
    return failure();
  if (getCols(getQuery()) != getCols(getKey()))
    return emitOpError("multiplies codes of ")
           << getCols(getQuery()) << " and " << getCols(getKey()) << " dimensions";
  if (getRows(getScore()) != getRows(getQuery()) || getCols(getScore()) != getRows(getKey()))
    return emitOpError("makes ") << getRows(getQuery()) << "x" << getRows(getKey())
                                 << " scores, got " << getScore().getType();
  return success();
}

LogicalResult SoftmaxThresholdOp::verify() {
  return verifySameShape(*this, getScores(), getMask());
}

LogicalResult PackSplitOp::verify() {
  if (failed(verifyTiles(*this)))
    return failure();
  return verifyAtMost(*this, "columns in a stripe", getCols(getMask()), "stripe");
}

LogicalResult SddmmOp::verify() {
  if (failed(verifyTiles(*this)) ||
      failed(verifyAtMost(*this, "keys in a stripe", getRows(getKey()), "stripe")) ||
      failed(verifyBias(*this, getBias(), getRows(getQuery()), getRows(getKey()))))
    return failure();
  if (getCols(getQuery()) != getCols(getKey()))
    return emitOpError("multiplies rows of ")
           << getCols(getQuery()) << " and " << getCols(getKey()) << " dimensions";
  return success();
}

/// The scores live in the PEs from sddmm to accumulate: nothing may come between
/// (score-stationary).
static LogicalResult verifyFollows(Operation *op, StringRef before) {
  Operation *previous = op->getPrevNode();
  while (previous && previous->getNumResults() == 1 &&
         llvm::isa<isa::ViewOp, isa::IndexOp>(previous))
    previous = previous->getPrevNode();
  if (previous && previous->getName().stripDialect() == before)
    return success();
  return op->emitOpError("must follow sanger.")
         << before << " on the same block: the scores are in the array";
}

LogicalResult ExpOp::verify() { return verifyFollows(*this, "sddmm"); }
LogicalResult SpmmOp::verify() {
  return success(succeeded(verifyTiles(*this)) && succeeded(verifyFollows(*this, "exp")));
}
LogicalResult AccumulateOp::verify() {
  return success(succeeded(verifyTiles(*this)) && succeeded(verifyFollows(*this, "spmm")));
}
