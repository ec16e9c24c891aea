// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- GraphImporter.cpp - ONNX nodes as onnx ops -------------------------===//

#include "GraphImporter.h"

#include "onnx/Onnx.h"

using namespace mlir;

namespace sparsam {

//===-- Values --------------------------------------------------------------===//

LogicalResult GraphImporter::addProducer(const std::string &name, const std::string &producer) {
  auto [it, inserted] = producers.try_emplace(name, producer);
  if (!inserted)
    return emitError(fileLoc) << "value '" << name << "' is defined twice: by " << it->second
                              << " and by " << producer;
  return success();
}

LogicalResult GraphImporter::collectNames() {
  for (const proto::TensorProto &initializer : graph.initializer()) {
    if (failed(addProducer(initializer.name(), "an initializer")))
      return failure();
    initializers[initializer.name()] = &initializer;
  }
  for (const proto::ValueInfoProto &input : graph.input())
    if (!initializers.contains(input.name()) && failed(addProducer(input.name(), "an input")))
      return failure();
  for (const proto::NodeProto &node : graph.node()) {
    for (const std::string &output : node.output())
      if (!output.empty() && failed(addProducer(output, getLabel(node))))
        return failure();
    for (const std::string &input : node.input())
      used.insert(input);
  }
  for (const proto::ValueInfoProto &output : graph.output())
    used.insert(output.name());
  return success();
}

Value GraphImporter::createConstant(ElementsAttr value, Location loc) {
  return onnx::ConstantOp::create(builder, loc, value.getType(), value);
}

Value GraphImporter::createNone() {
  if (!none) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(builder.getInsertionBlock());
    none = onnx::NoneOp::create(builder, fileLoc, builder.getNoneType());
  }
  return none;
}

FailureOr<Value> GraphImporter::getValue(const std::string &name, const std::string &user,
                                         Location loc) {
  if (auto it = values.find(name); it != values.end())
    return it->second;
  if (auto it = initializers.find(name); it != initializers.end()) {
    Location initializerLoc = NameLoc::get(builder.getStringAttr(name), fileLoc);
    FailureOr<ElementsAttr> value =
        tensors.read(*it->second, "initializer '" + name + "'", initializerLoc);
    if (failed(value))
      return failure();
    return values[name] = createConstant(*value, initializerLoc);
  }
  if (auto it = producers.find(name); it != producers.end())
    return emitError(loc) << user << " uses '" << name << "' before it is made by " << it->second
                          << "; the nodes of a graph must be sorted and have no cycle";
  return emitError(loc) << user << " uses '" << name
                        << "', which is no input, initializer or output of a node";
}

//===-- Nodes ---------------------------------------------------------------===//

LogicalResult GraphImporter::readOperands(Node &node) {
  for (const std::string &input : node.source.input()) {
    FailureOr<Value> value = input.empty() ? Value() : getValue(input, node.label, node.loc);
    if (failed(value))
      return failure();
    node.operands.push_back(*value);
  }
  while (!node.operands.empty() && !node.operands.back())
    node.operands.pop_back();
  return success();
}

/// Appends `none` for inputs that are missing, so that each op has the number of operands of its
/// definition.
LogicalResult GraphImporter::completeOperands(Node &node, RegisteredOperationName name) {
  std::optional<unsigned> count = getOperandCount(name);
  if (!count && node.operands.empty())
    return emitError(node.loc) << node.label << " has no inputs";
  if (count && node.operands.size() > *count)
    return emitError(node.loc) << node.label << " has " << node.operands.size()
                               << " inputs; at most " << *count << " are supported";
  if (count)
    node.operands.resize(*count);
  for (Value &operand : node.operands)
    if (!operand)
      operand = createNone();
  return success();
}

FailureOr<Operation *> GraphImporter::createOp(const Node &node, RegisteredOperationName name) {
  // Types that inference replaces.
  Type unknown = UnrankedTensorType::get(builder.getI1Type());
  size_t results = name.hasTrait<OpTrait::OneResult>() ? 1 : node.source.output_size();
  OperationState state(node.loc, name);
  state.addOperands(node.operands);
  state.addAttributes(node.attributes);
  state.addTypes(SmallVector<Type>(results, unknown));
  Operation *op = builder.create(state);
  for (NamedAttribute attribute : node.attributes)
    if (op->getInherentAttr(attribute.getName()) != attribute.getValue())
      return emitError(node.loc) << node.label << ": attribute '" << attribute.getName().getValue()
                                 << "' has the wrong type (it is " << attribute.getValue() << ")";
  if (failed(verifyOperandsAndAttributes(op, node.label)) ||
      failed(inferResultTypes(op, node.label)))
    return failure();
  return op;
}

LogicalResult GraphImporter::nameResults(const Node &node, ValueRange results) {
  for (auto [i, output] : llvm::enumerate(node.source.output())) {
    if (output.empty())
      continue;
    if (i < results.size())
      values[output] = results[i];
    else if (isUsed(output))
      return emitError(node.loc)
             << node.label << ": output " << i << " ('" << output
             << "') is used, but not supported; supported is only the first one";
  }
  return success();
}

LogicalResult GraphImporter::importNode(const proto::NodeProto &source) {
  StringRef locName =
      !source.name().empty() || source.output_size() == 0 ? source.name() : source.output(0);
  Location loc = NameLoc::get(builder.getStringAttr(locName), fileLoc);
  Node node{source, loc, getLabel(source), getOpName(source), {}, {}};
  if (failed(readOperands(node)))
    return failure();
  if (node.opName == "onnx.Constant")
    return importConstant(node);
  if (failed(readAttributes(node)) || failed(normalize(node)))
    return failure();
  auto name = *RegisteredOperationName::lookup(node.opName, builder.getContext());
  for (NamedAttribute attribute : node.attributes)
    if (!llvm::is_contained(name.getAttributeNames(), attribute.getName()))
      return emitError(node.loc) << node.label << ": attribute '" << attribute.getName().getValue()
                                 << "' is not supported";
  if (failed(completeOperands(node, name)))
    return failure();
  FailureOr<Operation *> op = createOp(node, name);
  if (failed(op))
    return failure();
  return nameResults(node, (*op)->getResults());
}

//===-- Graph ---------------------------------------------------------------===//

LogicalResult GraphImporter::importOutputs(func::FuncOp function) {
  SmallVector<Value> results;
  for (const proto::ValueInfoProto &output : graph.output()) {
    FailureOr<Value> value = getValue(output.name(), "the list of outputs", fileLoc);
    if (failed(value))
      return failure();
    results.push_back(*value);
  }
  func::ReturnOp::create(builder, fileLoc, results);
  function.setFunctionType(
      builder.getFunctionType(function.getArgumentTypes(), ValueRange(results).getTypes()));
  for (auto [i, output] : llvm::enumerate(graph.output()))
    function.setResultAttr(i, onnx::kNameAttr, builder.getStringAttr(output.name()));
  return success();
}

LogicalResult GraphImporter::run(ArrayRef<GraphInput> inputs, ModuleOp module) {
  if (failed(collectNames()))
    return failure();
  SmallVector<Type> types =
      llvm::map_to_vector(inputs, [](const GraphInput &input) -> Type { return input.type; });
  builder.setInsertionPointToEnd(module.getBody());
  auto function =
      func::FuncOp::create(builder, fileLoc, "main", builder.getFunctionType(types, {}));
  builder.setInsertionPointToEnd(function.addEntryBlock());
  for (auto [i, input] : llvm::enumerate(inputs)) {
    function.setArgAttr(i, onnx::kNameAttr, builder.getStringAttr(input.name));
    values[input.name] = function.getArgument(i);
  }
  for (const proto::NodeProto &node : graph.node())
    if (failed(importNode(node)))
      return failure();
  return importOutputs(function);
}

} // namespace sparsam
