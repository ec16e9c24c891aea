// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ReportTest.cpp - reports for programs and for people ---------------===//

#include "runtime/report/Report.h"

#include "runtime/test/TestFiles.h"
#include "runtime/test/ToyIsa.h"

using namespace sparsam::runtime;

static std::shared_ptr<const Program> program() {
  static std::vector<uint64_t> bytes = toy::programFile(toy::exampleStage());
  auto result = Program::fromBytes(toy::bytesOf(bytes), nullptr, "t.spx");
  EXPECT_TRUE(result.ok()) << message(result);
  return result.take();
}

static Arch arch() {
  auto spec = ArchSpec::parse("target: toy\nsummary: Toy\nparameters:\n  All:\n"
                              "    clock_mhz: {value: 500, summary: Clock, source: P}\n",
                              "toy.yaml");
  EXPECT_TRUE(spec.ok()) << message(spec);
  return Arch(spec.take());
}

static RunResult twoLaunches() {
  RunResult result;
  for (int i = 0; i < 2; ++i) {
    LaunchReport launch;
    launch.kernel = "attention_" + std::to_string(i);
    launch.cycles = Cycle(1000 * (i + 1));
    launch.units = {{"array", Cycle(300), 3}, {"dma", Cycle(100), 2}};
    launch.dramRead = Bytes(64);
    launch.energy = {{"mac", 10, 2.5, "A"}};
    launch.instructions = 5;
    launch.metrics["density"] = 0.25 * (i + 1);
    result.launches.push_back(launch);
  }
  result.host = {{"onnx.Gelu", "n1", 1e-3, 2e9, 8},
                 {"onnx.Gelu", "n2", 2e-3, 1e9, 8},
                 {"onnx.Add", "n3", 1e-3, 0, 8}};
  return result;
}

TEST(Report, adds_launches_and_host_kernels_up) {
  Arch values = arch();
  auto report = makeReport(twoLaunches(), RunMode::full, *program(), &values);
  EXPECT_EQ(report["target"], "toy");
  EXPECT_EQ(report["mode"], "full");
  EXPECT_EQ(report["parameters"]["clock_mhz"], 500);
  const auto &total = report["accelerator"];
  EXPECT_EQ(total["cycles"], 3000);
  EXPECT_DOUBLE_EQ(total["seconds"].get<double>(), 3000 / 500e6);
  EXPECT_EQ(total["dram_read_bytes"], 128);
  EXPECT_DOUBLE_EQ(total["energy_picojoules"].get<double>(), 50);
  EXPECT_EQ(total["units"][0]["busy_cycles"], 600);
  EXPECT_DOUBLE_EQ(total["units"][0]["utilization"].get<double>(), 0.2);
  EXPECT_EQ(report["launches"][1]["metrics"]["density"], 0.5);
  EXPECT_EQ(report["host"]["kernels"][0]["calls"], 2);
  EXPECT_DOUBLE_EQ(report["host"]["seconds"].get<double>(), 4e-3);
}

TEST(Report, has_no_time_in_functional_runs) {
  auto report = makeReport(twoLaunches(), RunMode::functional, *program(), nullptr);
  EXPECT_FALSE(report["accelerator"].contains("cycles"));
  EXPECT_FALSE(report["launches"][0].contains("units"));
  EXPECT_FALSE(report.contains("parameters"));
  EXPECT_NE(formatReport(report).find("attention_1"), std::string::npos);
}

TEST(Report, is_printed_as_tables) {
  Arch values = arch();
  std::string text = formatReport(makeReport(twoLaunches(), RunMode::full, *program(), &values));
  EXPECT_NE(text.find("accelerator toy\n  cycles          3 000\n  time            6 us\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("  array          600       20.0 %             6\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("  attention_0   1 000  2 us   25 pJ     0.25\n"), std::string::npos) << text;
  EXPECT_NE(text.find("  onnx.Gelu          2  3 ms      3\n"), std::string::npos) << text;
}
