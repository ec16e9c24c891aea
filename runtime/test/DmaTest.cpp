// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- DmaTest.cpp - transfers of tiles, and waiting for tiles ------------===//

#include "runtime/units/Dma.h"

#include "runtime/program/Program_generated.h"

#include <gtest/gtest.h>

using namespace sparsam::runtime;

namespace {

constexpr unsigned kBuffer = 2;
constexpr int64_t kBytesPerCycle = 4;
constexpr Cycle kLatency{10};

DramParams params() {
  DramParams p;
  p.bytesPerCycle = kBytesPerCycle;
  p.latency = kLatency;
  return p;
}

TensorView tensor(Shape shape) { return {DType::f32, std::move(shape), nullptr}; }

Tile dram(unsigned binding, int64_t offset, uint32_t rows, uint32_t cols, int64_t rowStride) {
  return {1, binding, offset, rows, cols, rowStride, rows, 0};
}
Tile onChip(int64_t offset, uint32_t rows, uint32_t cols, int64_t rowStride) {
  return {kBuffer, 0, offset, rows, cols, rowStride, rows, 0};
}

/// Two streams of one bus, a unit that computes, and one buffer.
struct Example {
  TileScheduler scheduler;
  Dma dma;
  UnitId first = scheduler.addUnit("first", 16), second = scheduler.addUnit("second", 16),
         array = scheduler.addUnit("array", 16);

  explicit Example(TileScheduler::Slices slices = TileScheduler::Slices::span)
      : scheduler(slices),
        dma(params(), DramLayout(std::vector<TensorView>{tensor({10, 100}), tensor({4, 16})}, 16),
            scheduler) {
    scheduler.addMemory(kBuffer, 1024, 4);
  }
};

} // namespace

TEST(DramLayout, puts_each_binding_at_an_aligned_address) {
  std::vector<TensorView> bindings{tensor({3000}), tensor({5}), tensor({1})};
  DramLayout layout(bindings, 16);
  EXPECT_EQ(layout.address(0), 0);
  EXPECT_EQ(layout.address(1), 2 * DramLayout::kAlignment); // 6000 bytes
  EXPECT_EQ(layout.address(2), 3 * DramLayout::kAlignment);
  DramLayout mixed(bindings, {4, 32, 8}); // 1500 bytes
  EXPECT_EQ(mixed.address(1), DramLayout::kAlignment);
}

TEST(DramLayout, counts_bytes_of_rows) {
  std::vector<TensorView> bindings{tensor({10, 100}), tensor({10, 100})};
  DramLayout layout(bindings, {16, 4});
  DramTransfer rows = layout.transfer(dram(0, 200, 5, 30, 100), 3);
  EXPECT_EQ(rows.address, 400);
  EXPECT_EQ(rows.rows, 3);
  EXPECT_EQ(rows.rowBytes, 60);
  EXPECT_EQ(rows.rowStride, 200);
  DramTransfer whole = layout.transfer(dram(0, 200, 5, 100, 100), 3);
  EXPECT_EQ(whole.rows, 1);
  EXPECT_EQ(whole.rowBytes, 600);
  DramTransfer nibbles = layout.transfer(dram(1, 200, 1, 31, 100), 1);
  EXPECT_EQ(nibbles.address, layout.address(1) + 100);
  EXPECT_EQ(nibbles.rowBytes, 16);
}

TEST(Dma, shares_the_bus_among_streams) {
  Example m;
  const Cycle each(100 * 2 / kBytesPerCycle);
  EXPECT_EQ(m.dma.load(m.first, "load", dram(0, 0, 1, 100, 100), onChip(0, 1, 100, 100)),
            each + kLatency);
  EXPECT_EQ(m.dma.load(m.second, "load", dram(0, 100, 1, 100, 100), onChip(200, 1, 100, 100)),
            each * 2 + kLatency);
  EXPECT_EQ(m.dma.dram().bytesRead(), Bytes(400));
}

TEST(Dma, moves_rows_that_both_sides_have) {
  Example m;
  Tile source = dram(1, 0, 4, 16, 16), destination = onChip(0, 4, 16, 16);
  source.validRows = 3;
  destination.validRows = 2;
  m.dma.load(m.first, "load", source, destination);
  EXPECT_EQ(m.dma.dram().bytesRead(), Bytes(2 * 16 * 2));
  m.dma.store(m.first, "store", destination, source);
  EXPECT_EQ(m.dma.dram().bytesWritten(), Bytes(2 * 16 * 2));
}

TEST(Dma, takes_no_time_for_nothing) {
  Example m;
  Tile source = dram(1, 0, 4, 16, 16);
  source.validRows = 0;
  EXPECT_EQ(m.dma.load(m.first, "load", source, onChip(0, 4, 16, 16)), Cycle());
  EXPECT_EQ(m.dma.store(m.first, "store", onChip(0, 4, 16, 16), source), Cycle());
}

TEST(Dma, stores_when_the_data_is_there) {
  Example m;
  const Tile tile = onChip(0, 1, 16, 16);
  const Cycle computed(1000);
  m.scheduler.issue(m.array, "compute", {computed}, {}, {tile});
  EXPECT_EQ(m.dma.store(m.first, "store", tile, dram(1, 0, 1, 16, 16)),
            computed + Cycle(16 * 2 / kBytesPerCycle) + kLatency);
}

TEST(Dma, honours_the_earliest_start) {
  Example m;
  DramTransfer transfer{0, 1, 40, 0};
  const Cycle earliest(500), each(40 / kBytesPerCycle);
  EXPECT_EQ(m.dma.read(m.first, "read", transfer, {}, earliest), earliest + each + kLatency);
  EXPECT_EQ(m.dma.write(m.second, "write", transfer, {}, earliest), earliest + each + kLatency);
}

TEST(TileScheduler, tracks_whole_tiles_or_their_first_row) {
  const Cycle written(100), hold(1);
  const Tile slice = onChip(0, 4, 8, 64), behind = onChip(64 + 16, 1, 8, 8);
  Example whole, first(TileScheduler::Slices::firstRow);
  for (auto [machine, start] : {std::pair(&whole, written), {&first, Cycle()}}) {
    machine->scheduler.issue(machine->first, "write", {written}, {}, {slice});
    // Between the second row of the slice and its third.
    EXPECT_EQ(machine->scheduler.issue(machine->array, "read", {hold}, {behind}, {}), start + hold);
  }
}

TEST(TileScheduler, waits_for_no_dram_tile_and_no_absent_tile) {
  Example m;
  const Tile tile = dram(0, 0, 1, 100, 100);
  m.scheduler.issue(m.first, "write", {Cycle(50)}, {}, {tile});
  EXPECT_EQ(m.scheduler.issue(m.array, "read", {Cycle(1)}, {tile, Tile()}, {}), Cycle(1));
}

TEST(TileScheduler, finds_the_grain_of_tile_rows) {
  StageInfo info;
  info.memories.push_back({"buffer", 16, 1024, 1024});
  info.memories.push_back({"unused", 16, 0, 0});
  AddressGenerator rows{sparsam::program::Descriptor()};
  rows.memory = kBuffer;
  rows.base = 48;
  rows.rows = 4;
  rows.rowStride = 24;
  EXPECT_EQ(tileGrain(info, std::vector{rows}, kBuffer), 24);
  rows.rows = 1; // its stride does not matter
  EXPECT_EQ(tileGrain(info, std::vector{rows}, kBuffer), 48);
  rows.termCount = 1;
  rows.terms[0].stride = 32;
  EXPECT_EQ(tileGrain(info, std::vector{rows}, kBuffer), 16);
  // Nothing lies in it, and it has no elements.
  EXPECT_EQ(tileGrain(info, std::vector{rows}, kBuffer + 1), 1);
}

TEST(TileScheduler, notes_the_first_read_of_a_tile_of_which_nothing_was_written) {
  Example e;
  e.scheduler.issue(e.first, "write", {Cycle(1)}, {}, {onChip(0, 4, 8, 16)});
  e.scheduler.issue(e.array, "slice", {Cycle(1)}, {onChip(20, 1, 4, 4)}, {});
  EXPECT_FALSE(e.scheduler.unwrittenRead());
  e.scheduler.issue(e.array, "behind", {Cycle(1)}, {onChip(64, 1, 4, 4)}, {});
  e.scheduler.issue(e.array, "later", {Cycle(1)}, {onChip(100, 1, 4, 4)}, {});
  ASSERT_TRUE(e.scheduler.unwrittenRead());
  EXPECT_STREQ(e.scheduler.unwrittenRead()->label, "behind");
  EXPECT_EQ(e.scheduler.unwrittenRead()->memory, kBuffer);
}
