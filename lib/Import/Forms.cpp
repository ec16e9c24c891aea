// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Forms.cpp - operators of older opsets and other domains ------------===//
//
// The dialect has one form of each operator, that of recent opsets. Here the other forms become
// this one.

#include "GraphImporter.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace sparsam {

namespace {

/// An attribute that became an operand: until `lastOpset` it is an attribute.
struct AttributeToOperand {
  StringRef opName, attribute;
  unsigned operand;
  int64_t lastOpset;
};
constexpr AttributeToOperand attributesToOperands[] = {
    {"onnx.ReduceMax", "axes", 1, 17},       {"onnx.ReduceMin", "axes", 1, 17},
    {"onnx.ReduceMean", "axes", 1, 17},      {"onnx.ReduceProd", "axes", 1, 17},
    {"onnx.ReduceSumSquare", "axes", 1, 17}, {"onnx.ReduceL1", "axes", 1, 17},
    {"onnx.ReduceL2", "axes", 1, 17},        {"onnx.ReduceLogSum", "axes", 1, 17},
    {"onnx.ReduceLogSumExp", "axes", 1, 17},
};

/// An attribute without effect on what we compute, or only if it has another value than `harmless`.
struct IgnoredAttribute {
  StringRef opName, attribute;
  std::optional<int64_t> harmless;
};
constexpr IgnoredAttribute ignoredAttributes[] = {
    {"onnx.Cast", "saturate", std::nullopt},     // about 8-bit floats, which are not supported
    {"onnx.Cast", "round_mode", std::nullopt},   // the same
    {"onnx.CastLike", "saturate", std::nullopt}, // the same
    {"onnx.CastLike", "round_mode", std::nullopt},
    {"onnx.LayerNormalization", "stash_type", 1}, // moments in float
    {"onnx.Dropout", "seed", std::nullopt},       // about training
    {"onnx.MSAttention", "do_rotary", 0},
    {"onnx.MSAttention", "past_present_share_buffer", 0},
};

} // namespace

LogicalResult GraphImporter::normalizeAttributes(Node &node) {
  for (const IgnoredAttribute &ignored : ignoredAttributes) {
    Attribute value =
        node.opName == ignored.opName ? node.attributes.get(ignored.attribute) : Attribute();
    auto integer = dyn_cast_if_present<IntegerAttr>(value);
    if (value && (!ignored.harmless || (integer && integer.getInt() == *ignored.harmless)))
      node.attributes.erase(ignored.attribute);
  }
  for (const AttributeToOperand &form : attributesToOperands) {
    if (node.opName != form.opName || model.getOpset("") > form.lastOpset)
      continue;
    if (node.operands.size() > form.operand)
      return emitError(node.loc) << node.label << " has " << node.operands.size()
                                 << " inputs; until opset " << form.lastOpset << " '"
                                 << form.attribute << "' is an attribute";
    Attribute value = node.attributes.get(form.attribute);
    auto integers = dyn_cast_if_present<DenseI64ArrayAttr>(value);
    if (value && !integers)
      return emitError(node.loc) << node.label << ": attribute '" << form.attribute
                                 << "' has the wrong type (it is " << value << ")";
    if (!integers)
      continue;
    node.attributes.erase(form.attribute);
    auto type = RankedTensorType::get({integers.getSize()}, builder.getI64Type());
    node.operands.resize(form.operand);
    node.operands.push_back(
        createConstant(DenseElementsAttr::get(type, integers.asArrayRef()), node.loc));
  }
  return success();
}

/// In inference dropout does nothing, whatever its ratio.
LogicalResult GraphImporter::normalizeDropout(Node &node) {
  DenseElementsAttr training;
  if (node.operands.size() > 2 && node.operands[2] &&
      !(matchPattern(node.operands[2], m_Constant(&training)) &&
        training.getElementType().isInteger(1) && training.isSplat() &&
        !training.getSplatValue<bool>()))
    return emitError(node.loc) << node.label << " may be in training mode, which is not supported";
  node.operands.truncate(std::min<size_t>(node.operands.size(), 1));
  return success();
}

Value GraphImporter::createBinary(StringRef opName, Value left, Value right, Location loc) {
  OperationState state(loc, opName);
  state.addOperands({left, right});
  state.addTypes(UnrankedTensorType::get(builder.getI1Type()));
  Operation *op = builder.create(state);
  if (failed(verifyOperandsAndAttributes(op, opName)) || failed(inferResultTypes(op, opName)))
    return {};
  return op->getResult(0);
}

/// FastGelu and BiasGelu of com.microsoft add a bias first.
LogicalResult GraphImporter::normalizeGelu(Node &node) {
  StringRef type = node.source.op_type();
  if (type == "FastGelu")
    node.attributes.set("approximate", builder.getStringAttr("tanh"));
  if (type == "Gelu" || node.operands.size() != 2 || !node.operands[0])
    return success();
  Value sum = createBinary("onnx.Add", node.operands[0], node.operands[1], node.loc);
  node.operands.assign({sum});
  return success(sum);
}

/// Attention of com.microsoft has past keys and values in front of the bias of its scores, and may
/// name the sizes of Q, K and V, which are equal unless it does.
LogicalResult GraphImporter::normalizeAttention(Node &node) {
  constexpr const char *kSizes = "qkv_hidden_sizes";
  if (auto sizes = dyn_cast_if_present<DenseI64ArrayAttr>(node.attributes.get(kSizes))) {
    if (!llvm::all_equal(sizes.asArrayRef()))
      return emitError(node.loc) << node.label << " has Q, K and V of different sizes (" << kSizes
                                 << " = " << sizes.asArrayRef() << "), which is not supported";
    node.attributes.erase(kSizes);
  }
  constexpr size_t kPast = 4;
  if (node.operands.size() <= kPast)
    return success();
  if (node.operands[kPast])
    return emitError(node.loc) << node.label << " has past keys and values ('"
                               << node.source.input(kPast) << "'), which are not supported";
  node.operands.erase(node.operands.begin() + kPast);
  return success();
}

/// MultiHeadAttention of com.microsoft takes Q, K and V in several forms.
LogicalResult GraphImporter::checkMultiHeadAttention(const Node &node) {
  auto has = [&](size_t i) { return i < node.operands.size() && node.operands[i]; };
  auto refuse = [&](const Twine &what, int input) {
    return emitError(node.loc) << node.label << " has " << what << " ('" << node.source.input(input)
                               << "'), which is not supported; query, key and value are three "
                                  "tensors [batch, tokens, hidden]";
  };
  constexpr int kQuery = 0, kKey = 1, kValue = 2, kPastKey = 6, kPastValue = 7;
  if (has(kQuery) && !has(kKey))
    return refuse("Q, K and V packed in `query`", kQuery);
  if (has(kKey) && !has(kValue))
    return refuse("K and V packed in `key`", kKey);
  for (auto [input, name] : {std::pair(kKey, "key"), {kValue, "value"}})
    if (has(input))
      if (auto type = dyn_cast<RankedTensorType>(node.operands[input].getType());
          type && type.getRank() == 4)
        return refuse(Twine("a `") + name + "` [batch, heads, tokens, size]", input);
  for (auto [input, name] : {std::pair(kPastKey, "past_key"), {kPastValue, "past_value"}})
    if (has(input))
      return refuse(Twine("a `") + name + "`", input);
  return success();
}

LogicalResult GraphImporter::normalize(Node &node) {
  if (failed(normalizeAttributes(node)))
    return failure();
  if (node.opName == "onnx.MSAttention")
    return normalizeAttention(node);
  if (node.opName == "onnx.MSMultiHeadAttention")
    return checkMultiHeadAttention(node);
  if (node.opName == "onnx.Dropout")
    return normalizeDropout(node);
  if (node.opName == "onnx.Gelu" && !getDomain(node.source).empty())
    return normalizeGelu(node);
  // Min and Max take any number of inputs; the ops take two.
  if ((node.opName == "onnx.Min" || node.opName == "onnx.Max") &&
      llvm::all_of(node.operands, [](Value v) { return v; })) {
    for (; node.operands.size() > 2; node.operands.pop_back()) {
      node.operands[0] =
          createBinary(node.opName, node.operands[0], node.operands.back(), node.loc);
      if (!node.operands[0])
        return failure();
    }
    if (node.operands.size() == 1)
      node.opName = "onnx.Identity";
  }
  return success();
}

} // namespace sparsam
