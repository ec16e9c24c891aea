// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- DramTest.cpp - transfers, rows, energy -----------------------------===//

#include "runtime/kernel/Dram.h"
#include "runtime/kernel/Energy.h"

#include <gtest/gtest.h>

using namespace sparsam::runtime;

static DramParams params() {
  DramParams p;
  p.channels = 8;
  p.bytesPerCycle = 256;
  p.latency = Cycle(40);
  p.rowBytes = 1024;
  p.interleaveBytes = 64;
  p.banks = 4;
  return p;
}

TEST(Dram, takes_bytes_by_bandwidth) {
  Dram dram(params());
  Hold hold = dram.read({0, 1, 8192, 0});
  EXPECT_EQ(hold.occupancy, Cycle(8192 / 256));
  EXPECT_EQ(hold.latency, params().latency);
  EXPECT_EQ(dram.bytesRead(), Bytes(8192));
  EXPECT_EQ(dram.bytesWritten(), Bytes(0));
}

TEST(Dram, does_not_depend_on_where_a_long_transfer_starts) {
  for (int64_t address : {0, 64, 4096, 1 << 20})
    EXPECT_EQ(Dram(params()).write({address, 1, 1 << 16, 0}).occupancy, Cycle((1 << 16) / 256));
}

TEST(Dram, is_slowed_by_the_busiest_channel) {
  // 64 bytes lie in one channel, which has an eighth of the bandwidth.
  EXPECT_EQ(Dram(params()).read({0, 1, 64, 0}).occupancy, Cycle(64 * 8 / 256));
  // Rows 512 bytes apart all lie in the same channel.
  EXPECT_EQ(Dram(params()).read({0, 16, 64, 512}).occupancy, Cycle(16 * 64 * 8 / 256));
  // Adjacent rows are one run.
  EXPECT_EQ(Dram(params()).read({0, 16, 64, 64}).occupancy, Cycle(16 * 64 / 256));
}

TEST(Dram, remembers_open_rows) {
  DramParams p = params();
  p.rowMiss = Cycle(7);
  Dram dram(p);
  int64_t row = p.rowBytes * p.channels; // bytes of a row of all channels
  EXPECT_EQ(dram.read({0, 1, row, 0}).occupancy, Cycle(row / 256) + p.rowMiss);
  EXPECT_EQ(dram.read({0, 1, row, 0}).occupancy, Cycle(row / 256));
  EXPECT_EQ(dram.rowMisses(), 1);
  EXPECT_EQ(dram.rowHits(), 1);
  // `banks` rows further on lies another row of the same bank.
  dram.read({row * p.banks, 1, row, 0});
  dram.read({0, 1, row, 0});
  EXPECT_EQ(dram.rowMisses(), 3);
  dram.reset();
  EXPECT_EQ(dram.rowMisses(), 0);
  EXPECT_EQ(dram.bytesRead(), Bytes(0));
}

TEST(Dram, does_nothing_for_nothing) {
  Dram dram(params());
  EXPECT_EQ(dram.read({0, 0, 64, 64}).occupancy, Cycle(0));
  EXPECT_EQ(dram.write({0, 4, 0, 64}).occupancy, Cycle(0));
  EXPECT_EQ(dram.bytesRead(), Bytes(0));
}

TEST(Energy, adds_up_events) {
  EnergyTable table;
  auto mac = table.add("mac", 5.5, "P"), dram = table.add("dram byte", 31.2, "A");
  table.count(mac, 100);
  table.count(mac);
  table.count(dram, 2);
  ASSERT_EQ(table.use().size(), 2u);
  EXPECT_EQ(table.use()[0].count, 101);
  EXPECT_EQ(table.use()[1].source, "A");
  EXPECT_DOUBLE_EQ(totalEnergy(table.use()).value, 101 * 5.5 + 2 * 31.2);
  table.reset();
  EXPECT_EQ(totalEnergy(table.use()).value, 0);
}
