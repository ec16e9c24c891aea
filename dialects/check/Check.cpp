// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Check.cpp - the check dialect --------------------------------------===//

#include "check/Check.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace sparsam::check;

#include "check/CheckDialect.cpp.inc"

#define GET_OP_CLASSES
#include "check/CheckOps.cpp.inc"

void CheckDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "check/CheckOps.cpp.inc"
      >();
}

LogicalResult ExpectCloseOp::verify() {
  double bound = getMaxAbs().convertToDouble();
  if (!(bound >= 0))
    return emitOpError() << "expects `max_abs` of at least 0, got " << bound;
  return success();
}
