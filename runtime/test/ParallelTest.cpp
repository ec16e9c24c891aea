// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ParallelTest.cpp - loops over the pool of threads ------------------===//

#include "runtime/support/Parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace sparsam::runtime;

namespace {

/// The number of threads as it was, after each test.
struct Parallel : testing::Test {
  ~Parallel() override { setThreadCount(0); }
};

TEST_F(Parallel, RunsEveryIndexOnceForAnyNumberOfThreads) {
  for (unsigned round = 0; round < 2000; ++round) {
    setThreadCount(1 + round % 5);
    std::vector<int> runs(round % 37, 0);
    parallelFor(int64_t(runs.size()), [&](int64_t i) { ++runs[size_t(i)]; });
    for (int count : runs)
      ASSERT_EQ(count, 1);
  }
}

TEST_F(Parallel, NestedLoopsRunOnTheirThread) {
  setThreadCount(3);
  std::atomic<int> inner{0};
  parallelFor(8, [&](int64_t) {
    std::thread::id self = std::this_thread::get_id();
    parallelFor(8, [&](int64_t) {
      EXPECT_EQ(std::this_thread::get_id(), self);
      ++inner;
    });
  });
  EXPECT_EQ(inner, 64);
}

TEST_F(Parallel, AnExceptionReachesTheCaller) {
  setThreadCount(4);
  EXPECT_THROW(parallelFor(100,
                           [](int64_t i) {
                             if (i == 42)
                               throw std::runtime_error("index 42");
                           }),
               std::runtime_error);
  int runs = 0;
  setThreadCount(1);
  parallelFor(3, [&](int64_t) { ++runs; }); // the pool is not stuck
  EXPECT_EQ(runs, 3);
}

TEST_F(Parallel, LoopsOfTwoCallersDoNotMix) {
  setThreadCount(3);
  std::atomic<int> runs{0};
  auto caller = [&] {
    for (int round = 0; round < 500; ++round)
      parallelFor(10, [&](int64_t) { ++runs; });
  };
  std::thread other(caller);
  caller();
  other.join();
  EXPECT_EQ(runs, 10000);
}

} // namespace
