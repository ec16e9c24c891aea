// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Schedule.h - the order of instructions of one attention ------------===//
#ifndef SPARSAM_TARGETS_SANGER_COMPILER_SCHEDULE_H
#define SPARSAM_TARGETS_SANGER_COMPILER_SCHEDULE_H

#include "Sanger.h"

namespace sparsam::sanger {

/// One attention core: shapes, and the fields of `sanger.config`.
struct Core {
  int64_t batch, heads, queries, keys, headDim;
  bool hasBias;
  int64_t biasBatch, biasHeads, biasQueries; ///< shape of the additive mask before its keys
  bool predict;
  int64_t bits;
  bool normalize;
  double threshold, qRange, kRange; ///< 0 where nothing is predicted
  double scale;
  bool causal;
  EmptyRowMode emptyRow;
  BlockEncoder encoder;
};

/// What the schedule needs to know of the machine.
struct Geometry {
  int64_t lowbitRows, lowbitCols, stripe;
  int64_t queryBytes, keyBytes, biasBytes; ///< capacities
};

/// Emits the instructions of `core` at `builder`. `arguments` are the kernel's memrefs in DRAM:
/// query, key, value, the bias if there is one, output; batch and heads are one dimension in all
/// but the bias.
///
/// Where two heads fit into the buffers of Q and K, the prediction of head h+1 is issued before the
/// sparse part of head h: the command processor waits for the number of blocks of head h, and the
/// prediction pipe would stand still meanwhile.
void emitSchedule(mlir::OpBuilder &builder, mlir::Location loc, const Core &core,
                  const Geometry &geometry, mlir::ValueRange arguments);

} // namespace sparsam::sanger

#endif // SPARSAM_TARGETS_SANGER_COMPILER_SCHEDULE_H
