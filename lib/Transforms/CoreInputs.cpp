// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CoreInputs.cpp - attention cores over gathered heads and tokens ----===//

#include "Transforms/CoreInputs.h"

#include "onnx/Onnx.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace sparsam {

constexpr int64_t kHeadAxis = 1, kTokenAxis = 2;

static RankedTensorType withSize(Type type, int64_t axis, int64_t size) {
  auto tensor = cast<RankedTensorType>(type);
  SmallVector<int64_t> shape(tensor.getShape());
  shape[size_t(axis)] = size;
  return tensor.clone(shape);
}

Value gatherAlong(OpBuilder &builder, Location loc, Value tensor, int64_t axis,
                  ArrayRef<int64_t> indices) {
  auto type = RankedTensorType::get({int64_t(indices.size())}, builder.getI64Type());
  Value numbers = arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(type, indices));
  return onnx::GatherOp::create(builder, loc, withSize(tensor.getType(), axis, indices.size()),
                                tensor, numbers, axis);
}

//===-- Heads --------------------------------------------------------------===//

Value pickHeads(OpBuilder &builder, Location loc, Value tensor, ArrayRef<int64_t> group) {
  const bool isShared = cast<RankedTensorType>(tensor.getType()).getDimSize(kHeadAxis) == 1;
  return isShared ? tensor : gatherAlong(builder, loc, tensor, kHeadAxis, group);
}

/// The outputs of the groups, side by side in the order of the heads.
static Value joinHeads(OpBuilder &builder, sattn::AttentionOp core, ArrayRef<Value> outputs,
                       ArrayRef<SmallVector<int64_t>> groups) {
  Value joined = onnx::ConcatOp::create(builder, core.getLoc(), core.getOutput().getType(), outputs,
                                        kHeadAxis);
  SmallVector<int64_t> order;
  for (ArrayRef<int64_t> group : groups)
    order.append(group.begin(), group.end());
  if (llvm::is_sorted(order))
    return joined;
  SmallVector<int64_t> places(order.size());
  for (auto [place, head] : llvm::enumerate(order))
    places[size_t(head)] = int64_t(place);
  return gatherAlong(builder, core.getLoc(), joined, kHeadAxis, places);
}

static void nameAfter(sattn::AttentionOp core, size_t number, sattn::AttentionOp part) {
  auto name = dyn_cast_if_present<StringAttr>(core->getDiscardableAttr(sattn::kNameAttr));
  if (!name)
    return;
  Builder builder(core);
  part->setDiscardableAttr(kCoreAttr, name);
  part->setDiscardableAttr(sattn::kNameAttr,
                           builder.getStringAttr(name.getValue() + "_" + Twine(number)));
}

SmallVector<sattn::AttentionOp> splitHeads(sattn::AttentionOp core,
                                           ArrayRef<SmallVector<int64_t>> groups) {
  OpBuilder builder(core);
  Location loc = core.getLoc();
  SmallVector<sattn::AttentionOp> parts;
  SmallVector<Value> outputs;
  for (auto [number, group] : llvm::enumerate(groups)) {
    IRMapping mapping;
    for (Value operand : {core.getQuery(), core.getKey(), core.getValue()})
      if (!mapping.contains(operand))
        mapping.map(operand, pickHeads(builder, loc, operand, group));
    auto part = cast<sattn::AttentionOp>(builder.clone(*core, mapping));
    part.getOutput().setType(withSize(core.getOutput().getType(), kHeadAxis, group.size()));
    nameAfter(core, number, part);
    parts.push_back(part);
    outputs.push_back(part.getOutput());
  }
  core.getOutput().replaceAllUsesWith(joinHeads(builder, core, outputs, groups));
  core->erase();
  return parts;
}

//===-- Rows of tokens -----------------------------------------------------===//

SmallVector<int64_t> padRows(int64_t tokens, int64_t length, int64_t padding) {
  SmallVector<int64_t> padded;
  for (int64_t row = 0; row < tokens; row += length)
    for (int64_t i = 0; i < length + padding; ++i)
      padded.push_back(row + std::min(i, length - 1));
  return padded;
}

void padRows(sattn::AttentionOp core, int64_t length, int64_t padding) {
  OpBuilder builder(core);
  Type type = core.getOutput().getType();
  const SmallVector<int64_t> tokens =
      padRows(core.getQuery().getType().getDimSize(kTokenAxis), length, padding);
  for (OpOperand *operand :
       {&core.getQueryMutable(), &core.getKeyMutable(), &core.getValueMutable()})
    operand->set(gatherAlong(builder, core.getLoc(), operand->get(), kTokenAxis, tokens));
  core.getOutput().setType(withSize(type, kTokenAxis, tokens.size()));
  SmallVector<int64_t> places; // of those that are no padding
  for (int64_t place = 0; place < int64_t(tokens.size()); ++place)
    if (place % (length + padding) < length)
      places.push_back(place);
  builder.setInsertionPointAfter(core);
  Value output = gatherAlong(builder, core.getLoc(), core.getOutput(), kTokenAxis, places);
  core.getOutput().replaceAllUsesExcept(output, output.getDefiningOp());
}

} // namespace sparsam
