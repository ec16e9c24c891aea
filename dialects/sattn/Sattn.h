// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Sattn.h - the sattn dialect ----------------------------------------===//
#ifndef SPARSAM_DIALECTS_SATTN_SATTN_H
#define SPARSAM_DIALECTS_SATTN_SATTN_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "llvm/ADT/Hashing.h"

#include <bit>
#include <cstdint>

namespace sparsam::sattn {

/// A double as attribute parameter: compared and hashed by its bits.
struct Real {
  double value = 0;
  Real() = default;
  Real(double value) : value(value) {}
  operator double() const { return value; }
  bool operator==(const Real &other) const {
    return std::bit_cast<uint64_t>(value) == std::bit_cast<uint64_t>(other.value);
  }
};
inline llvm::hash_code hash_value(const Real &real) {
  return llvm::hash_value(std::bit_cast<uint64_t>(real.value));
}

/// Keys that a query sees: those at `offset` + m * `dilation` from it, m from 0 to `width` - 1.
struct Window {
  int64_t offset = 0, width = 1, dilation = 1;

  int64_t last() const { return offset + (width - 1) * dilation; }
  bool contains(int64_t distance) const {
    return distance >= offset && distance <= last() && (distance - offset) % dilation == 0;
  }
  bool operator==(const Window &) const = default;
};
inline llvm::hash_code hash_value(const Window &window) {
  return llvm::hash_combine(window.offset, window.width, window.dilation);
}

} // namespace sparsam::sattn

#include "sattn/SattnEnums.h.inc"

#include "sattn/SattnDialect.h.inc"

#include "sattn/SattnAttrInterfaces.h.inc"

#define GET_ATTRDEF_CLASSES
#include "sattn/SattnAttrs.h.inc"

#define GET_TYPEDEF_CLASSES
#include "sattn/SattnTypes.h.inc"

#define GET_OP_CLASSES
#include "sattn/SattnOps.h.inc"

namespace sparsam::sattn {

/// Discardable attribute of `sattn.attention`: its name in calibrations, mask traces and reports
/// ("attention_0").
inline constexpr llvm::StringLiteral kNameAttr = "sattn.name";

// On @main of a program that decodes token by token, and on its arguments.

/// {capacity = C, step = S}: caches hold up to C tokens, a run appends S.
inline constexpr llvm::StringLiteral kCacheAttr = "sattn.cache";
/// The argument that is the number of tokens in the caches before a run.
inline constexpr llvm::StringLiteral kLengthAttr = "sattn.length";
/// The argument is kept from run to run; the value is the name of the result that continues it.
inline constexpr llvm::StringLiteral kStateAttr = "sattn.state";
/// The axis of a kept argument, or of an input as long as the caches, that counts tokens.
inline constexpr llvm::StringLiteral kTokensAttr = "sattn.tokens";

/// Folders leave tensors with more elements than this to run time.
inline constexpr int64_t kFoldLimit = int64_t(1) << 22;

/// Shape [batch, heads, queries, keys] of the pairs a selection (mask tensor or packed mask) is
/// about.
llvm::ArrayRef<int64_t> getSelectionShape(mlir::Type selection);

} // namespace sparsam::sattn

#endif // SPARSAM_DIALECTS_SATTN_SATTN_H
