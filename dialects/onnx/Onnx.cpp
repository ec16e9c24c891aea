// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Onnx.cpp - the onnx dialect ----------------------------------------===//

#include "onnx/Onnx.h"

using namespace mlir;
using namespace sparsam::onnx;

#include "onnx/OnnxDialect.cpp.inc"

void OnnxDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "onnx/OnnxOps.cpp.inc"
      >();
}

Operation *OnnxDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type,
                                            Location loc) {
  auto elements = dyn_cast<ElementsAttr>(value);
  if (!elements || elements.getType() != type)
    return nullptr;
  return ConstantOp::create(builder, loc, type, elements);
}

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }

LogicalResult GeluOp::verify() {
  if (getApproximate() == "none" || getApproximate() == "tanh")
    return success();
  return emitOpError() << "knows approximate = \"none\" and \"tanh\", got \"" << getApproximate()
                       << "\"";
}

std::optional<SmallVector<int64_t>> sparsam::onnx::getConstantIntegers(Value value) {
  DenseElementsAttr elements;
  if (!value || !matchPattern(value, m_Constant(&elements)) ||
      !elements.getElementType().isSignlessInteger())
    return std::nullopt;
  SmallVector<int64_t> integers;
  for (const APInt &element : elements.getValues<APInt>())
    integers.push_back(element.getSExtValue());
  return integers;
}

std::optional<double> sparsam::onnx::getConstantScalar(Value value) {
  DenseElementsAttr elements;
  if (!matchPattern(value, m_Constant(&elements)) || !elements.isSplat() ||
      !llvm::isa<FloatType>(elements.getElementType()))
    return std::nullopt;
  return elements.getSplatValue<APFloat>().convertToDouble();
}

bool sparsam::onnx::isNone(Value value) { return llvm::isa<NoneType>(value.getType()); }

//===-- Canonicalisation ---------------------------------------------------===//

/// Reshape of a reshape: the first shape does not matter.
LogicalResult ReshapeOp::canonicalize(ReshapeOp op, PatternRewriter &rewriter) {
  auto first = op.getData().getDefiningOp<ReshapeOp>();
  auto type = dyn_cast<RankedTensorType>(op.getType());
  if (!first || !type || !type.hasStaticShape())
    return failure();
  // The second shape is written out: a 0 in it meant a dimension of the first one.
  auto shapeType = RankedTensorType::get({type.getRank()}, rewriter.getI64Type());
  Value shape = ConstantOp::create(rewriter, op.getLoc(), shapeType,
                                   DenseElementsAttr::get(shapeType, type.getShape()));
  rewriter.replaceOpWithNewOp<ReshapeOp>(op, type, first.getData(), shape,
                                         rewriter.getI64IntegerAttr(1));
  return success();
}

/// The perm of a transpose, written out.
static SmallVector<int64_t> writeOutPerm(TransposeOp op, int64_t rank) {
  SmallVector<int64_t> perm;
  for (int64_t d = 0; d < rank; ++d)
    perm.push_back(op.getPerm() ? (*op.getPerm())[d] : rank - 1 - d);
  return perm;
}

/// Transposes that cancel, or join into one.
LogicalResult TransposeOp::canonicalize(TransposeOp op, PatternRewriter &rewriter) {
  auto type = dyn_cast<RankedTensorType>(op.getType());
  if (!type)
    return failure();
  SmallVector<int64_t> perm = writeOutPerm(op, type.getRank());
  Value source = op.getData();
  if (auto first = source.getDefiningOp<TransposeOp>()) {
    SmallVector<int64_t> inner = writeOutPerm(first, type.getRank());
    for (int64_t &d : perm)
      d = inner[d];
    source = first.getData();
  }
  if (llvm::equal(perm, llvm::seq<int64_t>(0, type.getRank())) && source.getType() == type) {
    rewriter.replaceOp(op, source);
    return success();
  }
  if (source == op.getData())
    return failure();
  rewriter.replaceOpWithNewOp<TransposeOp>(op, type, source, rewriter.getDenseI64ArrayAttr(perm));
  return success();
}
