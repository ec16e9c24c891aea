// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Model.cpp - a model file, parsed and checked -----------------------===//

#include "Model.h"
#include "WireFormat.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/OperationSupport.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"

#include <set>

using namespace mlir;

namespace sparsam {

/// Older opsets have other forms of many operators; nobody exports them any more.
constexpr int64_t minOpset = 13;
/// Protobuf's limit for one message.
constexpr uint64_t maxFileBytes = (uint64_t(1) << 31) - 1;
constexpr size_t maxListedNodes = 20;
constexpr const char *microsoftDomain = "com.microsoft";

//===-- Names ---------------------------------------------------------------===//

static std::string normalizeDomain(const std::string &domain) {
  return domain == "ai.onnx" ? "" : domain;
}

std::string getDomain(const proto::NodeProto &node) { return normalizeDomain(node.domain()); }

std::string getLabel(const proto::NodeProto &node) {
  std::string name = "node";
  if (!node.name().empty())
    name += " '" + node.name() + "'";
  else if (node.output_size() > 0)
    name += " that makes '" + node.output(0) + "'";
  return name + " (" + node.op_type() + ")";
}

std::string getOpName(const proto::NodeProto &node) {
  StringRef type = node.op_type();
  std::string domain = getDomain(node);
  // Ops of the dialect that stand for operators of other domains, or for none, have no such name in
  // ai.onnx.
  if (domain.empty())
    return type == "None" || type.starts_with("MS") ? "" : "onnx." + type.str();
  if (domain != microsoftDomain)
    return "";
  return llvm::StringSwitch<const char *>(type)
      .Case("Attention", "onnx.MSAttention")
      .Case("MultiHeadAttention", "onnx.MSMultiHeadAttention")
      .Cases({"Gelu", "BiasGelu", "FastGelu"}, "onnx.Gelu")
      .Case("LayerNormalization", "onnx.LayerNormalization")
      .Default("");
}

//===-- Checks --------------------------------------------------------------===//

static LogicalResult readOpsets(Model &model, Location loc) {
  for (const proto::OperatorSetIdProto &opset : model.proto.opset_import()) {
    int64_t &version = model.opsets[normalizeDomain(opset.domain())];
    version = std::max(version, opset.version());
  }
  if (!model.opsets.count(""))
    return emitError(loc) << "the model does not say which opset of ai.onnx it uses";
  if (model.getOpset("") < minOpset)
    return emitError(loc)
           << "the model uses opset " << model.getOpset("") << ", but opset " << minOpset
           << " or later is needed; convert it with onnx.version_converter or export it again";
  return success();
}

/// "Foo (domain ai.onnx, opset 17)"
static std::string describeOperator(const Model &model, const proto::NodeProto &node) {
  std::string domain = getDomain(node);
  bool local = llvm::any_of(model.proto.functions(), [&](const proto::FunctionProto &function) {
    return function.name() == node.op_type() && normalizeDomain(function.domain()) == domain;
  });
  return node.op_type() + " (" + (local ? "function of the model, " : "") + "domain " +
         (domain.empty() ? "ai.onnx" : domain) + ", opset " +
         std::to_string(model.getOpset(domain)) + ")";
}

static std::string listSupportedOperators(MLIRContext *context) {
  std::set<std::string> names;
  for (RegisteredOperationName name : context->getRegisteredOperations())
    if (name.getDialectNamespace() == "onnx" && name.stripDialect() != "None" &&
        !name.stripDialect().starts_with("MS"))
      names.insert(name.stripDialect().str());
  return llvm::join(names, ", ") + "; of com.microsoft: Attention, BiasGelu, FastGelu, Gelu, "
                                   "LayerNormalization, MultiHeadAttention";
}

static LogicalResult checkOperators(const Model &model, Location loc) {
  MLIRContext *context = loc.getContext();
  std::vector<const proto::NodeProto *> unsupported;
  for (const proto::NodeProto &node : model.proto.graph().node())
    if (!RegisteredOperationName::lookup(getOpName(node), context))
      unsupported.push_back(&node);
  if (unsupported.empty())
    return success();
  InFlightDiagnostic error = emitError(loc);
  error << "the model has " << unsupported.size() << (unsupported.size() == 1 ? " node" : " nodes")
        << " whose operator is not supported:";
  for (const proto::NodeProto *node : ArrayRef(unsupported).take_front(maxListedNodes))
    error << "\n  node '"
          << (node->name().empty() && node->output_size() ? node->output(0) : node->name())
          << "': " << describeOperator(model, *node);
  if (unsupported.size() > maxListedNodes)
    error << "\n  and " << unsupported.size() - maxListedNodes << " more";
  error.attachNote() << "supported operators of ai.onnx: " << listSupportedOperators(context);
  return error;
}

static LogicalResult checkGraph(const Model &model, Location loc) {
  if (!model.proto.has_graph())
    return emitError(loc)
           << "the model has no graph; the file may be truncated or not be an ONNX model";
  if (model.proto.graph().output_size() == 0)
    return emitError(loc) << "the graph of the model is empty: it has no outputs";
  if (model.proto.graph().sparse_initializer_size() != 0)
    return emitError(loc) << "the model has sparse initializers (such as '"
                          << model.proto.graph().sparse_initializer(0).values().name()
                          << "'), which are not supported; store them as dense ones";
  return success();
}

FailureOr<std::unique_ptr<Model>> loadModel(const std::string &path, Location fileLoc) {
  auto file = MappedFile::open(path);
  if (!file)
    return emitError(fileLoc) << "cannot be read: " << llvm::toString(file.takeError());
  ArrayRef<char> bytes = (*file)->bytes();
  if (bytes.empty())
    return emitError(fileLoc) << "the file is empty";
  if (bytes.size() > maxFileBytes)
    return emitError(fileLoc) << "the file has " << bytes.size()
                              << " bytes; an ONNX file has at most " << maxFileBytes
                              << " (protobuf's limit): save the model with external data";
  auto reduced = reduceModel(bytes);
  if (!reduced)
    return emitError(fileLoc) << "the file is truncated, corrupt or not an ONNX model: "
                              << llvm::toString(reduced.takeError());
  auto model = std::make_unique<Model>();
  model->file = *file;
  if (!model->proto.ParseFromArray(reduced->bytes.data(), static_cast<int>(reduced->bytes.size())))
    return emitError(fileLoc)
           << "the file is corrupt or not an ONNX model: a message cannot be parsed";
  if (failed(checkGraph(*model, fileLoc)) || failed(readOpsets(*model, fileLoc)) ||
      failed(checkOperators(*model, fileLoc)))
    return failure();
  return model;
}

} // namespace sparsam
