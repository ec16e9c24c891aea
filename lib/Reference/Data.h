// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Data.h - the values that the interpreter works on ------------------===//
#ifndef SPARSAM_LIB_REFERENCE_DATA_H
#define SPARSAM_LIB_REFERENCE_DATA_H

#include "sattn/Semantics.h"

#include <variant>

namespace sparsam::reference {

/// The blocks of a packed mask: rows of 4 + pes numbers, as in sattn.packed_constant.
struct Packed {
  std::vector<int32_t> subrows;
  sattn::PackedType type;
};

/// What an SSA value holds. Tensors of fewer than four dimensions have leading dimensions of
/// size 1.
using Data = std::variant<sattn::semantics::Floats, sattn::semantics::Codes, sattn::semantics::Mask,
                          sattn::semantics::Indices, sattn::semantics::Integers, Packed>;

/// Tensors with more elements than this are refused.
inline constexpr int64_t kLimit = int64_t(1) << 28;

/// The data of a constant; nothing if the interpreter has no data of that kind.
std::optional<Data> toData(mlir::Attribute constant);

/// Prints `data` under `label`, one row of the last dimension per line.
void print(const Data &data, mlir::Type type, llvm::StringRef label, llvm::raw_ostream &out);

/// Why `actual` and `expected` are not identical, or empty.
std::string describeDifference(const Data &actual, const Data &expected);

/// Why some element of `actual` is not within `bound` of that of `expected`, or empty.
std::string describeDistance(const sattn::semantics::Floats &actual,
                             const sattn::semantics::Floats &expected, double bound);

} // namespace sparsam::reference

#endif // SPARSAM_LIB_REFERENCE_DATA_H
