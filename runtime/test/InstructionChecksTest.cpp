// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- InstructionChecksTest.cpp - what instructions are checked for ------===//

#include "runtime/units/InstructionChecks.h"
#include "runtime/test/ToyIsa.h"

#include <gtest/gtest.h>

namespace sparsam::runtime {
namespace {

//===-- The walk over the instructions -------------------------------------===//

struct Config {
  int heads = 0;
};
struct Work {
  int items = 0;
};
struct Finish {};
using Instruction = std::variant<Config, Work, Finish>;

struct FakeStage {
  StageInfo stageInfo;
  std::vector<Instruction> list;
  const StageInfo &info() const { return stageInfo; }
  const std::vector<Instruction> &instructions() const { return list; }
};
struct Kernel {
  FakeStage stage;
  Config config;
};

/// Work is open until it is finished, of at most as many items as the kernel has heads.
struct Checker {
  const Kernel &kernel;
  bool isOpen = false;

  template <typename T> Status before(const T &) const {
    if (isOpen && !std::is_same_v<T, Finish>)
      return makeError("'finish' is missing");
    return Status();
  }
  Status check(const Config &) { return Status(); }
  Status check(const Work &work) {
    isOpen = true;
    return work.items > kernel.config.heads ? makeError("too much work") : Status();
  }
  Status check(const Finish &) {
    isOpen = false;
    return Status();
  }
  Status atEnd() const { return isOpen ? makeError("ends in the middle") : Status(); }
};

std::string messageOf(std::vector<Instruction> list) {
  Kernel kernel;
  kernel.stage.stageInfo.name = "k";
  kernel.stage.list = std::move(list);
  Status status = checkInstructions<Config>(kernel, Checker{kernel});
  return status ? "no error" : status.error().message;
}

TEST(CheckInstructions, ConfigComesFirstAndOnce) {
  EXPECT_EQ(messageOf({Config{2}, Work{2}, Finish{}}), "no error");
  EXPECT_EQ(messageOf({Work{}, Config{}}),
            "kernel 'k', instruction 0: 'config' must be the first instruction");
  EXPECT_EQ(messageOf({Config{}, Config{}}), "kernel 'k', instruction 1: 'config' is there twice");
  EXPECT_EQ(messageOf({}), "kernel 'k' has no instruction 'config'; it must be the first one");
}

TEST(CheckInstructions, AsksTheChecker) {
  EXPECT_EQ(messageOf({Config{1}, Work{2}}), "kernel 'k', instruction 1: too much work");
  EXPECT_EQ(messageOf({Config{1}, Work{1}, Work{1}}),
            "kernel 'k', instruction 2: 'finish' is missing");
  EXPECT_EQ(messageOf({Config{1}, Work{1}}), "kernel 'k' ends in the middle");
}

TEST(CheckInstructions, NeedsNoConfig) {
  struct Plain {
    Status check(const Config &) { return Status(); }
    Status check(const Work &) { return makeError("no work"); }
    Status check(const Finish &) { return Status(); }
  };
  Kernel kernel;
  kernel.stage.stageInfo.name = "k";
  EXPECT_TRUE(bool(checkInstructions<void>(kernel, Plain())));
  kernel.stage.list = {Finish{}, Work{}};
  EXPECT_EQ(checkInstructions<void>(kernel, Plain()).error().message,
            "kernel 'k', instruction 1: no work");
}

//===-- Comparisons --------------------------------------------------------===//

/// Tiles of the toy: 0 is 4x4 of the input, 1 is 4x4 on chip, 2 is one number.
struct Comparisons : InstructionChecks {
  using InstructionChecks::all, InstructionChecks::expect, InstructionChecks::expectAtMost,
      InstructionChecks::expectResult, InstructionChecks::expectSameShape,
      InstructionChecks::expectShape, InstructionChecks::isAbsent;
  explicit Comparisons(const Stage<toy::Isa> &stage) : InstructionChecks(stage) {}
};

std::string messageOf(const Status &status) { return status ? "" : status.error().message; }

TEST(InstructionChecks, SayWhatIsExpected) {
  toy::StageBuilder builder = toy::exampleStage();
  auto stage = Stage<toy::Isa>::load(builder.build());
  ASSERT_TRUE(bool(stage));
  const Comparisons checks(*stage);
  EXPECT_TRUE(checks.isAbsent(kAbsentOperand));
  EXPECT_EQ(messageOf(checks.expect("rows", 3, "parameter 'r'", 3)), "");
  EXPECT_EQ(messageOf(checks.expect("rows", 4, "parameter 'r'", 3)),
            "expects rows = 3 (parameter 'r'), got 4");
  EXPECT_EQ(messageOf(checks.expectAtMost("rows", 3, "parameter 'r'", 3)), "");
  EXPECT_EQ(messageOf(checks.expectAtMost("rows", 4, "parameter 'r'", 3)),
            "expects at most 3 rows (parameter 'r'), got 4");
  EXPECT_EQ(messageOf(checks.expectShape(0, 4, 4, "a slot")), "");
  EXPECT_EQ(messageOf(checks.expectShape(0, 4, 5, "a slot")), "expects a slot of 4x5, got 4x4");
  EXPECT_EQ(messageOf(checks.expectSameShape(0, 1)), "");
  EXPECT_EQ(messageOf(checks.expectSameShape(0, 2)), "expects tiles of one shape, got 4x4 and 1x1");
  EXPECT_EQ(messageOf(checks.expectResult(0)), "binding 0 is an input and cannot be stored to");
  EXPECT_EQ(messageOf(checks.all({Status(), makeError("a"), makeError("b")})), "a");
}

} // namespace
} // namespace sparsam::runtime
