// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SchedulerTest.cpp - when instructions start and end ----------------===//

#include "runtime/kernel/Scheduler.h"

#include "runtime/kernel/TraceWriter.h"
#include "runtime/test/TestFiles.h"

#include <nlohmann/json.hpp>

using namespace sparsam::runtime;

namespace {

/// Cycles of the two units of the examples.
constexpr Cycle kLoad{10}, kCompute{30};

/// A loader, an array and a buffer of two slots of 64 elements.
struct Example {
  Scheduler scheduler;
  UnitId dma = scheduler.addUnit("dma", 16), array = scheduler.addUnit("array", 16);
  static constexpr unsigned kBuffer = 2;

  Example() { scheduler.addMemory(kBuffer, 128, 8); }
  static Range slot(int64_t index) { return {kBuffer, index * 64, index * 64 + 64}; }
  Cycle load(int64_t index) {
    Range range = slot(index);
    return scheduler.issue(dma, "load", {kLoad}, {}, {&range, 1});
  }
  Cycle compute(int64_t index) {
    Range range = slot(index);
    return scheduler.issue(array, "compute", {kCompute}, {&range, 1}, {});
  }
};

} // namespace

TEST(Scheduler, waits_for_data) {
  Example e;
  EXPECT_EQ(e.load(0), kLoad);
  EXPECT_EQ(e.compute(0), kLoad + kCompute);
  EXPECT_EQ(e.scheduler.finish(), kLoad + kCompute);
}

TEST(Scheduler, overlaps_with_two_slots) {
  Example e;
  for (int i = 0; i < 10; ++i) {
    e.load(i % 2);
    e.compute(i % 2);
  }
  // Only the first load is not hidden.
  EXPECT_EQ(e.scheduler.finish(), kLoad + kCompute * 10);
}

TEST(Scheduler, does_not_overlap_with_one_slot) {
  Example e;
  for (int i = 0; i < 10; ++i) {
    e.load(0);
    e.compute(0);
  }
  EXPECT_EQ(e.scheduler.finish(), (kLoad + kCompute) * 10);
}

TEST(Scheduler, writes_after_writes_in_order) {
  Example e;
  UnitId other = e.scheduler.addUnit("other", 16);
  Range range = Example::slot(0);
  e.load(0);
  EXPECT_EQ(e.scheduler.issue(other, "write", {Cycle(1)}, {}, {&range, 1}), kLoad + Cycle(1));
}

TEST(Scheduler, lets_readers_share) {
  Example e;
  UnitId other = e.scheduler.addUnit("other", 16);
  Range range = Example::slot(0);
  e.load(0);
  e.compute(0);
  EXPECT_EQ(e.scheduler.issue(other, "read", {Cycle(1)}, {&range, 1}, {}), kLoad + Cycle(1));
}

TEST(Scheduler, tracks_parts_and_wholes) {
  Example e;
  Range whole{Example::kBuffer, 0, 128};
  e.load(0);
  e.load(1); // done at 2 * kLoad
  EXPECT_EQ(e.scheduler.issue(e.array, "read", {kCompute}, {&whole, 1}, {}), kLoad * 2 + kCompute);
  UnitId other = e.scheduler.addUnit("other", 16);
  EXPECT_EQ(e.scheduler.issue(other, "write", {Cycle(5)}, {}, {&whole, 1}),
            kLoad * 2 + kCompute + Cycle(5));
  EXPECT_EQ(e.compute(1), kLoad * 2 + kCompute + Cycle(5) + kCompute);
}

TEST(Scheduler, rounds_accesses_out_to_granules) {
  Example e; // granules of 8 elements
  Range first{Example::kBuffer, 0, 3}, neighbour{Example::kBuffer, 5, 8},
      next{Example::kBuffer, 8, 9};
  e.scheduler.issue(e.dma, "load", {kLoad}, {}, {&first, 1});
  UnitId a = e.scheduler.addUnit("a", 1), b = e.scheduler.addUnit("b", 1);
  EXPECT_EQ(e.scheduler.issue(a, "read", {Cycle(1)}, {&neighbour, 1}, {}), kLoad + Cycle(1));
  EXPECT_EQ(e.scheduler.issue(b, "read", {Cycle(1)}, {&next, 1}, {}), Cycle(1));
}

TEST(Scheduler, delivers_after_latency_but_frees_the_unit) {
  Example e;
  Range range = Example::slot(0), other = Example::slot(1);
  EXPECT_EQ(e.scheduler.issue(e.dma, "load", {kLoad, Cycle(100)}, {}, {&range, 1}),
            kLoad + Cycle(100));
  EXPECT_EQ(e.scheduler.issue(e.dma, "load", {kLoad}, {}, {&other, 1}), kLoad * 2);
  EXPECT_EQ(e.compute(0), kLoad + Cycle(100) + kCompute);
}

TEST(Scheduler, stalls_issue_when_a_queue_is_full) {
  for (unsigned depth : {0u, 1u, 2u, 4u}) {
    Scheduler scheduler;
    UnitId slow = scheduler.addUnit("slow", depth), quick = scheduler.addUnit("quick", 4);
    for (int i = 0; i < 5; ++i)
      scheduler.issue(slow, "slow", {Cycle(10)}, {}, {});
    // Five instructions of 10 cycles start at 0, 10, 20, 30, 40. The fifth has been issued when it
    // has its place in the queue: when the one `depth` before it has started.
    Cycle issued = Cycle(10) * int64_t(4 - depth);
    EXPECT_EQ(scheduler.issue(quick, "quick", {Cycle(1)}, {}, {}), issued + Cycle(1))
        << "depth " << depth;
  }
}

TEST(Scheduler, waits_for_the_command_processor) {
  Example e;
  e.scheduler.waitUntil(Cycle(50));
  EXPECT_EQ(e.load(0), Cycle(50) + kLoad);
  e.scheduler.waitUntil(Cycle(20));
  EXPECT_EQ(e.load(1), Cycle(50) + kLoad * 2);
}

TEST(Scheduler, does_not_start_before_a_given_cycle) {
  Example e;
  EXPECT_EQ(e.scheduler.issue(e.dma, "load", {kLoad}, {}, {}, Cycle(7)), Cycle(7) + kLoad);
}

TEST(Scheduler, counts_use_and_starts_anew) {
  Example e;
  e.load(0);
  e.load(1);
  e.compute(0);
  auto use = e.scheduler.use();
  ASSERT_EQ(use.size(), 2u);
  EXPECT_EQ(use[0].unit, "dma");
  EXPECT_EQ(use[0].busy, kLoad * 2);
  EXPECT_EQ(use[0].instructions, 2);
  EXPECT_EQ(use[1].busy, kCompute);
  e.scheduler.reset();
  EXPECT_EQ(e.scheduler.finish(), Cycle(0));
  EXPECT_EQ(e.scheduler.use()[0].instructions, 0);
  EXPECT_EQ(e.load(0), kLoad);
}

//===-- Timeline -----------------------------------------------------------===//

using Timeline = FileTest;

TEST_F(Timeline, is_json_with_one_event_per_occupation) {
  auto writer = TraceWriter::create(path("t.json"));
  ASSERT_TRUE(writer.ok());
  Example e;
  (*writer)->setTime(500, 3); // 2 ns per cycle, from 3 us on
  e.scheduler.setTimeline(writer->get(), "machine \"m\"");
  e.load(0);
  e.compute(0);
  int host = (*writer)->addThread((*writer)->addProcess("host"), "cpu");
  (*writer)->addEvent(host, "gelu", 1.5, 0.25);
  EXPECT_TRUE(read("t.json").empty());
  ASSERT_TRUE((*writer)->finish().ok());
  auto json = nlohmann::json::parse(read("t.json"));
  std::vector<nlohmann::json> events;
  for (const auto &event : json["traceEvents"])
    if (event["ph"] == "X")
      events.push_back(event);
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[1]["name"], "compute");
  EXPECT_NEAR(events[1]["ts"].get<double>(), 3 + double(kLoad.value) / 500, 1e-9);
  EXPECT_NEAR(events[1]["dur"].get<double>(), double(kCompute.value) / 500, 1e-9);
  EXPECT_NE(events[0]["tid"], events[1]["tid"]);
  EXPECT_EQ(events[0]["pid"], events[1]["pid"]);
  EXPECT_NE(events[0]["pid"], events[2]["pid"]);
  EXPECT_EQ(json["traceEvents"][0]["args"]["name"], "machine \"m\"");
}

TEST_F(Timeline, leaves_no_file_unfinished) {
  {
    auto writer = TraceWriter::create(path("t.json"));
  }
  EXPECT_TRUE(list().empty());
}

TEST_F(Timeline, does_not_grow_memory_with_events) {
  auto writer = TraceWriter::create(path("t.json"));
  ASSERT_TRUE(writer.ok());
  int thread = (*writer)->addThread((*writer)->addProcess("p"), "t");
  for (int i = 0; i < 20000; ++i)
    (*writer)->addEvent(thread, "event", Cycle(i), Cycle(1));
  uint64_t partial = std::filesystem::file_size(path(list()[0]));
  EXPECT_GT(partial, 500000u);
  ASSERT_TRUE((*writer)->finish().ok());
  EXPECT_EQ(nlohmann::json::parse(read("t.json"))["traceEvents"].size(), 20002u);
}
