// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Scheduler.cpp - when each instruction starts and ends --------------===//
//
// The state of a memory is a sorted list of ranges with the cycles of their last write and last
// read. A program works on few slots, so the lists stay short; a write over several ranges makes
// one range of them again.
//

#include "runtime/kernel/Scheduler.h"

#include "runtime/kernel/TraceWriter.h"

#include <algorithm>
#include <cassert>

namespace sparsam::runtime {

namespace {

/// From `begin` to the begin of the next range: when the data is there, and when the last reader is
/// done with it.
struct Access {
  int64_t begin;
  int64_t written, read;
};

struct TrackedMemory {
  int64_t elements = 0, granule = 0;
  std::vector<Access> ranges; ///< sorted by begin; ranges[0].begin == 0
};

struct Unit {
  std::string name;
  unsigned queueDepth = 0;
  int64_t free = 0;
  int64_t busy = 0, instructions = 0;
  std::vector<int64_t> starts; ///< of the last queueDepth instructions, as a ring
  size_t ring = 0;
  int thread = -1; ///< in the timeline
};

} // namespace

struct Scheduler::State {
  std::vector<Unit> units;
  std::vector<TrackedMemory> memories; ///< by memory number
  int64_t command = 0;                 ///< when the command processor can issue
  int64_t finish = 0;
  TraceWriter *timeline = nullptr;
  int process = -1;

  TrackedMemory &memory(const Range &range) {
    assert(range.memory < memories.size() && memories[range.memory].granule > 0 &&
           "memory is not declared");
    return memories[range.memory];
  }
};

/// First range of `memory` that begins at or behind `at`, made by splitting where there is none;
/// its index.
static size_t splitAt(TrackedMemory &memory, int64_t at) {
  std::vector<Access> &ranges = memory.ranges;
  auto it = std::lower_bound(ranges.begin(), ranges.end(), at,
                             [](const Access &a, int64_t value) { return a.begin < value; });
  size_t index = size_t(it - ranges.begin());
  if (it == ranges.end() || it->begin != at) {
    Access part = ranges[index - 1];
    part.begin = at;
    ranges.insert(it, part);
  }
  return index;
}

/// [begin, end) rounded out to granules and clipped to the memory; empty where nothing is left.
static std::pair<int64_t, int64_t> rounded(const TrackedMemory &memory, const Range &range) {
  int64_t begin = std::max<int64_t>(range.begin, 0) / memory.granule * memory.granule;
  int64_t end =
      std::min((range.end + memory.granule - 1) / memory.granule * memory.granule, memory.elements);
  return {begin, std::max(begin, end)};
}

/// Latest cycle of `value` over the ranges that overlap.
template <typename Value>
static int64_t latest(const TrackedMemory &memory, const Range &range, Value value) {
  auto [begin, end] = rounded(memory, range);
  const std::vector<Access> &ranges = memory.ranges;
  auto it = std::upper_bound(ranges.begin(), ranges.end(), begin,
                             [](int64_t at, const Access &a) { return at < a.begin; });
  int64_t cycle = 0;
  for (it = std::prev(it); it != ranges.end() && it->begin < end; ++it)
    cycle = std::max(cycle, value(*it));
  return cycle;
}

static void markRead(TrackedMemory &memory, const Range &range, int64_t cycle) {
  auto [begin, end] = rounded(memory, range);
  if (begin == end)
    return;
  size_t first = splitAt(memory, begin);
  size_t last = end < memory.elements ? splitAt(memory, end) : memory.ranges.size();
  for (size_t i = first; i < last; ++i)
    memory.ranges[i].read = std::max(memory.ranges[i].read, cycle);
}

static void markWritten(TrackedMemory &memory, const Range &range, int64_t cycle) {
  auto [begin, end] = rounded(memory, range);
  if (begin == end)
    return;
  size_t first = splitAt(memory, begin);
  size_t last = end < memory.elements ? splitAt(memory, end) : memory.ranges.size();
  // Readers of the old data are done: the writer waited for them.
  memory.ranges[first].written = cycle;
  memory.ranges[first].read = 0;
  memory.ranges.erase(memory.ranges.begin() + long(first) + 1, memory.ranges.begin() + long(last));
}

Scheduler::Scheduler() : state_(std::make_unique<State>()) {}
Scheduler::~Scheduler() = default;

UnitId Scheduler::addUnit(std::string name, unsigned queueDepth) {
  Unit unit;
  unit.name = std::move(name);
  unit.queueDepth = queueDepth;
  unit.starts.assign(queueDepth, 0);
  if (state_->timeline)
    unit.thread = state_->timeline->addThread(state_->process, unit.name);
  state_->units.push_back(std::move(unit));
  return UnitId(state_->units.size() - 1);
}

void Scheduler::addMemory(unsigned memory, int64_t elements, int64_t granule) {
  assert(granule > 0 && elements >= 0 && "a memory has elements and a granule");
  if (memory >= state_->memories.size())
    state_->memories.resize(memory + 1);
  state_->memories[memory] = {(elements + granule - 1) / granule * granule, granule, {{0, 0, 0}}};
}

Cycle Scheduler::issue(UnitId id, const char *label, Hold hold, std::span<const Range> reads,
                       std::span<const Range> writes, Cycle notBefore) {
  assert(id < state_->units.size() && "unit is not declared");
  Unit &unit = state_->units[id];
  int64_t ready = std::max(unit.free, notBefore.value);
  for (const Range &range : reads)
    ready = std::max(
        ready, latest(state_->memory(range), range, [](const Access &a) { return a.written; }));
  for (const Range &range : writes)
    ready = std::max(ready, latest(state_->memory(range), range,
                                   [](const Access &a) { return std::max(a.written, a.read); }));

  // A place in the queue is free when the instruction `queueDepth` before this one has started;
  // without a queue the command processor itself waits for the unit.
  int64_t issued = state_->command;
  if (unit.queueDepth > 0)
    issued = std::max(issued, unit.starts[unit.ring]);
  int64_t start = std::max(ready, issued);
  state_->command = unit.queueDepth > 0 ? issued : start;
  if (unit.queueDepth > 0) {
    unit.starts[unit.ring] = start;
    unit.ring = unit.ring + 1 == unit.queueDepth ? 0 : unit.ring + 1;
  }

  int64_t end = start + hold.occupancy.value, done = end + hold.latency.value;
  unit.free = end;
  unit.busy += hold.occupancy.value;
  ++unit.instructions;
  state_->finish = std::max(state_->finish, done);
  for (const Range &range : reads)
    markRead(state_->memory(range), range, end);
  for (const Range &range : writes)
    markWritten(state_->memory(range), range, done);
  if (state_->timeline && end > start)
    state_->timeline->addEvent(unit.thread, label, Cycle(start), hold.occupancy);
  return Cycle(done);
}

void Scheduler::waitUntil(Cycle cycle) { state_->command = std::max(state_->command, cycle.value); }

Cycle Scheduler::finish() const { return Cycle(state_->finish); }

void Scheduler::reset() {
  for (Unit &unit : state_->units) {
    unit.free = unit.busy = unit.instructions = 0;
    unit.ring = 0;
    std::fill(unit.starts.begin(), unit.starts.end(), 0);
  }
  for (TrackedMemory &memory : state_->memories)
    memory.ranges.assign(1, {0, 0, 0});
  state_->command = state_->finish = 0;
}

std::vector<UnitUse> Scheduler::use() const {
  std::vector<UnitUse> use;
  for (const Unit &unit : state_->units)
    use.push_back({unit.name, Cycle(unit.busy), unit.instructions});
  return use;
}

void Scheduler::setTimeline(TraceWriter *timeline, std::string process) {
  state_->timeline = timeline;
  state_->process = timeline ? timeline->addProcess(process) : -1;
  for (Unit &unit : state_->units)
    unit.thread = timeline ? timeline->addThread(state_->process, unit.name) : -1;
}

} // namespace sparsam::runtime
