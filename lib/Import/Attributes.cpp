// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Attributes.cpp - attributes of nodes, and Constant nodes -----------===//

#include "GraphImporter.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace sparsam {

/// The type of an attribute; old files do not say it.
static proto::AttributeProto::AttributeType getType(const proto::AttributeProto &attribute) {
  if (attribute.type() != proto::AttributeProto::UNDEFINED)
    return attribute.type();
  if (attribute.has_i())
    return proto::AttributeProto::INT;
  if (attribute.has_f())
    return proto::AttributeProto::FLOAT;
  if (attribute.has_s())
    return proto::AttributeProto::STRING;
  if (attribute.has_t())
    return proto::AttributeProto::TENSOR;
  if (attribute.floats_size())
    return proto::AttributeProto::FLOATS;
  return attribute.ints_size() ? proto::AttributeProto::INTS : proto::AttributeProto::UNDEFINED;
}

FailureOr<Attribute> GraphImporter::readAttribute(const proto::AttributeProto &attribute,
                                                  const Node &node) {
  std::string what = "attribute '" + attribute.name() + "' of " + node.label;
  if (!attribute.ref_attr_name().empty())
    return emitError(node.loc) << what << " refers to a parameter of a function, but is not in one";
  switch (getType(attribute)) {
  case proto::AttributeProto::INT:
    return Attribute(builder.getI64IntegerAttr(attribute.i()));
  case proto::AttributeProto::FLOAT:
    return Attribute(builder.getF32FloatAttr(attribute.f()));
  case proto::AttributeProto::STRING:
    return Attribute(builder.getStringAttr(attribute.s()));
  case proto::AttributeProto::INTS:
    return Attribute(
        builder.getDenseI64ArrayAttr(ArrayRef(attribute.ints().data(), attribute.ints_size())));
  case proto::AttributeProto::FLOATS:
    return Attribute(
        builder.getDenseF32ArrayAttr(ArrayRef(attribute.floats().data(), attribute.floats_size())));
  case proto::AttributeProto::TENSOR: {
    FailureOr<ElementsAttr> value = tensors.read(attribute.t(), what, node.loc);
    if (failed(value))
      return failure();
    return Attribute(*value);
  }
  default:
    return emitError(node.loc)
           << what
           << " is not an integer, a float, a string, a tensor or a list of integers or floats, "
              "which are the supported types";
  }
}

LogicalResult GraphImporter::readAttributes(Node &node) {
  for (const proto::AttributeProto &attribute : node.source.attribute()) {
    FailureOr<Attribute> value = readAttribute(attribute, node);
    if (failed(value))
      return failure();
    if (attribute.name().empty())
      return emitError(node.loc) << node.label << " has an attribute without name";
    if (node.attributes.set(attribute.name(), *value))
      return emitError(node.loc) << node.label << " has attribute '" << attribute.name()
                                 << "' twice";
  }
  return success();
}

/// The tensor that an attribute of a Constant node stands for; null if it cannot stand for one.
static ElementsAttr getConstantValue(StringRef name, Attribute value) {
  if (name == "value")
    return dyn_cast<ElementsAttr>(value);
  if (auto integer = dyn_cast<IntegerAttr>(value); integer && name == "value_int")
    return DenseElementsAttr::get(RankedTensorType::get({}, integer.getType()), {value});
  if (auto number = dyn_cast<FloatAttr>(value); number && name == "value_float")
    return DenseElementsAttr::get(RankedTensorType::get({}, number.getType()), {value});
  if (auto array = dyn_cast<DenseArrayAttr>(value)) {
    auto type = RankedTensorType::get({array.getSize()}, array.getElementType());
    if (auto integers = dyn_cast<DenseI64ArrayAttr>(array); integers && name == "value_ints")
      return DenseElementsAttr::get(type, integers.asArrayRef());
    if (auto floats = dyn_cast<DenseF32ArrayAttr>(array); floats && name == "value_floats")
      return DenseElementsAttr::get(type, floats.asArrayRef());
  }
  return {};
}

LogicalResult GraphImporter::importConstant(const Node &node) {
  if (node.source.attribute_size() != 1 || !node.operands.empty() || node.source.output_size() != 1)
    return emitError(node.loc) << node.label << " has " << node.source.attribute_size()
                               << " attributes, " << node.operands.size() << " inputs and "
                               << node.source.output_size()
                               << " outputs; a constant has one attribute, no input and one output";
  const proto::AttributeProto &attribute = node.source.attribute(0);
  static constexpr StringRef names[] = {"value", "value_int", "value_ints", "value_float",
                                        "value_floats"};
  if (!llvm::is_contained(names, attribute.name()))
    return emitError(node.loc) << node.label << ": attribute '" << attribute.name()
                               << "' is not supported; supported are "
                               << llvm::join(ArrayRef(names), ", ");
  FailureOr<Attribute> value = readAttribute(attribute, node);
  if (failed(value))
    return failure();
  ElementsAttr constant = getConstantValue(attribute.name(), *value);
  if (!constant)
    return emitError(node.loc) << node.label << ": attribute '" << attribute.name()
                               << "' has the wrong type (it is " << *value << ")";
  return nameResults(node, createConstant(constant, node.loc));
}

} // namespace sparsam
