// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Fixture.h - small models, written to files and imported ------------===//
#ifndef SPARSAM_LIB_IMPORT_TEST_FIXTURE_H
#define SPARSAM_LIB_IMPORT_TEST_FIXTURE_H

#include "Proto.h"
#include "sparsam/Import.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"

#include <filesystem>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace sparsam::test {

/// A model under construction, in its own folder, and what its import said.
class ImportTest : public ::testing::Test {
protected:
  ImportTest();
  ~ImportTest() override;

  /// Adds to the graph.
  void addInput(const std::string &name, const std::vector<std::string> &dims,
                int type = proto::TensorProto::FLOAT);
  void addOutput(const std::string &name);
  proto::NodeProto &addNode(const std::string &type, const std::vector<std::string> &inputs,
                            const std::vector<std::string> &outputs, const std::string &name = "");
  proto::TensorProto &addInitializer(const std::string &name, const std::vector<int64_t> &dims,
                                     int type = proto::TensorProto::FLOAT);
  /// An initializer with raw data: 0, 1, 2, ...
  proto::TensorProto &addWeight(const std::string &name, const std::vector<int64_t> &dims);
  proto::AttributeProto &addAttribute(proto::NodeProto &node, const std::string &name,
                                      proto::AttributeProto::AttributeType type);
  void setOpset(int64_t version) { model.mutable_opset_import(0)->set_version(version); }
  /// y = Relu(x) of [2, 3].
  void addRelu();

  std::string write(const std::string &name, const std::string &bytes);
  /// Writes the model and imports it; returns the printed module, or "" if the import fails.
  std::string import();
  std::string importFile(const std::string &path);
  /// The errors and notes of the import, which must fail.
  std::string importError();

  std::filesystem::path folder;
  mlir::MLIRContext context;
  proto::ModelProto model;
  proto::GraphProto &graph;
  ImportOptions options;
  std::string diagnostics;
};

#define EXPECT_CONTAINS(text, part)                                                                \
  do {                                                                                             \
    std::string actual = (text);                                                                   \
    EXPECT_NE(actual.find(part), std::string::npos)                                                \
        << "looked for: " << (part) << "\nin: " << actual;                                         \
  } while (false)

} // namespace sparsam::test

#endif // SPARSAM_LIB_IMPORT_TEST_FIXTURE_H
