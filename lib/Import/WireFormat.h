// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- WireFormat.h - find weights in a serialized model ------------------===//
//
// Protobuf copies the data of tensors into strings. So that a weight is never copied, the
// serialized model is walked along the few fields that lead to tensors, their data is left out, and
// only the small rest goes through protobuf.
#ifndef SPARSAM_LIB_IMPORT_WIREFORMAT_H
#define SPARSAM_LIB_IMPORT_WIREFORMAT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <optional>
#include <string>

namespace sparsam {

/// The fields of TensorProto whose payload is an array of little-endian elements.
enum class DataField : uint32_t { floats = 4, raw = 9, doubles = 10 };

/// The place of a tensor's data in the model file.
struct DataRange {
  DataField field;
  uint64_t offset;
  uint64_t bytes;
};

/// A serialized ModelProto without the data of its larger tensors. Such a tensor's `doc_string`
/// says where its data is; all other doc strings of tensors are dropped, so that none can pass for
/// a place.
struct ReducedModel {
  std::string bytes;
};

/// Leaves out the data of tensors. Fails with the offset of the first byte that is not in
/// protobuf's wire format.
llvm::Expected<ReducedModel> reduceModel(llvm::ArrayRef<char> model);

/// The place that `reduceModel` wrote into the `doc_string` of a tensor.
std::optional<DataRange> getDataRange(llvm::StringRef docString);

} // namespace sparsam

#endif // SPARSAM_LIB_IMPORT_WIREFORMAT_H
