// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- OnnxOps.td - all ops of the onnx dialect ---------------------------===//
#ifndef SPARSAM_ONNX_OPS
#define SPARSAM_ONNX_OPS

include "onnx/OnnxMathOps.td"
include "onnx/OnnxNNOps.td"
include "onnx/OnnxShapeOps.td"

#endif // SPARSAM_ONNX_OPS
