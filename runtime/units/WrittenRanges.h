// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- WrittenRanges.h - where a program has written ----------------------===//
#ifndef SPARSAM_RUNTIME_UNITS_WRITTENRANGES_H
#define SPARSAM_RUNTIME_UNITS_WRITTENRANGES_H

#include "runtime/kernel/Sequencer.h"

#include <string>
#include <utility>
#include <vector>

namespace sparsam::runtime {

/// Where a program has written in one memory. A tile counts from its first element to its last,
/// with what lies between its rows.
class WrittenRanges {
public:
  void add(const Tile &tile) {
    if (const Range range = spanOf(tile); !contains(largest_, range))
      insert(range);
  }
  /// Whether something was written where `tile` lies.
  bool touches(const Tile &tile) const {
    const Range range = spanOf(tile);
    return contains(largest_, range) || touchesAny(range);
  }

private:
  using Range = std::pair<int64_t, int64_t>; ///< begin, end

  static Range spanOf(const Tile &t) {
    return {t.offset, t.offset + (int64_t(t.rows) - 1) * t.rowStride + t.cols};
  }
  static bool contains(const Range &outer, const Range &inner) {
    return outer.first <= inner.first && inner.second <= outer.second;
  }
  bool touchesAny(const Range &range) const;
  /// Makes one range of `added` and those that it reaches.
  void insert(Range added);

  std::vector<Range> ranges_; ///< in no order, with gaps between them
  Range largest_{0, 0};       ///< programs reuse their buffers: soon it is all that they write
};

/// Says that `instruction` of `kernel` reads a tile of which nothing was written: the program lacks
/// an instruction, and what it computes means nothing.
inline Error readsUnwritten(const std::string &kernel, const char *instruction,
                            const std::string &memory) {
  return makeError("kernel '", kernel, "': '", instruction, "' reads memory '", memory,
                   "' where no instruction has written");
}

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_UNITS_WRITTENRANGES_H
