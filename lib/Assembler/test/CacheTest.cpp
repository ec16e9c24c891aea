// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CacheTest.cpp - what a program keeps, from attributes to tables ----===//

#include "Assembler/ProgramImage.h"

#include "sattn/Sattn.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"

#include "llvm/ADT/StringExtras.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace sparsam;

namespace {

/// A cache that `x` is appended to, and a mask that grows with it.
constexpr const char *kMain = R"mlir(
  func.func @main(%c: tensor<1x1x8x2xf32> {onnx.name = "past", sattn.state = "present", sattn.tokens = 2 : i64},
                  %x: tensor<1x1x1x2xf32> {onnx.name = "x"},
                  %m: tensor<1x8xf32> {onnx.name = "mask", sattn.tokens = 1 : i64},
                  %n: tensor<i64> {onnx.name = "n", sattn.length})
      -> (tensor<1x1x8x2xf32> {onnx.name = "present"}, tensor<1x1x1x2xf32> {onnx.name = "y"})
      attributes {sattn.cache = {capacity = 8 : i64, step = 1 : i64}} {
    %a = sattn.cache_append %c, %x at %n : tensor<1x1x8x2xf32>, tensor<1x1x1x2xf32> at tensor<i64>
    %y = sattn.attention %x, %a, %a {scale = 1.0 : f32, policy = #sattn.dense}
        : tensor<1x1x1x2xf32>, tensor<1x1x8x2xf32>, tensor<1x1x8x2xf32> -> tensor<1x1x1x2xf32>
    return %a, %y : tensor<1x1x8x2xf32>, tensor<1x1x1x2xf32>
  })mlir";

class CacheTest : public ::testing::Test {
protected:
  CacheTest() : handler(&context, [this](Diagnostic &diagnostic) { message = diagnostic.str(); }) {
    context.loadDialect<sattn::SattnDialect, isa::IsaDialect, func::FuncDialect>();
    context.allowUnregisteredDialects();
  }

  FailureOr<ProgramImage> build(const std::string &from = "", const std::string &to = "") {
    std::string text = kMain;
    if (size_t at = text.find(from); !from.empty()) {
      EXPECT_NE(at, std::string::npos);
      text.replace(at, from.size(), to);
    }
    module = parseSourceString<ModuleOp>(text, &context);
    return buildProgram(*module, {});
  }
  std::string errorOf(const std::string &from, const std::string &to) {
    EXPECT_TRUE(failed(build(from, to)));
    return message;
  }

  MLIRContext context;
  std::string message;
  ScopedDiagnosticHandler handler;
  OwningOpRef<ModuleOp> module;
};

TEST_F(CacheTest, keeps_caches_in_place) {
  FailureOr<ProgramImage> image = build();
  ASSERT_TRUE(succeeded(image)) << message;
  ASSERT_TRUE(image->cache);
  EXPECT_EQ(image->cache->capacity, 8u);
  EXPECT_EQ(image->cache->step, 1u);
  ASSERT_EQ(image->cache->states.size(), 1u);
  const StateImage &state = image->cache->states[0];
  EXPECT_EQ(state.input, "past");
  EXPECT_EQ(state.output, "present");
  EXPECT_EQ(state.axis, 2);
  EXPECT_EQ(image->tensors[state.tensor].kind, program::TensorKind::state);
  ASSERT_EQ(image->cache->growing.size(), 1u);
  EXPECT_EQ(image->cache->growing[0].extra, 1u);
  // The append writes to the cache, attention reads it there, and nothing is copied.
  ASSERT_EQ(image->stages.size(), 2u);
  auto &append = std::get<HostStage>(image->stages[0]),
       &attention = std::get<HostStage>(image->stages[1]);
  EXPECT_EQ(append.outputs, std::vector<int32_t>{state.tensor});
  EXPECT_EQ(attention.inputs[1], state.tensor);
  EXPECT_EQ(image->outputs.size(), 1u);
  EXPECT_EQ(image->inputs.size(), 2u);
}

TEST_F(CacheTest, copies_where_something_else_reads_the_cache) {
  FailureOr<ProgramImage> image = build("sattn.attention %x, %a, %a", "sattn.attention %x, %a, %c");
  ASSERT_TRUE(succeeded(image)) << message;
  ASSERT_EQ(image->stages.size(), 3u);
  auto &append = std::get<HostStage>(image->stages[0]),
       &copy = std::get<HostStage>(image->stages[2]);
  EXPECT_NE(append.outputs[0], image->cache->states[0].tensor);
  EXPECT_EQ(copy.op, "onnx.Identity");
  EXPECT_EQ(copy.inputs, append.outputs);
  EXPECT_EQ(copy.outputs, std::vector<int32_t>{image->cache->states[0].tensor});
}

TEST_F(CacheTest, refuses_attributes_that_do_not_fit) {
  auto expect = [&](const char *from, const char *to, const char *error) {
    EXPECT_NE(errorOf(from, to).find(error), std::string::npos) << message;
  };
  expect("step = 1", "step = 9",
         "expects `sattn.cache` = {capacity = C, step = S} with 1 <= S <= C");
  expect("capacity = 8", "capacity = 9",
         "argument 0 holds 8 tokens, the capacity of the caches is 9");
  expect("sattn.tokens = 1", "sattn.tokens = 0",
         "argument 2 of 1 tokens is shorter than the caches may be before a run, 7");
  expect("sattn.tokens = 1", "sattn.tokens = 2", "has no axis 2 to count tokens (`sattn.tokens`)");
  expect(", sattn.length", "", "has caches, but no argument for their length (`sattn.length`)");
  expect("sattn.state = \"present\"", "sattn.state = \"other\"",
         "has no result 'other' to continue 'past'");
}

} // namespace
