// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SplitHeads.cpp - one attention core as several, by heads -----------===//

#include "Transforms/SplitHeads.h"

#include "onnx/Onnx.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace sparsam {

constexpr int64_t kHeadAxis = 1;

static RankedTensorType withHeads(Type type, int64_t heads) {
  auto tensor = cast<RankedTensorType>(type);
  SmallVector<int64_t> shape(tensor.getShape());
  shape[kHeadAxis] = heads;
  return tensor.clone(shape);
}

static Value gatherHeads(OpBuilder &builder, Location loc, Value tensor, ArrayRef<int64_t> heads) {
  auto indices = RankedTensorType::get({int64_t(heads.size())}, builder.getI64Type());
  Value numbers = arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(indices, heads));
  return onnx::GatherOp::create(builder, loc, withHeads(tensor.getType(), heads.size()), tensor,
                                numbers, kHeadAxis);
}

Value pickHeads(OpBuilder &builder, Location loc, Value tensor, ArrayRef<int64_t> group) {
  const bool isShared = cast<RankedTensorType>(tensor.getType()).getDimSize(kHeadAxis) == 1;
  return isShared ? tensor : gatherHeads(builder, loc, tensor, group);
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
  return gatherHeads(builder, core.getLoc(), joined, places);
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
    part.getOutput().setType(withHeads(core.getOutput().getType(), group.size()));
    nameAfter(core, number, part);
    parts.push_back(part);
    outputs.push_back(part.getOutput());
  }
  core.getOutput().replaceAllUsesWith(joinHeads(builder, core, outputs, groups));
  core->erase();
  return parts;
}

} // namespace sparsam
