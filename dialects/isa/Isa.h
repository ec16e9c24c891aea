// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Isa.h - the isa dialect --------------------------------------------===//
#ifndef SPARSAM_DIALECTS_ISA_ISA_H
#define SPARSAM_DIALECTS_ISA_ISA_H

#include "isa/Encoder.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace sparsam::isa {

/// Name of the memory behind the DMA unit.
inline constexpr llvm::StringLiteral kDram = "dram";

/// Attribute of a module: the machine it is compiled for.
inline constexpr llvm::StringLiteral kArchAttr = "isa.arch";

/// True if `type` is a memref in the memory called `memory`.
bool isInMemory(mlir::Type type, llvm::StringRef memory);

/// Name of the memory that `type` lies in; empty if it has none.
llvm::StringRef getMemoryName(mlir::MemRefType type);

} // namespace sparsam::isa

#include "isa/IsaDialect.h.inc"

#include "isa/IsaOpInterfaces.h.inc"

#define GET_ATTRDEF_CLASSES
#include "isa/IsaAttrs.h.inc"

#define GET_OP_CLASSES
#include "isa/IsaOps.h.inc"

namespace sparsam::isa {

/// The machine that the module around `op` is compiled for. Emits an error at `op` if there is
/// none.
mlir::FailureOr<ArchAttr> getArch(mlir::Operation *op);

/// Reads an affine expression over loop counters as `constant + sum of coefficient * (counter mod
/// modulus)`, what an address generator computes. `(d + c) mod 2` is turned into that form. Fails
/// on anything else.
struct AddressTerm {
  int64_t coefficient = 0;
  int64_t modulus = 0; ///< 0: none
};
struct AddressSum {
  int64_t constant = 0;
  llvm::SmallVector<llvm::SmallVector<AddressTerm, 1>> terms; ///< by dimension of the map
};
mlir::FailureOr<AddressSum> readAddress(mlir::AffineExpr expr, unsigned numDims);

} // namespace sparsam::isa

#endif // SPARSAM_DIALECTS_ISA_ISA_H
