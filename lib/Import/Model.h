// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Model.h - a model file, parsed and checked -------------------------===//
#ifndef SPARSAM_LIB_IMPORT_MODEL_H
#define SPARSAM_LIB_IMPORT_MODEL_H

#include "MappedFile.h"
#include "Proto.h"

#include "mlir/IR/Location.h"

#include <map>

namespace sparsam {

/// A model whose file stays mapped. The data of its tensors is in the file and not in `proto` (see
/// WireFormat.h).
struct Model {
  std::shared_ptr<MappedFile> file;
  proto::ModelProto proto;
  /// The opset version of each imported domain; that of ai.onnx is under "".
  std::map<std::string, int64_t> opsets;

  int64_t getOpset(const std::string &domain) const {
    auto it = opsets.find(domain);
    return it == opsets.end() ? 0 : it->second;
  }
};

/// Reads and checks the file: that it is a model, its opset, and that the operators of all its
/// nodes are supported.
mlir::FailureOr<std::unique_ptr<Model>> loadModel(const std::string &path, mlir::Location fileLoc);

/// "" for ai.onnx, which has two names.
std::string getDomain(const proto::NodeProto &node);

/// "node 'x' (MatMul)"; a node without name is called after its first output.
std::string getLabel(const proto::NodeProto &node);

/// The op that stands for the node's operator, such as "onnx.MatMul", whether it is registered or
/// not.
std::string getOpName(const proto::NodeProto &node);

} // namespace sparsam

#endif // SPARSAM_LIB_IMPORT_MODEL_H
