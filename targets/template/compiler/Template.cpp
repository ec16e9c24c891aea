// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Template.cpp - the dialect, and what the hardware cannot do --------===//

#include "Template.h"

#include "isa/Verifiers.h"

#include "mlir/IR/DialectImplementation.h"

using namespace mlir;
using namespace sparsam;
using namespace sparsam::template_;
using isa::getCols, isa::getRows, isa::verifyAtMost, isa::verifySameShape;

#include "targets/template/TemplateDialect.cpp.inc"

#define GET_OP_CLASSES
#include "targets/template/TemplateOps.cpp.inc"

#include "targets/template/TemplateEncoder.cpp.inc"

void TemplateDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "targets/template/TemplateOps.cpp.inc"
      >();
}

LogicalResult LoadOp::verify() { return verifySameShape(*this, getSource(), getDestination()); }
LogicalResult StoreOp::verify() { return verifySameShape(*this, getSource(), getDestination()); }

LogicalResult AttendOp::verify() {
  if (failed(verifySameShape(*this, getKey(), getValue())) ||
      failed(verifyAtMost(*this, "query rows", getRows(getQuery()), "rows")) ||
      failed(verifyAtMost(*this, "keys", getRows(getKey()), "cols")))
    return failure();
  if (getCols(getQuery()) != getCols(getKey()))
    return emitOpError("multiplies rows of ")
           << getCols(getQuery()) << " and " << getCols(getKey()) << " dimensions";
  const int64_t rows = getRows(getQuery()), cols = getCols(getQuery()) + kRowState;
  if (getRows(getOutput()) != rows || getCols(getOutput()) != cols)
    return emitOpError("accumulates ")
           << rows << "x" << cols << " values, got " << getOutput().getType();
  if (Value bias = getBias())
    if ((getRows(bias) != 1 && getRows(bias) != rows) || getCols(bias) != getRows(getKey()))
      return emitOpError("takes a bias of 1 or ")
             << rows << " rows and " << getRows(getKey()) << " columns, got " << bias.getType();
  if (!getScale().isFinite())
    return emitOpError("needs a finite scale");
  return success();
}
