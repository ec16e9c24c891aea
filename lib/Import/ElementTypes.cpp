// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ElementTypes.cpp - which ops take which element types --------------===//
//
// Reals are computed in float32, whole numbers in int64 and int32. Other types may be stored, moved
// and converted; an op that would compute on them would fail only when the program runs, one op at
// a time.

#include "GraphImporter.h"

#include "Support/NodeName.h"
#include "onnx/Onnx.h"

using namespace mlir;

namespace sparsam {

constexpr size_t maxListedOps = 20;

/// Moves or converts elements whatever their type is.
static bool takesAnyType(Operation *op) {
  return llvm::isa<onnx::CastOp, onnx::CastLikeOp, onnx::ConcatOp, onnx::DropoutOp, onnx::ExpandOp,
                   onnx::FlattenOp, onnx::GatherOp, onnx::IdentityOp, onnx::ReshapeOp,
                   onnx::ShapeOp, onnx::SizeOp, onnx::SliceOp, onnx::SplitOp, onnx::SqueezeOp,
                   onnx::TileOp, onnx::TransposeOp, onnx::TriluOp, onnx::UnsqueezeOp,
                   onnx::WhereOp>(op);
}

/// The ONNX name of a type that nothing computes in; empty for other types.
static std::string getTypeWithoutArithmetic(Type type) {
  Type element = getElementTypeOrSelf(type);
  if (element.isF16())
    return "FLOAT16";
  if (element.isF64())
    return "DOUBLE";
  if (element.isBF16())
    return "BFLOAT16";
  auto integer = llvm::dyn_cast<IntegerType>(element);
  if (!integer || integer.getWidth() == 1 || (!integer.isUnsigned() && integer.getWidth() >= 32))
    return "";
  return (integer.isUnsigned() ? "UINT" : "INT") + std::to_string(integer.getWidth());
}

/// The type that `op` cannot take; empty if there is none.
static std::string findRefusedType(Operation *op) {
  const bool isOnnx =
      op->getName().getDialectNamespace() == onnx::OnnxDialect::getDialectNamespace();
  if (!isOnnx || llvm::isa<onnx::ConstantOp>(op))
    return "";
  SmallVector<Type> types(op->getOperandTypes());
  llvm::append_range(types, op->getResultTypes());
  for (const std::string &name : llvm::map_range(types, getTypeWithoutArithmetic)) {
    const bool isFill = llvm::isa<onnx::ConstantOfShapeOp>(op) && name == "DOUBLE";
    // The runtime has no tensors of BFLOAT16 at all.
    if (!name.empty() && (name == "BFLOAT16" || !(takesAnyType(op) || isFill)))
      return name;
  }
  return "";
}

LogicalResult checkElementTypes(ModuleOp module) {
  SmallVector<std::pair<Operation *, std::string>> refused;
  module.walk([&](Operation *op) {
    if (std::string name = findRefusedType(op); !name.empty())
      refused.emplace_back(op, name);
  });
  if (refused.empty())
    return success();
  InFlightDiagnostic error = emitError(module.getLoc());
  error << "the model has " << refused.size() << (refused.size() == 1 ? " node" : " nodes")
        << " that would compute in another type than float32, int64 and int32:";
  for (const auto &[op, name] : ArrayRef(refused).take_front(maxListedOps))
    error << "\n  node '" << getNodeName(op->getLoc()) << "': " << op->getName().stripDialect()
          << " on " << name;
  if (refused.size() > maxListedOps)
    error << "\n  and " << refused.size() - maxListedOps << " more";
  error.attachNote() << "reals are computed in float32: export the model in float32 (with "
                        "`model.float()` before torch.onnx.export, say), or put a Cast in front of "
                        "these nodes; other types may be stored, moved and converted";
  return error;
}

} // namespace sparsam
