// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Fixture.cpp - small models, written to files and imported ----------===//

#include "Fixture.h"

#include "llvm/Support/raw_ostream.h"

#include <cstdlib>
#include <fstream>

using namespace mlir;

namespace sparsam::test {

ImportTest::ImportTest()
    : context(MLIRContext::Threading::DISABLED), graph(*model.mutable_graph()) {
  std::string pattern = (std::filesystem::temp_directory_path() / "sparsam-import-XXXXXX").string();
  folder = ::mkdtemp(pattern.data());
  model.set_ir_version(8);
  model.add_opset_import()->set_version(17);
  context.getDiagEngine().registerHandler([this](Diagnostic &diagnostic) {
    diagnostics += diagnostic.str() + "\n";
    for (Diagnostic &note : diagnostic.getNotes())
      diagnostics += "note: " + note.str() + "\n";
    return success();
  });
}

ImportTest::~ImportTest() { std::filesystem::remove_all(folder); }

void ImportTest::addInput(const std::string &name, const std::vector<std::string> &dims, int type) {
  proto::ValueInfoProto &input = *graph.add_input();
  input.set_name(name);
  auto &tensor = *input.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(type);
  tensor.mutable_shape();
  for (const std::string &dim : dims) {
    auto &dimension = *tensor.mutable_shape()->add_dim();
    if (dim.empty())
      continue;
    if (std::isdigit(dim[0]) || dim[0] == '-')
      dimension.set_dim_value(std::stoll(dim));
    else
      dimension.set_dim_param(dim);
  }
}

void ImportTest::addOutput(const std::string &name) {
  proto::ValueInfoProto &output = *graph.add_output();
  output.set_name(name);
  output.mutable_type()->mutable_tensor_type()->set_elem_type(proto::TensorProto::FLOAT);
}

proto::NodeProto &ImportTest::addNode(const std::string &type,
                                      const std::vector<std::string> &inputs,
                                      const std::vector<std::string> &outputs,
                                      const std::string &name) {
  proto::NodeProto &node = *graph.add_node();
  node.set_op_type(type);
  node.set_name(name);
  for (const std::string &input : inputs)
    node.add_input(input);
  for (const std::string &output : outputs)
    node.add_output(output);
  return node;
}

proto::TensorProto &ImportTest::addInitializer(const std::string &name,
                                               const std::vector<int64_t> &dims, int type) {
  proto::TensorProto &tensor = *graph.add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(type);
  for (int64_t dim : dims)
    tensor.add_dims(dim);
  return tensor;
}

proto::TensorProto &ImportTest::addWeight(const std::string &name,
                                          const std::vector<int64_t> &dims) {
  int64_t count = 1;
  for (int64_t dim : dims)
    count *= dim;
  std::vector<float> values(count);
  for (int64_t i = 0; i < count; ++i)
    values[i] = static_cast<float>(i);
  proto::TensorProto &tensor = addInitializer(name, dims);
  tensor.set_raw_data(values.data(), values.size() * sizeof(float));
  return tensor;
}

proto::AttributeProto &ImportTest::addAttribute(proto::NodeProto &node, const std::string &name,
                                                proto::AttributeProto::AttributeType type) {
  proto::AttributeProto &attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(type);
  return attribute;
}

void ImportTest::addRelu() {
  addInput("x", {"2", "3"});
  addNode("Relu", {"x"}, {"y"}, "act");
  addOutput("y");
}

std::string ImportTest::write(const std::string &name, const std::string &bytes) {
  std::string path = (folder / name).string();
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

std::string ImportTest::importFile(const std::string &path) {
  diagnostics.clear();
  OwningOpRef<ModuleOp> module = importOnnx(path, options, &context);
  if (!module)
    return "";
  std::string text;
  llvm::raw_string_ostream stream(text);
  OpPrintingFlags flags;
  flags.enableDebugInfo().elideLargeResourceString(16);
  module->print(stream, flags);
  return text;
}

std::string ImportTest::import() {
  return importFile(write("model.onnx", model.SerializeAsString()));
}

std::string ImportTest::importError() {
  EXPECT_EQ(import(), "") << "the import was expected to fail";
  return diagnostics;
}

} // namespace sparsam::test
