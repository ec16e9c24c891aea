// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ModelBench.cpp - how fast the model runs ---------------------------===//
//
// One attention core of BERT-base (12 heads, 512 tokens, 64 dimensions) at a density of about 0.1:
// a layer of the model. Counters: density, simulated cycles per second of the timing walk.
//

#include "targets/sanger/test/unit/TestCore.h"

#include "runtime/support/Parallel.h"

#include <benchmark/benchmark.h>

using namespace sparsam::sanger::test;
using namespace sparsam::runtime;

namespace {

Core bertLayer(const char *numerics) {
  // Normal values of this spread leave about a tenth of the pairs above the threshold.
  Core core({12, 512, 512, 64},
            {"tx=0.5", "ty=0.5", "threshold=0.005", std::string("numerics=") + numerics});
  core.data = CoreData(core.shape, 1, 1.2f);
  return core;
}

void functional(benchmark::State &state, const char *numerics) {
  setThreadCount(unsigned(state.range(0)));
  Core core = bertLayer(numerics);
  LaunchReport report;
  for (auto _ : state)
    report = core.run(RunMode::functional);
  state.counters["density"] = report.metrics["density"].get<double>();
  setThreadCount(0);
}
BENCHMARK_CAPTURE(functional, ref, "ref")
    ->Arg(1)
    ->Arg(2)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(functional, rtl, "rtl")->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

void timing(benchmark::State &state) {
  Core core = bertLayer("ref");
  core.run(RunMode::functional);
  int64_t cycles = 0;
  for (auto _ : state)
    cycles += core.run(RunMode::timing).cycles.value;
  state.counters["simulated_cycles"] =
      benchmark::Counter(double(cycles), benchmark::Counter::kIsRate);
}
BENCHMARK(timing)->Unit(benchmark::kMillisecond);

} // namespace

BENCHMARK_MAIN();
