// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Schedule.h - the passes of one attention ---------------------------===//
#ifndef SPARSAM_TARGETS_SALO_COMPILER_SCHEDULE_H
#define SPARSAM_TARGETS_SALO_COMPILER_SCHEDULE_H

#include "Factors.h"

namespace sparsam::salo {

/// One attention core. Tokens lie in `segments` residue classes of `tokens` tokens each.
struct Core {
  int64_t batch, heads, tokens, keys, segments, headDim; ///< tokens: queries of a segment
  bool hasMask;
  int64_t maskBatch, maskHeads; ///< of the additive mask of keys
  Factors factors;
  /// Windows of at most as many keys as the array has columns.
  llvm::SmallVector<std::pair<int64_t, int64_t>> windows; ///< offset, keys
  llvm::SmallVector<int64_t> globals;                     ///< positions, segment by segment
};

/// What the schedule needs to know of the machine.
struct Geometry {
  int64_t rows, cols, globals;
};

/// One pass of a tile.
struct PassPlan {
  int64_t offset = 0; ///< of the first key of row 0 from the tile's first query
  int64_t cols = 0;
  int64_t keyGroup = -1, queryGroup = -1; ///< of the globals that take part; -1: none
  int64_t rowFrom = 0, rowTo = 0, rowCols = 0;

  bool operator==(const PassPlan &) const = default;
};

/// The passes of a segment.
struct Plan {
  llvm::SmallVector<PassPlan> passes; ///< of every tile
  llvm::SmallVector<PassPlan> extra;  ///< of the first tile, behind its others
};

/// The passes of the windows, in which the first `Geometry::globals` global tokens take part, and
/// more for the others. Keys that the windows never show the last row pass it in extra passes.
Plan planPasses(const Core &core, const Geometry &geometry);

/// Emits the instructions of `core`. `arguments` are the kernel's memrefs in DRAM, [heads, tokens,
/// segments * dimensions]: query, key, value, the mask of keys if there is one ([batch, heads,
/// keys, segments]), output.
void emitSchedule(mlir::OpBuilder &builder, mlir::Location loc, const Core &core,
                  const Geometry &geometry, mlir::ValueRange arguments);

} // namespace sparsam::salo

#endif // SPARSAM_TARGETS_SALO_COMPILER_SCHEDULE_H
