// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- OnnxOps.cpp - generated definitions of the ops ---------------------===//
//
// In a file of its own: it is long, and nothing that changes often is compiled with it.

#include "onnx/Folds.h"
#include "onnx/Onnx.h"

using namespace mlir;
using namespace sparsam;
using namespace sparsam::onnx;

#include "onnx/OnnxOpInterfaces.cpp.inc"

#define GET_OP_CLASSES
#include "onnx/OnnxOps.cpp.inc"
