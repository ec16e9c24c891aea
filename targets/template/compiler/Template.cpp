// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Template.cpp - the dialect, and what the hardware cannot do --------===//

#include "Template.h"

#include "mlir/IR/DialectImplementation.h"

using namespace mlir;
using namespace sparsam;
using namespace sparsam::template_;

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

static LogicalResult verifySameShape(Operation *op, Value a, Value b) {
  if (failed(verifyTiles(op)))
    return failure();
  if (getRows(a) != getRows(b) || getCols(a) != getCols(b))
    return op->emitOpError("works on tiles of one shape, got ")
           << a.getType() << " and " << b.getType();
  return success();
}

/// Refuses more than the machine around `op` allows; without a machine, nothing.
static LogicalResult verifyAtMost(Operation *op, StringRef what, int64_t value, StringRef name) {
  auto module = op->getParentOfType<ModuleOp>();
  auto arch = module ? module->getAttrOfType<isa::ArchAttr>(isa::kArchAttr) : isa::ArchAttr();
  auto limit = arch ? arch.getParameters().getAs<IntegerAttr>(name) : IntegerAttr();
  if (!limit || value <= limit.getInt())
    return success();
  return op->emitOpError("has ") << value << " " << what << "; the array has " << limit.getInt()
                                 << " (parameter `" << name << "`)";
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
