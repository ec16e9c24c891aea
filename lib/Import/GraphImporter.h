// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- GraphImporter.h - ONNX nodes as onnx ops ---------------------------===//
#ifndef SPARSAM_LIB_IMPORT_GRAPHIMPORTER_H
#define SPARSAM_LIB_IMPORT_GRAPHIMPORTER_H

#include "Inputs.h"
#include "Model.h"
#include "Tensors.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

namespace sparsam {

/// A node on its way to an op: what differs between opsets and domains is brought into the form of
/// our dialect.
struct Node {
  const proto::NodeProto &source;
  mlir::Location loc;
  /// "node 'x' (MatMul)", for messages.
  std::string label;
  /// The full name of the op, such as "onnx.MatMul".
  std::string opName;
  /// Inputs; null where an optional one is missing.
  llvm::SmallVector<mlir::Value> operands;
  mlir::NamedAttrList attributes;
};

/// Builds the function of a graph. Initializers become constants where they are first used.
class GraphImporter {
public:
  GraphImporter(const Model &model, TensorReader &tensors, mlir::Location fileLoc)
      : model(model), graph(model.proto.graph()), tensors(tensors), fileLoc(fileLoc),
        builder(fileLoc.getContext()) {}

  /// Appends `@main` with these inputs to `module`.
  mlir::LogicalResult run(llvm::ArrayRef<GraphInput> inputs, mlir::ModuleOp module);

private:
  // Values.
  mlir::LogicalResult collectNames();
  mlir::FailureOr<mlir::Value> getValue(const std::string &name, const std::string &user,
                                        mlir::Location loc);
  mlir::Value createConstant(mlir::ElementsAttr value, mlir::Location loc);
  mlir::Value createNone();

  // Nodes.
  mlir::LogicalResult importNode(const proto::NodeProto &source);
  mlir::LogicalResult importConstant(const Node &node);
  mlir::LogicalResult readOperands(Node &node);
  mlir::LogicalResult readAttributes(Node &node);
  mlir::FailureOr<mlir::Attribute> readAttribute(const proto::AttributeProto &attribute,
                                                 const Node &node);
  mlir::LogicalResult completeOperands(Node &node, mlir::RegisteredOperationName name);
  mlir::FailureOr<mlir::Operation *> createOp(const Node &node, mlir::RegisteredOperationName name);
  mlir::LogicalResult nameResults(const Node &node, mlir::ValueRange results);
  bool isUsed(const std::string &output) const { return used.contains(output); }

  // Forms of older opsets and other domains (Forms.cpp).
  mlir::LogicalResult normalize(Node &node);
  mlir::LogicalResult normalizeAttributes(Node &node);
  mlir::LogicalResult normalizeDropout(Node &node);
  mlir::LogicalResult normalizeGelu(Node &node);
  mlir::LogicalResult normalizeAttention(Node &node);
  mlir::LogicalResult checkMultiHeadAttention(const Node &node);
  mlir::Value createBinary(llvm::StringRef opName, mlir::Value left, mlir::Value right,
                           mlir::Location loc);

  mlir::LogicalResult importOutputs(mlir::func::FuncOp function);
  mlir::LogicalResult addProducer(const std::string &name, const std::string &producer);

  const Model &model;
  const proto::GraphProto &graph;
  TensorReader &tensors;
  mlir::Location fileLoc;
  mlir::OpBuilder builder;

  llvm::StringMap<mlir::Value> values;
  llvm::StringMap<const proto::TensorProto *> initializers;
  /// The node that makes a value, and the names that a node or the graph reads.
  llvm::StringMap<std::string> producers;
  llvm::StringSet<> used;
  mlir::Value none;
};

/// Checks operands and attributes by the definition of the op, but not its result types. Errors
/// start with `label`.
mlir::LogicalResult verifyOperandsAndAttributes(mlir::Operation *op, llvm::StringRef label);

/// Gives the op the result types that follow from its operands. Errors start with `label`.
mlir::LogicalResult inferResultTypes(mlir::Operation *op, llvm::StringRef label);

/// Refuses, all at once, nodes that would compute in a type that the runtime does not.
mlir::LogicalResult checkElementTypes(mlir::ModuleOp module);

/// How many operands an op has by its definition; nothing if their number varies.
std::optional<unsigned> getOperandCount(mlir::RegisteredOperationName name);

} // namespace sparsam

#endif // SPARSAM_LIB_IMPORT_GRAPHIMPORTER_H
