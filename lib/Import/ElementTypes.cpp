// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ElementTypes.cpp - which ops take other floats than float32 --------===//
//
// Everything computes in float32. Other floats may be stored, moved and converted; an op that would
// compute on them would fail only when the program runs, one op at a time.

#include "GraphImporter.h"

#include "Support/NodeName.h"
#include "onnx/Onnx.h"

using namespace mlir;

namespace sparsam {

constexpr size_t maxListedOps = 20;

/// Moves or converts elements whatever their type is.
static bool takesAnyFloat(Operation *op) {
  return llvm::isa<onnx::CastOp, onnx::CastLikeOp, onnx::ConcatOp, onnx::DropoutOp, onnx::ExpandOp,
                   onnx::FlattenOp, onnx::GatherOp, onnx::IdentityOp, onnx::ReshapeOp,
                   onnx::ShapeOp, onnx::SizeOp, onnx::SliceOp, onnx::SplitOp, onnx::SqueezeOp,
                   onnx::TileOp, onnx::TransposeOp, onnx::TriluOp, onnx::UnsqueezeOp,
                   onnx::WhereOp>(op);
}

/// The ONNX name of a float that is not float32; empty for other types.
static StringRef getOtherFloat(Type type) {
  Type element = getElementTypeOrSelf(type);
  return element.isF16()    ? "FLOAT16"
         : element.isF64()  ? "DOUBLE"
         : element.isBF16() ? "BFLOAT16"
                            : "";
}

/// The other float that `op` cannot take; empty if there is none.
static StringRef findRefusedFloat(Operation *op) {
  const bool isOnnx =
      op->getName().getDialectNamespace() == onnx::OnnxDialect::getDialectNamespace();
  if (!isOnnx || llvm::isa<onnx::ConstantOp>(op))
    return "";
  SmallVector<Type> types(op->getOperandTypes());
  llvm::append_range(types, op->getResultTypes());
  for (StringRef name : llvm::map_range(types, getOtherFloat)) {
    const bool isFill = llvm::isa<onnx::ConstantOfShapeOp>(op) && name == "DOUBLE";
    // The runtime has no tensors of BFLOAT16 at all.
    if (!name.empty() && (name == "BFLOAT16" || !(takesAnyFloat(op) || isFill)))
      return name;
  }
  return "";
}

LogicalResult checkElementTypes(ModuleOp module) {
  SmallVector<std::pair<Operation *, StringRef>> refused;
  module.walk([&](Operation *op) {
    if (StringRef name = findRefusedFloat(op); !name.empty())
      refused.emplace_back(op, name);
  });
  if (refused.empty())
    return success();
  InFlightDiagnostic error = emitError(module.getLoc());
  error << "the model has " << refused.size() << (refused.size() == 1 ? " node" : " nodes")
        << " that would compute in another type than float32:";
  for (auto [op, name] : ArrayRef(refused).take_front(maxListedOps))
    error << "\n  node '" << getNodeName(op->getLoc()) << "': " << op->getName().stripDialect()
          << " on " << name;
  if (refused.size() > maxListedOps)
    error << "\n  and " << refused.size() - maxListedOps << " more";
  error.attachNote() << "only float32 is computed: export the model in float32 (with "
                        "`model.float()` before torch.onnx.export, say), or put a Cast to FLOAT in "
                        "front of these nodes; other floats may be stored, moved and converted";
  return error;
}

} // namespace sparsam
