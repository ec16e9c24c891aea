// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Check.h - the check dialect ----------------------------------------===//
#ifndef SPARSAM_DIALECTS_CHECK_CHECK_H
#define SPARSAM_DIALECTS_CHECK_CHECK_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"

#include "check/CheckDialect.h.inc"

#define GET_OP_CLASSES
#include "check/CheckOps.h.inc"

#endif // SPARSAM_DIALECTS_CHECK_CHECK_H
