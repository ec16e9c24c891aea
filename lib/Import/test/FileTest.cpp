// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- FileTest.cpp - files that are no models, and hostile ones ----------===//

#include "Fixture.h"
#include "WireFormat.h"

#include <random>

using namespace sparsam;
using FileTest = sparsam::test::ImportTest;

TEST_F(FileTest, NamesTheFileThatCannotBeRead) {
  EXPECT_EQ(importFile((folder / "nothing.onnx").string()), "");
  EXPECT_CONTAINS(diagnostics, "cannot be read: No such file or directory");
  EXPECT_EQ(importFile(folder.string()), "");
  EXPECT_CONTAINS(diagnostics, "it is not a regular file");
  EXPECT_EQ(importFile(write("empty.onnx", "")), "");
  EXPECT_CONTAINS(diagnostics, "the file is empty");
  EXPECT_EQ(importFile(write("text.onnx", "this is not a model, but a sentence")), "");
  EXPECT_CONTAINS(diagnostics, "the file is truncated, corrupt or not an ONNX model");
}

TEST_F(FileTest, RefusesMessagesThatProtobufRefuses) {
  // An opset_import that ends inside of its first field.
  EXPECT_EQ(importFile(write("m.onnx", "\x42\x01\x08")), "");
  EXPECT_CONTAINS(diagnostics,
                  "the file is corrupt or not an ONNX model: a message cannot be parsed");
}

TEST_F(FileTest, RefusesFilesBeyondTheLimitOfProtobuf) {
  std::string path = write("large.onnx", "x");
  std::filesystem::resize_file(path, uint64_t(1) << 31);
  EXPECT_EQ(importFile(path), "");
  EXPECT_CONTAINS(diagnostics, "has 2147483648 bytes; an ONNX file has at most 2147483647");
  EXPECT_CONTAINS(diagnostics, "external data");
}

TEST_F(FileTest, RefusesModelsWithoutGraphOutputsOrOpset) {
  addRelu();
  proto::ModelProto whole = model;
  model.clear_graph();
  EXPECT_CONTAINS(importError(), "the model has no graph");
  model = whole;
  model.mutable_graph()->clear_output();
  EXPECT_CONTAINS(importError(), "is empty: it has no outputs");
  model = whole;
  model.clear_opset_import();
  EXPECT_CONTAINS(importError(), "does not say which opset of ai.onnx it uses");
  model = whole;
  model.mutable_opset_import(0)->set_version(12);
  EXPECT_CONTAINS(importError(), "uses opset 12, but opset 13 or later is needed");
}

TEST_F(FileTest, RefusesSparseInitializers) {
  addRelu();
  graph.add_sparse_initializer()->mutable_values()->set_name("s");
  EXPECT_CONTAINS(importError(), "sparse initializers (such as 's')");
}

TEST_F(FileTest, AcceptsNewerVersionsAndUnknownFields) {
  addRelu();
  setOpset(99);
  model.set_ir_version(99);
  model.GetReflection()->MutableUnknownFields(&model)->AddLengthDelimited(500, "from the future");
  graph.GetReflection()->MutableUnknownFields(&graph)->AddVarint(501, 7);
  EXPECT_CONTAINS(import(), "onnx.Relu");
}

TEST_F(FileTest, SurvivesTruncationAtEveryByteAndRandomChanges) {
  addRelu();
  addWeight("w", {3, 8});
  addNode("MatMul", {"y", "w"}, {"z"}, "mm");
  proto::NodeProto &constant = addNode("Constant", {}, {"c"});
  proto::TensorProto &value =
      *addAttribute(constant, "value", proto::AttributeProto::TENSOR).mutable_t();
  value.set_data_type(proto::TensorProto::FLOAT);
  value.add_dims(32);
  for (int i = 0; i < 32; ++i)
    value.add_float_data(1);
  addOutput("z");
  addOutput("c");
  std::string bytes = model.SerializeAsString();
  ASSERT_NE(importFile(write("m.onnx", bytes)), "") << diagnostics;
  for (size_t length = 0; length < bytes.size(); ++length)
    if (importFile(write("m.onnx", bytes.substr(0, length))).empty())
      EXPECT_FALSE(diagnostics.empty()) << "no error for a file cut at " << length;
  std::mt19937 random(0);
  for (int round = 0; round < 3000; ++round) {
    std::string changed = bytes;
    for (int i = 0; i < 1 + round % 3; ++i)
      changed[random() % changed.size()] = static_cast<char>(random());
    if (importFile(write("m.onnx", changed)).empty())
      EXPECT_FALSE(diagnostics.empty()) << "no error in round " << round;
  }
}

TEST(WireFormat, LeavesOutTheDataOfTensorsAndSaysWhereItIs) {
  proto::ModelProto model;
  proto::TensorProto &tensor = *model.mutable_graph()->add_initializer();
  tensor.set_raw_data(std::string(1000, 'r'));
  tensor.set_doc_string("9,0,1");
  std::string bytes = model.SerializeAsString();
  auto reduced = reduceModel(llvm::ArrayRef(bytes.data(), bytes.size()));
  ASSERT_TRUE(static_cast<bool>(reduced));
  EXPECT_LT(reduced->bytes.size(), 100u);
  proto::ModelProto parsed;
  ASSERT_TRUE(parsed.ParseFromString(reduced->bytes));
  auto range = getDataRange(parsed.graph().initializer(0).doc_string());
  ASSERT_TRUE(range);
  EXPECT_EQ(range->field, DataField::raw);
  EXPECT_EQ(bytes.substr(range->offset, range->bytes), std::string(1000, 'r'));
}

TEST(WireFormat, NeverBelievesDocStrings) {
  proto::ModelProto model;
  model.mutable_graph()->add_initializer()->set_doc_string("9,0,123456789");
  std::string bytes = model.SerializeAsString();
  auto reduced = reduceModel(llvm::ArrayRef(bytes.data(), bytes.size()));
  ASSERT_TRUE(static_cast<bool>(reduced));
  proto::ModelProto parsed;
  ASSERT_TRUE(parsed.ParseFromString(reduced->bytes));
  EXPECT_FALSE(parsed.graph().initializer(0).has_doc_string());
}

TEST(WireFormat, SaysWhereTheBytesAreNoProtobuf) {
  auto message = [](llvm::StringRef bytes) {
    auto reduced = reduceModel(llvm::ArrayRef(bytes.data(), bytes.size()));
    return reduced ? std::string("none") : llvm::toString(reduced.takeError());
  };
  EXPECT_EQ(message(llvm::StringRef("\x08", 1)), "a number is cut off at byte 1");
  EXPECT_EQ(message("\x3a\x05z"), "field 7 of 5 bytes is cut off at byte 0");
  EXPECT_EQ(message("\x0b"), "an unknown wire type at byte 0");
  EXPECT_EQ(message(llvm::StringRef("\x00", 1)), "an impossible field number at byte 0");
  EXPECT_EQ(message("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
            "a number has more than 64 bits at byte 11");
}
