// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- TimingTest.cpp - cycles of whole attention cores -------------------===//

#include "TestCore.h"
#include "targets/sanger/model/ClosedForms.h"
#include "targets/sanger/model/Statistics.h"

using namespace sparsam::sanger;
using namespace sparsam::sanger::test;
using namespace sparsam::runtime;

namespace {

CoreShape square(int64_t heads, int64_t tokens, bool predicts = true) {
  CoreShape shape{heads, tokens, tokens, 64};
  shape.predicts = predicts;
  return shape;
}

const std::vector<std::string> kCalibrated{"tx=0.5", "ty=0.5", "threshold=0.004"};

std::vector<std::string> with(std::vector<std::string> settings,
                              const std::vector<std::string> &more) {
  settings.insert(settings.end(), more.begin(), more.end());
  return settings;
}

Cycle busy(const LaunchReport &report, const std::string &unit) {
  for (const UnitUse &use : report.units)
    if (use.unit == unit)
      return use.busy;
  ADD_FAILURE() << "no unit " << unit;
  return Cycle();
}

/// A core that replays given masks.
LaunchReport replay(const CoreShape &shape, const std::vector<std::string> &settings,
                    const BitTensor &masks) {
  Core core(shape, settings);
  core.masks.kernels["attention_0"] = masks;
  return core.run(RunMode::timing);
}

TEST(SangerTiming, ReplayGivesTheCyclesOfTheFullRun) {
  for (const char *encoder : {"encoder=subrow", "encoder=column_cut"}) {
    auto settings = with(kCalibrated, {encoder});
    Core core(square(3, 200), settings);
    LaunchReport full = core.run(RunMode::full);
    LaunchReport timing = replay(square(3, 200), settings, core.mask());
    EXPECT_GT(full.cycles, Cycle());
    EXPECT_EQ(full.cycles, timing.cycles);
    EXPECT_EQ(full.metrics, timing.metrics);
    EXPECT_EQ(busy(full, "rsa"), busy(timing, "rsa"));
    EXPECT_EQ(full.dramRead, timing.dramRead);
  }
}

TEST(SangerTiming, ArrayIsBusyForItsBlocks) {
  BitTensor masks = bernoulliMask(4, 256, 256, 0.1, 1);
  for (const char *overlap : {"none", "partial", "full"}) {
    auto settings = with(kCalibrated, {std::string("overlap=") + overlap});
    LaunchReport report = replay(square(4, 256), settings, masks);
    auto params = Params::from(makeArch(settings));
    int64_t blocks = report.metrics["blocks"].get<int64_t>();
    EXPECT_EQ(busy(report, "rsa"), Cycle(blocks * blockCycles(*params, 64))) << overlap;
    EXPECT_EQ(busy(report, "lowbit"), Cycle(4 * 4 * 4 * 64)) << overlap;
    EXPECT_EQ(busy(report, "packer"), Cycle(4 * 4 * 4 * 64)) << overlap;
  }
}

TEST(SangerTiming, SimulationIsNearTheClosedForm) {
  BitTensor masks = bernoulliMask(12, 512, 512, 0.1, 2);
  for (const char *overlap : {"none", "partial", "full"}) {
    LaunchReport report =
        replay(square(12, 512), with(kCalibrated, {std::string("overlap=") + overlap}), masks);
    double simulated = double(report.cycles.value),
           closed = report.metrics["cycles_closed_form"].get<double>();
    // The simulation pays fill and drain of each unit, the closed form pays each head's slowest
    // part alone.
    EXPECT_NEAR(simulated / closed, 1, 0.05) << overlap << ": " << simulated << " and " << closed;
  }
}

TEST(SangerTiming, PredictionOverlapsTheSparsePart) {
  BitTensor masks = bernoulliMask(8, 256, 256, 0.1, 3);
  LaunchReport report = replay(square(8, 256), kCalibrated, masks);
  int64_t serial = (busy(report, "lowbit") + busy(report, "rsa")).value;
  EXPECT_LT(report.cycles.value, serial);
  EXPECT_GT(double(busy(report, "rsa").value) / double(report.cycles.value), 0.85);
}

TEST(SangerTiming, OneBlockTakesItsSteps) {
  // One head, 64 tokens, one kept pair: the tail behind the transfers is prediction, packing, one
  // block, division.
  BitTensor one(1, 1, 64, 64), none(1, 1, 64, 64);
  one.set(0, 0, 0);
  auto settings = with(kCalibrated, {"overlap=none"});
  int64_t withBlock = replay(square(1, 64), settings, one).cycles.value;
  int64_t withoutBlock = replay(square(1, 64), settings, none).cycles.value;
  EXPECT_EQ(withBlock - withoutBlock, blockCycles(*Params::from(makeArch(settings)), 64));
}

TEST(SangerTiming, MoreWorkTakesMoreTime) {
  int64_t last = 0;
  for (double density : {0.02, 0.1, 0.3, 0.9}) {
    int64_t cycles =
        replay(square(2, 256), kCalibrated, bernoulliMask(2, 256, 256, density, 4)).cycles.value;
    EXPECT_GT(cycles, last) << "density " << density;
    last = cycles;
  }
}

TEST(SangerTiming, TrafficIsEachTensorOnce) {
  LaunchReport report = replay(square(2, 100), kCalibrated, bernoulliMask(2, 100, 100, 0.1, 5));
  EXPECT_EQ(report.dramRead, Bytes(3 * 2 * 100 * 64 * 2));
  EXPECT_EQ(report.dramWritten, Bytes(2 * 100 * 64 * 2));
}

TEST(SangerTiming, NarrowMemoryBoundsTheTime) {
  BitTensor masks = bernoulliMask(4, 256, 256, 0.05, 6);
  LaunchReport narrow =
      replay(square(4, 256), with(kCalibrated, {"dram_bandwidth_gbps=0.5"}), masks);
  EXPECT_GE(narrow.cycles.value, 4 * 256 * 64 * 2 * 4); // 1 byte per cycle
}

TEST(SangerTiming, EnergyIsPowerTimesTime) {
  LaunchReport report = replay(square(2, 128), kCalibrated, bernoulliMask(2, 128, 128, 0.1, 7));
  double picojoules = 0, dram = 0;
  for (const EnergyUse &use : report.energy)
    (use.event == "dram bit" ? dram : picojoules) += use.count * use.picojoulesEach;
  double seconds = double(report.cycles.value) / 500e6;
  EXPECT_NEAR(picojoules * 1e-12 / (2.76 * seconds), 1, 1e-9);
  EXPECT_DOUBLE_EQ(dram, 3.9 * 8 * double((report.dramRead + report.dramWritten).value));
}

TEST(SangerTiming, ReportsTheHighWaterOfTheBlockLists) {
  BitTensor masks = bernoulliMask(4, 128, 128, 0.2, 8);
  LaunchReport report = replay(square(4, 128), kCalibrated, masks);
  int64_t most = report.metrics["block_list_high_water_subrows"].get<int64_t>();
  EXPECT_GT(most, report.metrics["subrows"].get<int64_t>() / 4);
  EXPECT_LT(most, report.metrics["subrows"].get<int64_t>()) << "only two heads are held at a time";
}

TEST(SangerTiming, FunctionalRunHasNoCycles) {
  Core core(square(1, 64), kCalibrated);
  LaunchReport report = core.run(RunMode::functional);
  EXPECT_EQ(report.cycles, Cycle());
  EXPECT_EQ(report.metrics["nnz"], core.mask().count());
}

} // namespace
