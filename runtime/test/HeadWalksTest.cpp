// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- HeadWalksTest.cpp - walks over parts of the heads ------------------===//

#include "runtime/units/HeadWalks.h"

#include <gtest/gtest.h>

namespace sparsam::runtime {
namespace {

TEST(HeadWalks, DivideTheHeadsAmongThreads) {
  setThreadCount(3);
  std::vector<int> walks(8, 0);
  std::vector<int64_t> firstOf(3, -1);
  Status status = walkHeads("k", 8, [&](int64_t part, int64_t first, int64_t last) {
    firstOf[size_t(part)] = first;
    for (int64_t head = first; head < last; ++head)
      ++walks[size_t(head)];
    return Status();
  });
  EXPECT_TRUE(bool(status));
  EXPECT_EQ(walks, std::vector<int>(8, 1));
  EXPECT_EQ(firstOf, (std::vector<int64_t>{0, 2, 5}));
  setThreadCount(0);
}

TEST(HeadWalks, TellBatchAndHeadsApart) {
  using Pair = std::pair<int64_t, int64_t>;
  EXPECT_EQ(batchAndHeads({2, 4, 16, 8}, 8), Pair(2, 4));
  EXPECT_EQ(batchAndHeads({8, 16, 8}, 8), Pair(1, 8));
  EXPECT_EQ(batchAndHeads({2, 16, 4, 8}, 8), Pair(1, 8)); // heads elsewhere
}

TEST(HeadWalks, ReturnTheFirstFailure) {
  setThreadCount(2);
  Status status = walkHeads(
      "k", 2, [](int64_t part, int64_t, int64_t) -> Status { return makeError("part ", part); });
  EXPECT_EQ(status.error().message, "part 0");
  setThreadCount(0);
}

TEST(HeadWalks, SayWhatThereIsNotEnoughMemoryFor) {
  auto exhaust = []() -> Status { throw std::bad_alloc(); };
  EXPECT_EQ(withinMemory("k", "to schedule it", exhaust).error().message,
            "kernel 'k': not enough memory to schedule it");
  Status status = walkHeads("k", 1, [&](int64_t, int64_t, int64_t) { return exhaust(); });
  EXPECT_EQ(status.error().message, "kernel 'k': not enough memory for its buffers");
  EXPECT_TRUE(bool(withinMemory("k", "to schedule it", [] { return Status(); })));
}

} // namespace
} // namespace sparsam::runtime
