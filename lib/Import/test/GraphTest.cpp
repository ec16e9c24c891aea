// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- GraphTest.cpp - nodes, values, forms of operators ------------------===//

#include "Fixture.h"

using namespace sparsam;
using GraphTest = test::ImportTest;

TEST_F(GraphTest, KeepsNamesOfNodesInputsAndOutputs) {
  addRelu();
  std::string text = import();
  EXPECT_CONTAINS(text, "tensor<2x3xf32> {onnx.name = \"x\"}");
  EXPECT_CONTAINS(text, "(tensor<2x3xf32> {onnx.name = \"y\"})");
  EXPECT_CONTAINS(text, "loc(\"act\"(");
}

TEST_F(GraphTest, ReturnsInputsAndInitializers) {
  addInput("x", {"2"});
  addWeight("w", {2});
  addOutput("x");
  addOutput("w");
  EXPECT_CONTAINS(import(), "return %arg0, %0 : tensor<2xf32>, tensor<2xf32>");
}

TEST_F(GraphTest, FoldsShapeArithmetic) {
  addInput("x", {"2", "3", "4"});
  addNode("Shape", {"x"}, {"s"});
  proto::TensorProto &index = addInitializer("i", {1}, proto::TensorProto::INT64);
  index.add_int64_data(1);
  addNode("Gather", {"s", "i"}, {"n"});
  addInitializer("m", {1}, proto::TensorProto::INT64).add_int64_data(-1);
  proto::NodeProto &concat = addNode("Concat", {"n", "m"}, {"shape"});
  addAttribute(concat, "axis", proto::AttributeProto::INT).set_i(0);
  addNode("Reshape", {"x", "shape"}, {"y"});
  addOutput("y");
  std::string text = import();
  EXPECT_CONTAINS(text, "-> tensor<3x8xf32>");
  EXPECT_EQ(text.find("onnx.Gather"), std::string::npos) << text;
}

TEST_F(GraphTest, RefusesShapesThatDependOnValues) {
  addInput("x", {"2", "3"});
  addInput("s", {"2"}, proto::TensorProto::INT64);
  addNode("Reshape", {"x", "s"}, {"y"}, "reshape");
  addOutput("y");
  EXPECT_CONTAINS(importError(), "has no static shape");
}

TEST_F(GraphTest, ListsAllUnsupportedNodes) {
  addRelu();
  addNode("Foo", {"x"}, {"f"}, "first").set_domain("com.example");
  addNode("NonZero", {"x"}, {"g"});
  std::string error = importError();
  EXPECT_CONTAINS(error, "the model has 2 nodes whose operator is not supported:");
  EXPECT_CONTAINS(error, "\n  node 'first': Foo (domain com.example, opset 0)");
  EXPECT_CONTAINS(error, "\n  node 'g': NonZero (domain ai.onnx, opset 17)");
  EXPECT_CONTAINS(error, "note: supported operators of ai.onnx: ");
  for (int i = 0; i < 30; ++i)
    addNode("If", {"x"}, {"if" + std::to_string(i)});
  EXPECT_CONTAINS(importError(), "\n  and 12 more");
  proto::FunctionProto &function = *model.add_functions();
  function.set_name("Foo");
  function.set_domain("com.example");
  EXPECT_CONTAINS(importError(), "Foo (function of the model, domain com.example, opset 0)");
}

TEST_F(GraphTest, ListsAllNodesOnOtherFloats) {
  addInput("x", {"2", "3"}, proto::TensorProto::FLOAT16);
  addInput("d", {"2", "3"}, proto::TensorProto::DOUBLE);
  addNode("Transpose", {"x"}, {"t"}, "move");
  addNode("Relu", {"t"}, {"a"}, "first");
  addNode("Add", {"d", "d"}, {"b"}, "second");
  addNode("Relu", {"b"}, {"dead"}, "dead");
  addOutput("a");
  addOutput("b");
  std::string error = importError();
  EXPECT_CONTAINS(error, "the model has 2 nodes that would compute in another type than float32, "
                         "int64 and int32:"
                         "\n  node 'first': Relu on FLOAT16\n  node 'second': Add on DOUBLE\n");
  EXPECT_CONTAINS(error, "note: reals are computed in float32: export the model in float32");
  for (int i = 0; i < 22; ++i) {
    addNode("Relu", {"x"}, {"r" + std::to_string(i)});
    addOutput("r" + std::to_string(i));
  }
  EXPECT_CONTAINS(importError(), "\n  and 4 more");
}

TEST_F(GraphTest, ListsNodesOnNarrowIntegers) {
  addInput("x", {"2", "3"}, proto::TensorProto::INT8);
  addInput("u", {"2", "3"}, proto::TensorProto::UINT16);
  addNode("Transpose", {"x"}, {"t"}, "move");
  addNode("Add", {"t", "t"}, {"a"}, "first");
  addNode("Less", {"u", "u"}, {"b"}, "second");
  addOutput("a");
  addOutput("b");
  EXPECT_CONTAINS(importError(), "the model has 2 nodes that would compute in another type than "
                                 "float32, int64 and int32:\n  node 'first': Add on INT8\n  node "
                                 "'second': Less on UINT16\n");
}

TEST_F(GraphTest, ConvertsAndMovesOtherFloats) {
  addInput("x", {"2", "3"}, proto::TensorProto::FLOAT16);
  addNode("Transpose", {"x"}, {"t"});
  addAttribute(addNode("Cast", {"t"}, {"f"}), "to", proto::AttributeProto::INT)
      .set_i(proto::TensorProto::FLOAT);
  addNode("Relu", {"f"}, {"y"});
  addOutput("y");
  EXPECT_CONTAINS(import(), "onnx.Relu");
}

TEST_F(GraphTest, TakesNoBfloat16) {
  addInput("x", {"2", "3"}, proto::TensorProto::BFLOAT16);
  addNode("Transpose", {"x"}, {"y"}, "move");
  addOutput("y");
  EXPECT_CONTAINS(importError(),
                  "the model has 1 node that would compute in another type than "
                  "float32, int64 and int32:\n  node 'move': Transpose on BFLOAT16\n");
}

TEST_F(GraphTest, DoesNotTakeInternalOpsForOperators) {
  addRelu();
  addNode("None", {}, {"n"});
  addNode("MSAttention", {"x"}, {"m"});
  EXPECT_CONTAINS(importError(), "2 nodes");
}

TEST_F(GraphTest, RefusesGraphsThatAreNoGraphs) {
  addRelu();
  addNode("Relu", {"nowhere"}, {"z"}, "lost");
  EXPECT_CONTAINS(
      importError(),
      "node 'lost' (Relu) uses 'nowhere', which is no input, initializer or output of a node");
  graph.mutable_node(1)->set_input(0, "late");
  addNode("Relu", {"z"}, {"late"}, "tail");
  EXPECT_CONTAINS(
      importError(),
      "node 'lost' (Relu) uses 'late' before it is made by node 'tail' (Relu); the nodes of a "
      "graph must be sorted and have no cycle");
  graph.mutable_node(2)->set_output(0, "y");
  EXPECT_CONTAINS(importError(),
                  "value 'y' is defined twice: by node 'act' (Relu) and by node 'tail' (Relu)");
  graph.mutable_node(2)->set_output(0, "x");
  EXPECT_CONTAINS(importError(),
                  "value 'x' is defined twice: by an input and by node 'tail' (Relu)");
  graph.mutable_node()->DeleteSubrange(1, 2);
  graph.mutable_output(0)->set_name("gone");
  EXPECT_CONTAINS(importError(), "the list of outputs uses 'gone'");
}

TEST_F(GraphTest, ChecksNumbersOfInputsAndOutputs) {
  addRelu();
  graph.mutable_node(0)->add_input("x");
  EXPECT_CONTAINS(importError(), "node 'act' (Relu) has 2 inputs; at most 1 are supported");
  graph.mutable_node(0)->clear_input();
  EXPECT_CONTAINS(importError(), "node 'act' (Relu): operand #0 must be");
  EXPECT_CONTAINS(importError(), "(a required input is missing)");
  graph.mutable_node(0)->add_input("x");
  graph.mutable_node(0)->add_output("extra");
  EXPECT_CONTAINS(import(), "onnx.Relu");
  addOutput("extra");
  EXPECT_CONTAINS(importError(),
                  "node 'act' (Relu): output 1 ('extra') is used, but not supported");
  graph.mutable_node(0)->set_op_type("Concat");
  graph.mutable_node(0)->clear_input();
  EXPECT_CONTAINS(importError(), "node 'act' (Concat) has no inputs");
}

TEST_F(GraphTest, NamesTheNodeWhoseShapesDoNotFit) {
  addInput("x", {"2", "3"});
  addWeight("w", {4, 5});
  addNode("MatMul", {"x", "w"}, {"y"}, "mm");
  addOutput("y");
  EXPECT_CONTAINS(importError(), "node 'mm' (MatMul): cannot multiply");
}

TEST_F(GraphTest, ChecksAttributes) {
  addInput("x", {"2", "3"});
  proto::NodeProto &node = addNode("Softmax", {"x"}, {"y"}, "s");
  addOutput("y");
  proto::AttributeProto &attribute = addAttribute(node, "axis", proto::AttributeProto::FLOAT);
  attribute.set_f(1);
  EXPECT_CONTAINS(importError(), "node 's' (Softmax): attribute 'axis' has the wrong type");
  attribute.set_type(proto::AttributeProto::INT);
  attribute.set_i(7);
  EXPECT_CONTAINS(importError(), "node 's' (Softmax): has axis 7");
  attribute.set_i(1);
  addAttribute(node, "temperature", proto::AttributeProto::INT);
  EXPECT_CONTAINS(importError(), "node 's' (Softmax): attribute 'temperature' is not supported");
  node.mutable_attribute(1)->set_name("axis");
  EXPECT_CONTAINS(importError(), "node 's' (Softmax) has attribute 'axis' twice");
  node.mutable_attribute(1)->set_name("");
  EXPECT_CONTAINS(importError(), "node 's' (Softmax) has an attribute without name");
  node.mutable_attribute(1)->set_type(proto::AttributeProto::GRAPH);
  EXPECT_CONTAINS(importError(), "is not an integer, a float, a string, a tensor or a list");
  node.mutable_attribute(1)->set_ref_attr_name("p");
  EXPECT_CONTAINS(importError(), "refers to a parameter of a function");
  node.mutable_attribute()->RemoveLast();
  attribute.clear_type();
  EXPECT_CONTAINS(import(), "axis = 1 : i64");
}

TEST_F(GraphTest, ReadsAllFormsOfConstants) {
  auto value = [&](const std::string &name, auto set) {
    graph.Clear();
    set(addAttribute(addNode("Constant", {}, {"c"}, "k"), name, proto::AttributeProto::UNDEFINED));
    addOutput("c");
    return import();
  };
  EXPECT_CONTAINS(value("value_int", [](auto &a) { a.set_i(3); }), "dense<3> : tensor<i64>");
  EXPECT_CONTAINS(value("value_float", [](auto &a) { a.set_f(0.5); }),
                  "dense<5.000000e-01> : tensor<f32>");
  EXPECT_CONTAINS(value("value_floats", [](auto &a) { a.add_floats(2); }),
                  "dense<2.000000e+00> : tensor<1xf32>");
  EXPECT_CONTAINS(value("value_ints",
                        [](auto &a) {
                          a.add_ints(1);
                          a.add_ints(2);
                        }),
                  "dense<[1, 2]> : tensor<2xi64>");
  EXPECT_CONTAINS(value("value_ints", [](auto &a) { a.set_type(proto::AttributeProto::INTS); }),
                  "tensor<0xi64>");
  EXPECT_EQ(value("value_string", [](auto &a) { a.set_s("x"); }), "");
  EXPECT_CONTAINS(
      diagnostics,
      "node 'k' (Constant): attribute 'value_string' is not supported; supported are value, ");
  EXPECT_EQ(value("value_int", [](auto &a) { a.set_f(1); }), "");
  EXPECT_CONTAINS(diagnostics, "node 'k' (Constant): attribute 'value_int' has the wrong type");
  EXPECT_EQ(value("value",
                  [&](auto &a) {
                    a.set_i(1);
                    graph.mutable_node(0)->add_output("d");
                  }),
            "");
  EXPECT_CONTAINS(diagnostics, "a constant has one attribute, no input and one output");
}

TEST_F(GraphTest, TurnsAxesOfReductionsIntoOperands) {
  addInput("x", {"2", "3"});
  proto::NodeProto &node = addNode("ReduceMean", {"x"}, {"y"}, "mean");
  addAttribute(node, "axes", proto::AttributeProto::INTS).add_ints(-1);
  addOutput("y");
  setOpset(13);
  EXPECT_CONTAINS(import(), "tensor<2x1xf32> {onnx.name = \"y\"}");
  setOpset(18);
  EXPECT_CONTAINS(importError(), "node 'mean' (ReduceMean): attribute 'axes' is not supported");
  node.clear_attribute();
  addInitializer("axes", {1}, proto::TensorProto::INT64).add_int64_data(0);
  node.add_input("axes");
  EXPECT_CONTAINS(import(), "tensor<1x3xf32> {onnx.name = \"y\"}");
  setOpset(17);
  EXPECT_CONTAINS(importError(),
                  "node 'mean' (ReduceMean) has 2 inputs; until opset 17 'axes' is an attribute");
  node.mutable_input()->RemoveLast();
  addAttribute(node, "axes", proto::AttributeProto::INT).set_i(1);
  EXPECT_CONTAINS(importError(), "node 'mean' (ReduceMean): attribute 'axes' has the wrong type");
}

TEST_F(GraphTest, DropsDropout) {
  addInput("x", {"2", "3"});
  addWeight("ratio", {});
  proto::TensorProto &training = addInitializer("training", {}, proto::TensorProto::BOOL);
  training.add_int32_data(0);
  addNode("Dropout", {"x", "ratio", "training"}, {"y", "mask"}, "drop");
  addOutput("y");
  EXPECT_CONTAINS(import(), "return %arg0");
  training.set_int32_data(0, 1);
  EXPECT_CONTAINS(importError(),
                  "node 'drop' (Dropout) may be in training mode, which is not supported");
}

TEST_F(GraphTest, ChainsMinAndMaxOfManyInputs) {
  addInput("x", {"3"});
  addInput("z", {"3"});
  addNode("Max", {"x", "z", "x"}, {"y"});
  addNode("Min", {"y"}, {"u"});
  addOutput("u");
  std::string text = import();
  size_t first = text.find("onnx.Max");
  EXPECT_NE(text.find("onnx.Max", first + 1), std::string::npos) << text;
}

TEST_F(GraphTest, MapsOperatorsOfMicrosoft) {
  addInput("x", {"1", "8", "32"});
  addWeight("w", {32, 96});
  addWeight("b", {32});
  proto::NodeProto &attention = addNode("Attention", {"x", "w"}, {"a"}, "att");
  attention.set_domain("com.microsoft");
  addAttribute(attention, "num_heads", proto::AttributeProto::INT).set_i(2);
  addAttribute(attention, "do_rotary", proto::AttributeProto::INT).set_i(0);
  addNode("FastGelu", {"a", "b"}, {"y"}).set_domain("com.microsoft");
  addOutput("y");
  std::string text = import();
  EXPECT_CONTAINS(text, "onnx.MSAttention");
  EXPECT_CONTAINS(text, "onnx.Add");
  EXPECT_CONTAINS(text, "approximate = \"tanh\"");
  attention.mutable_attribute(1)->set_i(1);
  EXPECT_CONTAINS(importError(), "node 'att' (Attention): attribute 'do_rotary' is not supported");
  attention.mutable_attribute(1)->set_i(0);
  for (const char *input : {"", "", "x"})
    attention.add_input(input);
  EXPECT_CONTAINS(importError(),
                  "node 'att' (Attention) has past keys and values ('x'), which are not supported");
  attention.set_input(4, "");
  attention.add_input("x");
  EXPECT_CONTAINS(import(), "none, none, tensor<1x8x32xf32>) -> tensor<1x8x32xf32>");
  auto &sizes = addAttribute(attention, "qkv_hidden_sizes", proto::AttributeProto::INTS);
  for (int64_t size : {32, 32, 32})
    sizes.add_ints(size);
  EXPECT_CONTAINS(import(), "onnx.MSAttention");
  sizes.set_ints(2, 48);
  EXPECT_CONTAINS(importError(), "node 'att' (Attention) has Q, K and V of different sizes "
                                 "(qkv_hidden_sizes = 32, 32, 48), which is not supported");
}

TEST_F(GraphTest, RefusesOtherFormsOfMultiHeadAttention) {
  addInput("x", {"1", "8", "32"});
  addInput("heads", {"1", "2", "8", "16"});
  addInput("qkv", {"1", "8", "2", "3", "16"});
  proto::NodeProto &node = addNode("MultiHeadAttention", {}, {"y"}, "mha");
  node.set_domain("com.microsoft");
  addAttribute(node, "num_heads", proto::AttributeProto::INT).set_i(2);
  addOutput("y");
  auto error = [&](const std::vector<std::string> &inputs) {
    *node.mutable_input() = {inputs.begin(), inputs.end()};
    return importError();
  };
  EXPECT_CONTAINS(
      error({"qkv"}),
      "node 'mha' (MultiHeadAttention) has Q, K and V packed in `query` ('qkv'), which "
      "is not supported; query, key and value are three tensors [batch, tokens, hidden]");
  EXPECT_CONTAINS(error({"x", "qkv"}),
                  "has K and V packed in `key` ('qkv'), which is not supported");
  EXPECT_CONTAINS(error({"x", "heads", "heads"}),
                  "has a `key` [batch, heads, tokens, size] ('heads'), which is not supported");
  EXPECT_CONTAINS(error({"x", "x", "heads"}),
                  "has a `value` [batch, heads, tokens, size] ('heads'), which is not supported");
  EXPECT_CONTAINS(error({"x", "x", "x", "", "", "", "heads"}),
                  "has a `past_key` ('heads'), which is not supported");
  EXPECT_CONTAINS(error({"x", "x", "x", "", "", "", "", "heads"}),
                  "has a `past_value` ('heads'), which is not supported");
}
