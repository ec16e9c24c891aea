// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Plan.h - a kernel as steps on matrices -----------------------------===//
//
// Between the ops of a kernel and the instructions: what is computed from what, in which pages of
// the activation memory, with which scales.
//
#ifndef SPARSAM_TARGETS_STA_COMPILER_PLAN_H
#define SPARSAM_TARGETS_STA_COMPILER_PLAN_H

#include "Sta.h"

#include <optional>
#include <variant>

namespace sparsam::sta {

/// A [tokens, width] value of one batch entry. It lies in pages of Plan::pageWidth columns.
struct Matrix {
  int64_t tokens = 0, width = 0;
  int64_t fraction = 0; ///< fraction bits; 0 with numerics=float
  size_t lastUse = 0;   ///< step
  llvm::SmallVector<int64_t> pages;
};

/// Columns of a matrix.
struct Columns {
  size_t matrix = 0;
  int64_t first = 0, width = 0;
};

/// A tensor between DRAM and a matrix, or columns of one that lie in one page; with `heads`, it is
/// [batch, heads, tokens, size].
struct TransferStep {
  Columns columns;
  unsigned argument; ///< of the kernel in machine form
  bool isStore;
  int64_t heads; ///< 0: [batch, tokens, width]
};

/// A vector that is held in the constant memory: argument and fraction bits.
struct Vector {
  unsigned argument;
  int64_t width;
  int64_t fraction;
};

struct LinearStep {
  size_t source, destination;
  std::optional<size_t> residual;
  unsigned values;
  std::optional<unsigned> bitmaps;
  std::optional<Vector> bias;
  int64_t outputs, inputs, valuesPerRow;
  int64_t weightFraction, shift;
  Function function;
};

struct NormStep {
  size_t source, destination;
  Vector scale;
  std::optional<Vector> bias;
  double epsilon;
};

struct AttentionStep {
  Columns query, key, value;
  size_t destination;
  int64_t heads, queries, keys, size;
  double scale;
  bool causal;
  std::optional<unsigned> mask;
  int64_t maskBatch, maskHeads, maskQueries;
  int64_t scoreFraction, scoreShift, probabilityFraction;
};

using Step = std::variant<TransferStep, LinearStep, NormStep, AttentionStep>;

struct Plan {
  int64_t entries = 1; ///< of the batch
  int64_t pageWidth = 0, pageRows = 0, pages = 0;
  std::vector<Matrix> matrices;
  std::vector<Step> steps;
  llvm::SmallVector<mlir::Type> arguments; ///< of the kernel in machine form

  /// The attention of the kernel, for `sta.config`; null if there is none.
  const AttentionStep *attention() const;
};

/// Reads a kernel in tensor form. Errors are emitted at the op that does not fit.
mlir::FailureOr<Plan> makePlan(isa::KernelOp kernel, isa::ArchAttr arch);

/// Gives the matrices of `plan`, whose steps are complete, their pages.
mlir::LogicalResult choosePages(isa::KernelOp kernel, Plan &plan);

/// Emits the instructions of `plan`. `arguments` are the kernel's memrefs in DRAM.
void emitSchedule(mlir::OpBuilder &builder, mlir::Location loc, const Plan &plan,
                  const Engine &engine, unsigned weightBits, mlir::ValueRange arguments);

} // namespace sparsam::sta

#endif // SPARSAM_TARGETS_STA_COMPILER_PLAN_H
