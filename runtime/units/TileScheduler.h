// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- TileScheduler.h - issues instructions that work on tiles -----------===//
#ifndef SPARSAM_RUNTIME_UNITS_TILESCHEDULER_H
#define SPARSAM_RUNTIME_UNITS_TILESCHEDULER_H

#include "runtime/kernel/Scheduler.h"
#include "runtime/kernel/Sequencer.h"
#include "runtime/units/WrittenRanges.h"

#include <array>
#include <cassert>
#include <initializer_list>
#include <optional>
#include <vector>

namespace sparsam::runtime {

/// Largest number of which the start of every tile row in memory `memory` is a multiple; the
/// memory's extent if no tile of the stage says.
int64_t tileGrain(const StageInfo &info, std::span<const AddressGenerator> generators,
                  unsigned memory);

/// A scheduler that finds out what an instruction waits for from the tiles that it reads and
/// writes. Tiles in DRAM and absent tiles are never waited for.
class TileScheduler : public Scheduler {
public:
  /// What a tile write covers whose rows do not touch each other.
  enum class Slices {
    /// From its first element to its last, with what lies between its rows.
    span,
    /// Its first row alone: for machines whose slices of a stripe differ in their first row, and
    /// whose readers read whole stripes or slices as they were written.
    firstRow
  };
  explicit TileScheduler(Slices slices = Slices::span) : slices_(slices) {}

  /// As Scheduler::addMemory.
  void addMemory(unsigned memory, int64_t elements, int64_t granule);
  /// Declares all on-chip memories of a stage.
  void addMemories(const StageInfo &info, std::span<const AddressGenerator> generators);

  using Scheduler::issue;
  /// Schedules one instruction, as Scheduler::issue does.
  Cycle issue(UnitId unit, const char *label, Hold hold, std::initializer_list<Tile> reads,
              std::initializer_list<Tile> writes, Cycle notBefore = Cycle()) {
    assert(reads.size() + writes.size() <= kMaxTiles && "raise kMaxTiles");
    std::array<Range, kMaxTiles> ranges;
    size_t count = 0;
    for (const Tile &tile : reads)
      if (tile.memory > 1) {
        if (!unwrittenRead_ && !written_[tile.memory].touches(tile))
          unwrittenRead_ = {label, tile.memory};
        ranges[count++] = spanOf(tile);
      }
    const size_t readCount = count;
    for (const Tile &tile : writes)
      if (tile.memory > 1) {
        written_[tile.memory].add(tile);
        ranges[count++] = writtenBy(tile);
      }
    std::span<const Range> all(ranges.data(), count);
    return issue(unit, label, hold, all.first(readCount), all.subspan(readCount), notBefore);
  }

  /// The first instruction, by its label, that read a tile of which nothing was written.
  struct UnwrittenRead {
    const char *label;
    unsigned memory;
  };
  const std::optional<UnwrittenRead> &unwrittenRead() const { return unwrittenRead_; }

private:
  static constexpr size_t kMaxTiles = 8;

  static Range spanOf(const Tile &t) {
    return {t.memory, t.offset, t.offset + (int64_t(t.rows) - 1) * t.rowStride + t.cols};
  }
  Range writtenBy(const Tile &t) const {
    bool isWhole = slices_ == Slices::span || t.rows == 1 || t.rowStride == int64_t(t.cols);
    return isWhole ? spanOf(t) : Range{t.memory, t.offset, t.offset + t.cols};
  }

  Slices slices_;
  std::vector<WrittenRanges> written_; ///< by memory number
  std::optional<UnwrittenRead> unwrittenRead_;
};

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_UNITS_TILESCHEDULER_H
