// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SessionCacheTest.cpp - what a session keeps from run to run --------===//

#include "runtime/test/TestFiles.h"
#include "runtime/test/TestPrograms.h"

using namespace sparsam::runtime;
using namespace sparsam::runtime::toy;

namespace {

constexpr int64_t kCapacity = 4;

/// Appends x to a cache of four rows, and returns a mask that grows with it plus 1.
struct CacheProgram : HostProgram {
  std::vector<flatbuffers::Offset<p::State>> states;
  std::vector<flatbuffers::Offset<p::Growing>> growing;
  uint64_t step = 1;
  int32_t axis = 2, kept, length;

  CacheProgram() {
    inputs = {tensor("x", p::TensorKind::input, p::DType::f32, {1, 1, 1, 1}),
              tensor("mask", p::TensorKind::input, p::DType::f32, {1, kCapacity})};
    kept = tensor("past", p::TensorKind::state, p::DType::f32, {1, 1, kCapacity, 1});
    length = tensor("length", p::TensorKind::state, p::DType::i64, {}, 64);
    outputs = {tensor("y", p::TensorKind::output, p::DType::f32, {1, kCapacity})};
    kernel("test.append", {kept, inputs[0], length}, {kept});
    kernel("test.add", {inputs[1]}, {outputs[0]}, 1);
    growing.push_back(p::CreateGrowing(b, inputs[1], 1, 1));
  }
  std::vector<uint64_t> make() {
    states.push_back(p::CreateStateDirect(b, kept, "past", "present", axis));
    cache = p::CreateCacheDirect(b, length, kCapacity, step, &states, &growing);
    return file();
  }
};

TensorMap rowAndMask(float row, int64_t length) {
  return {{"x", floats({1, 1, 1, 1}, row, 0)}, {"mask", floats({1, length + 1}, 1, 0)}};
}

std::vector<float> rowsOf(const TensorMap &state) {
  const Tensor &rows = state.at("present");
  return std::vector<float>(rows.as<float>(), rows.as<float>() + rows.elements());
}

} // namespace

TEST(SessionCache, grows_from_run_to_run) {
  auto s = session(CacheProgram().make());
  ASSERT_TRUE(s.ok()) << message(s);
  EXPECT_TRUE((*s)->hasState());
  EXPECT_EQ((*s)->capacity(), kCapacity);
  EXPECT_EQ((*s)->step(), 1);
  for (int64_t i = 0; i < 3; ++i) {
    EXPECT_EQ((*s)->length(), i);
    auto result = (*s)->run(rowAndMask(float(10 * i), i), {});
    ASSERT_TRUE(result.ok()) << message(result);
    EXPECT_EQ(result->outputs.at("present").shape(), (Shape{1, 1, i + 1, 1}));
    // What the mask does not cover yet is 0, and 1 with the 1 that the program adds.
    for (int64_t j = 0; j < kCapacity; ++j)
      EXPECT_EQ(result->outputs.at("y").as<float>()[j], j <= i ? 2 : 1);
  }
  EXPECT_EQ(rowsOf((*s)->state()), (std::vector<float>{0, 10, 20}));
  (*s)->reset();
  EXPECT_EQ((*s)->length(), 0);
  EXPECT_EQ((*s)->state().at("present").elements(), 0);
}

TEST(SessionCache, starts_from_given_caches) {
  auto s = session(CacheProgram().make());
  ASSERT_TRUE(s.ok()) << message(s);
  for (const char *name : {"past", "present"}) {
    ASSERT_TRUE((*s)->setState({{name, floats({1, 1, 2, 1}, 5, 1)}}).ok());
    EXPECT_EQ((*s)->length(), 2);
    EXPECT_EQ(rowsOf((*s)->state()), (std::vector<float>{5, 6}));
  }
  // In a run, the caches are inputs; without them it goes on.
  TensorMap inputs = rowAndMask(9, 1);
  inputs["past"] = floats({1, 1, 1, 1}, 3, 0);
  auto result = (*s)->run(inputs, {});
  ASSERT_TRUE(result.ok()) << message(result);
  EXPECT_EQ(rowsOf(result->outputs), (std::vector<float>{3, 9}));
  RunOptions quiet;
  quiet.returnState = false;
  result = (*s)->run(rowAndMask(8, 2), quiet);
  ASSERT_TRUE(result.ok()) << message(result);
  EXPECT_FALSE(result->outputs.count("present"));
  EXPECT_EQ(rowsOf((*s)->state()), (std::vector<float>{3, 9, 8}));
}

TEST(SessionCache, refuses_what_does_not_fit) {
  auto s = session(CacheProgram().make());
  ASSERT_TRUE(s.ok()) << message(s);
  auto error = [&](TensorMap state) { return (*s)->setState(state).error().message; };
  EXPECT_EQ(error({}), "state 'past' is missing: all caches are given, or none");
  EXPECT_EQ(error({{"past", floats({1, 1, 5, 1}, 0, 0)}}),
            "state 'past' holds 5 tokens, the program was compiled for 4 (--cache)");
  EXPECT_EQ(error({{"past", floats({1, 1, 2, 2}, 0, 0)}}),
            "state 'past' must have shape 1x1x4x1, or less along axis 2, got 1x1x2x2");
  EXPECT_EQ(error({{"past", Tensor(DType::i64, {1, 1, 2, 1})}}),
            "state 'past' must be float32, got int64");
  ASSERT_TRUE((*s)->setState({{"past", floats({1, 1, 4, 1}, 0, 1)}}).ok());
  EXPECT_EQ(message((*s)->run(rowAndMask(1, 4), {})),
            "the caches are full: they hold 4 of 4 tokens, and a run appends 1; compile the model "
            "with a larger --cache");
  (*s)->reset();
  EXPECT_EQ(message((*s)->run(rowAndMask(1, 2), {})),
            "input 'mask' must have shape 1x1 (the caches hold 0 tokens), got 1x3");
  // A run that fails leaves the length as it was.
  ASSERT_TRUE((*s)->run(rowAndMask(1, 0), {}).ok());
  EXPECT_FALSE((*s)->run(rowAndMask(-1, 1), {}).ok());
  EXPECT_EQ((*s)->length(), 1);
}

TEST(SessionCache, is_not_there_without_cache) {
  auto s = session(programFile(exampleStage()));
  ASSERT_TRUE(s.ok()) << message(s);
  EXPECT_FALSE((*s)->hasState());
  EXPECT_EQ((*s)->capacity(), 0);
  (*s)->reset();
  EXPECT_TRUE((*s)->state().empty());
  EXPECT_EQ((*s)->setState({}).error().message,
            "the program has no caches; compile the model with --cache");
}

TEST(SessionCache, refuses_damaged_tables) {
  CacheProgram step, axis, length, kept;
  step.step = 5;
  EXPECT_NE(message(session(step.make())).find("its caches of 4 tokens cannot take 5 in a run"),
            std::string::npos);
  axis.axis = 3;
  EXPECT_NE(message(session(axis.make()))
                .find("state 'past' of shape 1x1x4x1 does not hold 4 tokens along axis 3"),
            std::string::npos);
  length.length = length.kept;
  EXPECT_NE(message(session(length.make()))
                .find("its caches have no int64 scalar of kind state for their length"),
            std::string::npos);
  kept.kept = kept.inputs[0];
  EXPECT_NE(
      message(session(kept.make())).find("state 'past' is tensor 0, which is not of kind state"),
      std::string::npos);
  CacheProgram grows;
  grows.growing = {p::CreateGrowing(grows.b, grows.inputs[1], 1, 2)};
  EXPECT_NE(message(session(grows.make()))
                .find("input 'mask' of shape 1x4 cannot grow by 2 more than 3 along axis 1"),
            std::string::npos);
  CacheProgram twice, output;
  twice.growing.push_back(p::CreateGrowing(twice.b, twice.inputs[1], 1, 1));
  EXPECT_NE(
      message(session(twice.make())).find("tensor 1 cannot grow: it is no input, or does already"),
      std::string::npos);
  output.states.push_back(p::CreateStateDirect(output.b, output.kept, "mask", "present"));
  EXPECT_NE(
      message(session(output.make())).find("another input, output or state has the name 'mask'"),
      std::string::npos);
}
