// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Core.h - one attention core with its rankings ----------------------===//
#ifndef SPARSAM_TARGETS_SPATTEN_COMPILER_CORE_H
#define SPARSAM_TARGETS_SPATTEN_COMPILER_CORE_H

#include "Spatten.h"

#include "sattn/Sattn.h"

namespace sparsam::spatten {

/// A ranking of accumulated scores.
struct RankingCore {
  int64_t k = 0, protectFirst = 0, protectLast = 0;
  int64_t result = -1; ///< of the kernel; -1: there is no ranking
};

/// What a kernel in tensor form computes. Operands are numbers of the kernel's arguments, -1 where
/// there is none; results are numbers of its results.
struct Core {
  int64_t batch = 1, heads = 1, queries = 1, keys = 1, headDim = 1;
  int64_t seenKeys = 1; ///< all, or as many as the token list names
  double scale = 1;
  bool causal = false;
  bool words = false;
  int64_t msb = 8, lsb = 4, valueBits = 8, values = 1;
  double threshold = 0, qRange = 0, kRange = 0, vRange = 0;
  bool forceLsb = true;
  int64_t query = -1, key = -1, value = -1, tokens = -1, bias = -1;
  int64_t headList = -1;   ///< which heads of keys and values are meant, of each entry
  int64_t sourceHeads = 0; ///< heads that keys and values have in DRAM
  std::array<int64_t, 4> biasShape{};
  int64_t querySlots = 1, outputSlots = 1, biasSlots = 1; ///< rows that the buffers hold
  int64_t tokenScores = -1, headScores = -1;              ///< kFromZero: they start at zero
  int64_t output = -1, newTokenScores = -1, newHeadScores = -1;
  RankingCore tokenRanking, headRanking;
  int64_t valid = -1; ///< how many keys exist
  /// A ranking before the attention, whose survivors are the token list.
  RankingCore listRanking;
  int64_t listScores = -1, listed = 0; ///< ranked scores, and how many there are

  static constexpr int64_t kFromZero = -2;

  bool hasList() const { return tokens >= 0 || listRanking.result >= 0; }
  bool hasHeadList() const { return headList >= 0; }
  bool accumulatesTokens() const { return tokenScores != -1; }
  bool accumulatesHeads() const { return headScores != -1; }
  /// Scores that the machine holds at a time.
  int64_t scoreCount() const {
    return listed + (accumulatesTokens() ? seenKeys : 0) + (accumulatesHeads() ? heads : 0);
  }
};

/// Reads a kernel in tensor form; emits an error at the op that the machine cannot run.
mlir::FailureOr<Core> readCore(isa::KernelOp kernel, isa::ArchAttr arch);

/// Emits the instructions of `core`; `arguments` are the kernel's memrefs: inputs, then results.
void emitSchedule(mlir::OpBuilder &builder, mlir::Location loc, const Core &core, size_t inputs,
                  mlir::ValueRange arguments);

} // namespace sparsam::spatten

#endif // SPARSAM_TARGETS_SPATTEN_COMPILER_CORE_H
