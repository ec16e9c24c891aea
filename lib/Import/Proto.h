// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Proto.h - the protobuf classes of ONNX under another name ----------===//
//
// Inside `namespace sparsam`, `onnx` is our dialect.
#ifndef SPARSAM_LIB_IMPORT_PROTO_H
#define SPARSAM_LIB_IMPORT_PROTO_H

#include "onnx/onnx_pb.h"

namespace sparsam {
namespace proto = ::onnx;
} // namespace sparsam

#endif // SPARSAM_LIB_IMPORT_PROTO_H
