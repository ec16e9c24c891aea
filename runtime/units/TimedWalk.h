// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- TimedWalk.h - the walk that counts cycles --------------------------===//
#ifndef SPARSAM_RUNTIME_UNITS_TIMEDWALK_H
#define SPARSAM_RUNTIME_UNITS_TIMEDWALK_H

#include "runtime/kernel/Sequencer.h"
#include "runtime/units/Dma.h"

namespace sparsam::runtime {

/// Prepares `scheduler` for a launch of `stage`: its memories, and the timeline, if not null.
template <typename Isa>
void beginTimedWalk(TileScheduler &scheduler, const Stage<Isa> &stage, TraceWriter *timeline) {
  scheduler.addMemories(stage.info(), stage.generators());
  if (timeline)
    scheduler.setTimeline(timeline, stage.info().target);
}

/// Walks `stage`: calls execute(instruction struct, Addressing &) for each instruction, as
/// Stage::walk does, and reports what `scheduler` and `dma` have counted then. Refuses programs
/// that read what they have not written.
template <typename Isa, typename Execute>
Status walkTimed(const Stage<Isa> &stage, std::span<const TensorView> bindings,
                 const TileScheduler &scheduler, const Dma &dma, LaunchReport &report,
                 Execute &&execute) {
  int64_t instructions = 0;
  Status status = stage.walk(bindings, [&](const auto &instruction, Addressing &addressing) {
    ++instructions;
    return execute(instruction, addressing);
  });
  report.cycles = scheduler.finish();
  report.units = scheduler.use();
  report.dramRead = dma.dram().bytesRead();
  report.dramWritten = dma.dram().bytesWritten();
  report.instructions = instructions;
  if (const auto &read = scheduler.unwrittenRead())
    return readsUnwritten(stage.info().name, read->label,
                          stage.info().memories[read->memory - 2].name);
  return status;
}

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_UNITS_TIMEDWALK_H
