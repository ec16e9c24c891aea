// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Scheduler.h - when each instruction starts and ends ----------------===//
//
// There is no global clock and no event queue. Units take instructions in program order, so one
// pass that keeps, per unit, the cycle at which it is free, and per buffer range, the cycles of its
// last write and last read, gives exact start and end times. An instruction waits for its unit, for
// the data it reads (read after write), for the readers and writers of what it overwrites (write
// after read, write after write), and for a place in its unit's queue. Double buffering appears
// because the compiler allocated two slots; no formula knows of it.
//
#ifndef SPARSAM_RUNTIME_KERNEL_SCHEDULER_H
#define SPARSAM_RUNTIME_KERNEL_SCHEDULER_H

#include "runtime/kernel/Machine.h"
#include "runtime/kernel/Units.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace sparsam::runtime {

using UnitId = unsigned;

/// A range of elements of one memory of the machine. memory 0 is unused, 1 is DRAM, m >= 2 on-chip
/// memory m-2, as in Descriptor.
struct Range {
  unsigned memory = 0;
  int64_t begin = 0, end = 0;
};

/// How long one instruction holds its unit and when its result can be used.
struct Hold {
  Cycle occupancy; ///< the unit takes the next instruction after these cycles
  Cycle latency{}; ///< the result is there this much later still (pipeline depth)
};

class Scheduler {
public:
  /// Declares a unit; its queue holds `queueDepth` waiting instructions.
  UnitId addUnit(std::string name, unsigned queueDepth);
  /// Declares how finely memory `memory` is tracked: accesses are rounded out to multiples of
  /// `granule` elements.
  void addMemory(unsigned memory, int64_t elements, int64_t granule);

  /// Schedules one instruction; returns the cycle at which its results are there. `label` names it
  /// in the timeline. Every memory in `reads` and `writes` must be declared; an instruction that
  /// changes a range in place reads and writes it. A reader holds its data until its occupancy
  /// ends, a writer's data is there after its latency.
  Cycle issue(UnitId unit, const char *label, Hold hold, std::span<const Range> reads,
              std::span<const Range> writes, Cycle notBefore = Cycle());

  /// The command processor waits for `cycle` before it issues anything else (a loop whose count is
  /// being made).
  void waitUntil(Cycle cycle);

  /// Cycle at which everything issued so far is done.
  Cycle finish() const;
  /// Start of a new launch: all units free at cycle 0, no dependencies.
  void reset();

  /// Busy cycles and instructions of each unit since the last reset, in the order of their
  /// declaration.
  std::vector<UnitUse> use() const;
  /// Sends one event per occupation to `timeline` (null: none), under the heading `process`.
  void setTimeline(TraceWriter *timeline, std::string process);

  struct State;
  Scheduler();
  ~Scheduler();

private:
  std::unique_ptr<State> state_;
};

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_KERNEL_SCHEDULER_H
