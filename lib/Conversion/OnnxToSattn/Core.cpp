// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Core.cpp - building attention --------------------------------------===//

#include "Conversion/OnnxToSattn/Core.h"

using namespace mlir;

namespace sparsam {

ArrayRef<int64_t> shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

Value OnnxBuilder::integers(ArrayRef<int64_t> values) {
  auto type = RankedTensorType::get({int64_t(values.size())}, builder.getI64Type());
  return onnx::ConstantOp::create(builder, loc, type, DenseElementsAttr::get(type, values));
}

Value OnnxBuilder::real(float value) {
  auto type = RankedTensorType::get({}, builder.getF32Type());
  return onnx::ConstantOp::create(builder, loc, type, DenseElementsAttr::get(type, value));
}

Value OnnxBuilder::none() {
  return onnx::NoneOp::create(builder, loc, NoneType::get(builder.getContext()));
}

Value OnnxBuilder::reshape(Value value, ArrayRef<int64_t> shape) {
  if (shapeOf(value) == shape)
    return value;
  return make<onnx::ReshapeOp>(value, integers(shape), builder.getI64IntegerAttr(1));
}

Value OnnxBuilder::transpose(Value value, ArrayRef<int64_t> perm) {
  return make<onnx::TransposeOp>(value, builder.getDenseI64ArrayAttr(perm));
}

Value OnnxBuilder::finish(Operation *op) {
  // Built from operands that were checked: the rule cannot fail on them.
  (void)cast<onnx::ShapeInference>(op).inferShapes();
  SmallVector<Value> results;
  if (failed(builder.tryFold(op, results)) || results.empty())
    return op->getResult(0);
  op->erase();
  return results.front();
}

Value OnnxBuilder::attention(const Core &core, StringRef name) {
  SmallVector<int64_t> shape(shapeOf(core.query));
  shape[3] = shapeOf(core.value)[3];
  auto op = sattn::AttentionOp::create(
      builder, loc, RankedTensorType::get(shape, builder.getF32Type()), core.query, core.key,
      core.value, core.mask, builder.getF32FloatAttr(float(core.scale)),
      core.causal ? builder.getUnitAttr() : UnitAttr(),
      sattn::DenseAttr::get(builder.getContext()));
  op->setDiscardableAttr(sattn::kNameAttr, builder.getStringAttr(name));
  return op.getOutput();
}

void recogniseCausal(Core &core) {
  DenseElementsAttr mask;
  if (!core.mask || !matchPattern(core.mask, m_Constant(&mask)))
    return;
  if (mask.isSplat() && mask.getSplatValue<float>() == 0.0f)
    core.mask = Value(); // hides nothing
  if (mask.isSplat())
    return;
  ArrayRef<int64_t> shape = shapeOf(core.mask);
  const int64_t queries = shapeOf(core.query)[2], keys = shapeOf(core.key)[2];
  if (shape[0] != 1 || shape[1] != 1 || shape[2] != queries || shape[3] != keys)
    return;
  // exp of this is 0 for whatever score it is added to.
  constexpr float kHidden = -1e4f;
  auto values = mask.getValues<float>();
  for (int64_t i = 0; i < queries; ++i)
    for (int64_t j = 0; j < keys; ++j) {
      float value = values[i * keys + j];
      if (j <= i + keys - queries ? value != 0.0f : !(value <= kHidden))
        return;
    }
  core.mask = Value();
  core.causal = true;
}

} // namespace sparsam
