// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- InputsTest.cpp - shapes of inputs ----------------------------------===//

#include "Fixture.h"

using namespace sparsam;

class InputsTest : public test::ImportTest {
protected:
  InputsTest() {
    addInput("ids", {"batch", "seq"});
    addInput("mask", {"batch", "1", "seq"});
    addNode("Relu", {"ids"}, {"a"});
    addNode("Relu", {"mask"}, {"b"});
    addOutput("a");
    addOutput("b");
  }
};

TEST_F(InputsTest, FixesSymbolsOfOtherInputs) {
  options.shapes["ids"] = {2, 16};
  std::string text = import();
  EXPECT_CONTAINS(text, "tensor<2x16xf32> {onnx.name = \"ids\"}");
  EXPECT_CONTAINS(text, "tensor<2x1x16xf32> {onnx.name = \"mask\"}");
}

TEST_F(InputsTest, ShowsTheFlagForDynamicInputs) {
  std::string error = importError();
  EXPECT_CONTAINS(error, "input 'ids' has dynamic dimensions; its shape must be given");
  EXPECT_CONTAINS(error, "note: give it with, for example, --shape ids=1x128\n");
  EXPECT_CONTAINS(error,
                  "note: the inputs of the model are ids [batch, seq], mask [batch, 1, seq]");
}

TEST_F(InputsTest, RefusesShapesThatDoNotFit) {
  options.shapes["idz"] = {1, 2};
  EXPECT_CONTAINS(
      importError(),
      "--shape idz=1x2 names no input of the model\nnote: the inputs of the model are ids");
  options.shapes = {{"ids", {1, 2, 3}}};
  EXPECT_CONTAINS(importError(), "--shape ids=1x2x3 has 3 dimensions, but the input has 2");
  options.shapes = {{"ids", {0, 2}}};
  EXPECT_CONTAINS(importError(), "--shape ids=0x2 has the extent 0; extents are at least 1");
  options.shapes = {{"mask", {1, 7, 2}}};
  EXPECT_CONTAINS(importError(), "--shape mask=1x7x2 contradicts the model: dimension 1 is 1");
  options.shapes = {{"ids", {1, 8}}, {"mask", {1, 1, 16}}};
  EXPECT_CONTAINS(importError(),
                  "--shape mask=1x1x16 contradicts another shape: 'seq' is 8 in input 'ids'");
  options.shapes = {{"ids", {int64_t(1) << 30, int64_t(1) << 30}}};
  EXPECT_CONTAINS(importError(),
                  "has the shape 1073741824x1073741824, which has more than 2^40 elements");
  options.shapes = {{"ids", {int64_t(1) << 40, int64_t(1) << 40}}};
  EXPECT_CONTAINS(importError(),
                  "has the shape 1099511627776x1099511627776, which has more than 2^40 elements");
}

TEST_F(InputsTest, TakesShapesOfTensors) {
  options.tensorShapes = {{"ids", {2, 16}}, {"mask", {2, 1, 16}}};
  EXPECT_CONTAINS(import(), "tensor<2x16xf32> {onnx.name = \"ids\"}");
  options.shapes["ids"] = {2, 8}; // goes before the tensor's
  EXPECT_CONTAINS(importError(), "the given tensor 'mask' of shape 2x1x16 contradicts another "
                                 "shape: 'seq' is 8 in input 'ids'");
}

TEST_F(InputsTest, RefusesTensorsOfNoInput) {
  options.tensorShapes = {{"idz", {2, 16}}};
  EXPECT_CONTAINS(importError(), "the model has no input 'idz'; did you mean 'ids'?\n"
                                 "note: the inputs of the model are ids");
  options.tensorShapes = {{"temperature", {}}};
  EXPECT_CONTAINS(importError(), "the model has no input 'temperature'\nnote: the inputs");
  options.tensorShapes = {{"ids", {}}};
  EXPECT_CONTAINS(importError(), "the given tensor 'ids' of shape scalar has 0 dimensions, but the "
                                 "input has 2");
  addInput("w", {"2"});
  addWeight("w", {2});
  options.tensorShapes = {{"w", {2}}};
  EXPECT_CONTAINS(
      importError(),
      "the model takes no tensor 'w': an initializer fixes its value\nnote: the inputs");
}

TEST_F(InputsTest, RefusesImpossibleDeclarations) {
  options.shapes["ids"] = {2, 16};
  addInput("n", {"-4"});
  EXPECT_CONTAINS(importError(),
                  "input 'n' has the extent -4 in dimension 0; extents are at least 1");
  graph.mutable_input(2)->mutable_type()->mutable_sequence_type();
  EXPECT_CONTAINS(importError(), "input 'n' is not a tensor");
  graph.mutable_input(2)->clear_type();
  EXPECT_CONTAINS(importError(), "input 'n' is not a tensor");
  graph.mutable_input(2)->set_name("ids");
  EXPECT_CONTAINS(importError(), "input 'ids' is declared twice");
  graph.mutable_input(2)->set_name("");
  EXPECT_CONTAINS(importError(), "an input of the graph has no name");
}

TEST_F(InputsTest, RefusesStringsAndTakesUnrankedInputs) {
  options.shapes["ids"] = {2, 16};
  addInput("s", {"4"}, proto::TensorProto::STRING);
  EXPECT_CONTAINS(importError(),
                  "input 's' has elements of data type STRING, which is not supported");
  auto &tensor = *graph.mutable_input(2)->mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(proto::TensorProto::INT64);
  tensor.clear_shape();
  EXPECT_CONTAINS(importError(), "input 's' has no declared shape; its shape must be given");
  options.shapes["s"] = {7};
  EXPECT_CONTAINS(import(), "tensor<7xi64>");
}

TEST_F(InputsTest, TakesInitializersThatAreInputsAsConstants) {
  graph.mutable_input(0)->set_name("w");
  graph.mutable_node(0)->set_input(0, "w");
  addWeight("w", {2});
  options.shapes["mask"] = {2, 1, 16};
  std::string text = import();
  EXPECT_CONTAINS(text, "@main(%arg0: tensor<2x1x16xf32> {onnx.name = \"mask\"}");
  EXPECT_EQ(text.find("%arg1"), std::string::npos);
  EXPECT_CONTAINS(text, "dense<[0.000000e+00, 1.000000e+00]>");
}

/// A decoder with one cache, whose dimension `past` --cache counts.
class CacheInputsTest : public test::ImportTest {
protected:
  CacheInputsTest() {
    addInput("ids", {"batch", "sequence"});
    addInput("mask", {"batch", "past + sequence"});
    addInput("keys", {"batch", "3", "past", "16"});
    addNode("Relu", {"keys"}, {"y"});
    addOutput("y");
    options.symbols["past"] = 7;
  }
};

TEST_F(CacheInputsTest, FollowsFromSums) {
  options.shapes["ids"] = {1, 2};
  EXPECT_CONTAINS(import(), "tensor<1x9xf32> {onnx.name = \"mask\"}");
}

TEST_F(CacheInputsTest, ShowsSymbolsAsTheModelDeclaresThem) {
  std::string error = importError();
  EXPECT_CONTAINS(error, "note: give it with, for example, --shape ids=1x128\n");
  EXPECT_CONTAINS(error, "note: the inputs of the model are ids [batch, sequence], mask [batch, "
                         "past + sequence], keys [batch, 3, past, 16]");
}

TEST_F(CacheInputsTest, RefusesShapesOfWhatACacheCounts) {
  options.shapes = {{"ids", {1, 1}}, {"keys", {1, 3, 8, 16}}};
  EXPECT_CONTAINS(importError(),
                  "--shape keys=1x3x8x16 fixes the dimension 'past', which --cache counts");
}
