// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Variants.cpp - one model at several lengths of its caches ----------===//

#include "Decode/Variants.h"

#include "onnx/Onnx.h"

#include "mlir/IR/DialectResourceBlobManager.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace sparsam {

/// Constants have no place of their own: which of them are shared differs from length to length.
static bool isConstant(Operation *op) {
  return op->hasTrait<OpTrait::ConstantLike>() || llvm::isa<onnx::NoneOp>(op);
}

static SmallVector<Operation *> listOps(func::FuncOp function) {
  SmallVector<Operation *> list;
  for (Operation &op : function.front())
    if (!isConstant(&op))
      list.push_back(&op);
  return list;
}

static ElementsAttr getConstant(Value value) {
  ElementsAttr constant;
  return matchPattern(value, m_Constant(&constant)) ? constant : ElementsAttr();
}

/// True if both hold the same elements. Weights are compared by the place they are mapped at.
static bool isEqual(ElementsAttr a, ElementsAttr b) {
  if (a == b)
    return true;
  auto first = dyn_cast<DenseResourceElementsAttr>(a),
       second = dyn_cast<DenseResourceElementsAttr>(b);
  if (!first || !second || first.getType() != second.getType())
    return false;
  const AsmResourceBlob *blobs[] = {first.getRawHandle().getBlob(),
                                    second.getRawHandle().getBlob()};
  return blobs[0] && blobs[1] && blobs[0]->getData().data() == blobs[1]->getData().data();
}

std::optional<Affine> Variants::fit(ArrayRef<int64_t> numbers) const {
  const int64_t distance = variants[1].past - variants[0].past;
  const int64_t rise = numbers[1] - numbers[0];
  if (rise % distance != 0)
    return std::nullopt;
  Affine line{rise / distance, 0};
  line.offset = numbers[0] - line.slope * variants[0].past;
  for (auto [variant, number] : llvm::zip(variants, numbers))
    if (line.slope * variant.past + line.offset != number)
      return std::nullopt;
  return line;
}

std::optional<Growth> Variants::getGrowth(Value value) const {
  auto it = growths.find(value);
  return it == growths.end() ? std::nullopt : std::optional(it->second);
}

//===-- Compare ------------------------------------------------------------===//

LogicalResult Variants::compareValues(ArrayRef<Value> all, Operation *op) {
  Value base = all.back();
  values[base].assign(all.begin(), all.end());
  auto refuse = [&](const Twine &reason) {
    InFlightDiagnostic error = op ? op->emitOpError() : emitError(base.getLoc());
    error << "cannot be compiled with a cache: " << reason;
    return error;
  };
  if (llvm::all_of(all, [&](Value value) { return value.getType() == base.getType(); }))
    return success();
  auto type = dyn_cast<RankedTensorType>(base.getType());
  for (Value value : all) {
    auto other = dyn_cast<RankedTensorType>(value.getType());
    if (!type || !other || other.getRank() != type.getRank() ||
        other.getElementType() != type.getElementType())
      return refuse("its type depends on the number of past tokens");
  }
  for (int64_t d = 0; d < type.getRank(); ++d) {
    SmallVector<int64_t> extents = llvm::map_to_vector(
        all, [&](Value value) { return cast<RankedTensorType>(value.getType()).getDimSize(d); });
    std::optional<Affine> line = fit(extents);
    if (line && line->slope == 0)
      continue;
    if (!line || line->slope != 1 || growths.count(base))
      return refuse("its shape must grow by one entry of one dimension with every past token, but "
                    "with " +
                    Twine(variants[0].past) + " and " + Twine(variants[1].past) +
                    " past tokens dimension " + Twine(d) + " is " + Twine(extents[0]) + " and " +
                    Twine(extents[1]));
    growths[base] = {unsigned(d), line->offset};
  }
  return success();
}

LogicalResult Variants::compareArguments() {
  for (unsigned i = 0; i < getBase().getNumArguments(); ++i) {
    SmallVector<Value> all;
    for (Variant &variant : variants)
      all.push_back(variant.function.getArgument(i));
    if (failed(compareValues(all, nullptr)))
      return failure();
  }
  return success();
}

LogicalResult Variants::compareOperands(ArrayRef<Operation *> all) {
  for (unsigned i = 0; i < all.back()->getNumOperands(); ++i) {
    Value base = all.back()->getOperand(i);
    auto known = values.find(base);
    for (auto [number, op] : llvm::enumerate(all)) {
      Value operand = op->getOperand(i);
      const bool isSame = known != values.end()
                              ? known->second[number] == operand
                              : operand.getDefiningOp() && isConstant(operand.getDefiningOp());
      if (!isSame)
        return all.back()->emitOpError()
               << "cannot be compiled with a cache: its operand " << i
               << " is computed in another way with " << variants[number].past
               << " past tokens than with " << variants.back().past;
    }
  }
  return success();
}

LogicalResult Variants::compareOps(ArrayRef<Operation *> all) {
  Operation *base = all.back();
  ops[base].assign(all.begin(), all.end());
  for (auto [variant, op] : llvm::zip(variants, all))
    if (op->getName() != base->getName() || op->getNumOperands() != base->getNumOperands() ||
        op->getNumResults() != base->getNumResults() ||
        op->getAttrDictionary() != base->getAttrDictionary())
      return base->emitOpError() << "cannot be compiled with a cache: with " << variant.past
                                 << " past tokens there is another " << op->getName()
                                 << " in its place";
  if (failed(compareOperands(all)))
    return failure();
  for (unsigned i = 0; i < base->getNumResults(); ++i) {
    SmallVector<Value> results =
        llvm::map_to_vector(all, [&](Operation *op) -> Value { return op->getResult(i); });
    if (failed(compareValues(results, base)))
      return failure();
  }
  return success();
}

LogicalResult Variants::compare() {
  if (failed(compareArguments()))
    return failure();
  SmallVector<SmallVector<Operation *>> lists;
  size_t count = SIZE_MAX;
  for (Variant &variant : variants) {
    lists.push_back(listOps(variant.function));
    count = std::min(count, lists.back().size());
  }
  for (size_t i = 0; i < count; ++i) {
    SmallVector<Operation *> all =
        llvm::map_to_vector(lists, [&](const SmallVector<Operation *> &list) { return list[i]; });
    if (failed(compareOps(all)))
      return failure();
  }
  return success();
}

//===-- Constants ----------------------------------------------------------===//

/// True if all hold one and the same element.
static bool isFilled(ArrayRef<ElementsAttr> constants) {
  Attribute element;
  for (ElementsAttr constant : constants) {
    auto dense = dyn_cast<DenseElementsAttr>(constant);
    if (!dense || !dense.isSplat())
      return false;
    Attribute filling = dense.getSplatValue<Attribute>();
    if (element && element != filling)
      return false;
    element = filling;
  }
  return true;
}

FailureOr<Variants::Kind> Variants::classify(OpOperand &operand,
                                             SmallVectorImpl<Affine> &affines) const {
  Operation *base = operand.getOwner();
  if (!getConstant(operand.get()))
    return Kind::value;
  SmallVector<ElementsAttr> constants;
  for (Operation *op : ops.find(base)->second)
    constants.push_back(getConstant(op->getOperand(operand.getOperandNumber())));
  ElementsAttr last = constants.back();
  if (llvm::all_of(constants, [&](ElementsAttr c) { return c && isEqual(c, last); }))
    return Kind::fixed;
  auto refuse = [&](const Twine &reason) {
    return base->emitOpError() << "cannot be compiled with a cache: its operand "
                               << operand.getOperandNumber() << " " << reason;
  };
  if (llvm::is_contained(constants, ElementsAttr()))
    return refuse("has no elements at some numbers of past tokens");
  if (llvm::any_of(constants, [&](ElementsAttr c) { return c.getType() != last.getType(); })) {
    if (isFilled(constants))
      return Kind::filled;
    return refuse("is a constant whose shape and elements depend on the number of past tokens");
  }
  if (!last.getElementType().isInteger(64))
    return refuse("is a constant of " + llvm::formatv("{0}", last.getElementType()).str() +
                  " that depends on the number of past tokens; only int64 may");
  SmallVector<SmallVector<int64_t>> elements;
  for (ElementsAttr constant : constants)
    elements.push_back(llvm::to_vector(cast<DenseElementsAttr>(constant).getValues<int64_t>()));
  for (size_t i = 0; i < elements.front().size(); ++i) {
    std::optional<Affine> line =
        fit(llvm::map_to_vector(elements, [&](const SmallVector<int64_t> &e) { return e[i]; }));
    if (!line)
      return refuse(
          "depends on the number of past tokens, but is no multiple of it plus a constant");
    affines.push_back(*line);
  }
  return Kind::counted;
}

} // namespace sparsam
