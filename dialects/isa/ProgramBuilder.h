// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ProgramBuilder.h - loops, buffers and addresses for lowerings ------===//
//
// What every lowering to a target's instructions writes around them.
//
#ifndef SPARSAM_DIALECTS_ISA_PROGRAMBUILDER_H
#define SPARSAM_DIALECTS_ISA_PROGRAMBUILDER_H

#include "isa/Isa.h"

namespace sparsam::isa {

/// A buffer of tiles and how many slots it rotates through.
struct Buffer {
  mlir::Value value;
  int64_t slots = 1;
};

/// Emits the body of a kernel in machine form. Addresses are affine expressions over the counters
/// of the loops around the insertion point, which loop() hands to its body.
class ProgramBuilder {
public:
  ProgramBuilder(mlir::OpBuilder &builder, mlir::Location loc) : builder(builder), loc(loc) {}

  mlir::OpBuilder &getBuilder() { return builder; }
  mlir::Location getLoc() const { return loc; }

  /// A buffer of [slots, rows, cols] in the on-chip memory `memory`; with `isElastic`, one slot
  /// would do as well as two.
  Buffer alloc(llvm::StringRef memory, int64_t slots, bool isElastic, int64_t rows, int64_t cols,
               mlir::Type element);

  mlir::AffineExpr constant(int64_t value) {
    return mlir::getAffineConstantExpr(value, builder.getContext());
  }
  mlir::AffineExpr zero() { return constant(0); }

  /// Repeats `body`, which gets the loop counter; without a loop where it would run once.
  void loop(int64_t count, llvm::function_ref<void(mlir::AffineExpr)> body);
  /// Repeats `body` as often as a counter register says.
  void loop(mlir::Value counter, llvm::function_ref<void(mlir::AffineExpr)> body);

  /// The tile of `rows` x `cols` elements of `source` that begins at `starts`.
  mlir::Value view(mlir::Value source, llvm::ArrayRef<mlir::AffineExpr> starts, int64_t rows,
                   int64_t cols);
  /// The tile at (row, col) of the slot that turn `turn` uses.
  mlir::Value view(const Buffer &buffer, mlir::AffineExpr turn, mlir::AffineExpr row,
                   mlir::AffineExpr col, int64_t rows, int64_t cols);
  mlir::Value index(mlir::AffineExpr expr);

  /// Emits an instruction.
  template <typename Op, typename... Args> Op emit(Args &&...args) {
    return Op::create(builder, loc, std::forward<Args>(args)...);
  }

private:
  /// The map of `starts` over those counters that it depends on, and these.
  std::pair<mlir::AffineMap, llvm::SmallVector<mlir::Value>>
  mapOf(llvm::ArrayRef<mlir::AffineExpr> starts);
  void enter(LoopOp op, llvm::function_ref<void(mlir::AffineExpr)> body);

  mlir::OpBuilder &builder;
  mlir::Location loc;
  llvm::SmallVector<mlir::Value> counters; ///< of the loops around the insertion point
};

/// A tensor of a kernel in DRAM, as an argument of its machine form.
mlir::MemRefType getDramType(mlir::RankedTensorType type);
/// The same with batch and heads, the first two of four dimensions, as one.
mlir::MemRefType getFlatDramType(mlir::RankedTensorType type);

/// The types in DRAM of all tensors of a kernel: arguments, then results. Those of which `isFlat`
/// says so have batch and heads as one; a tensor of no dimensions becomes one of 1 x 1.
llvm::SmallVector<mlir::Type> getDramTypes(KernelOp kernel,
                                           llvm::function_ref<bool(size_t number)> isFlat);

/// Brings a kernel from tensor form to machine form: its arguments get `types` (inputs, then
/// results), its body becomes what `emit` emits, given the arguments.
void rewriteKernel(KernelOp kernel, llvm::ArrayRef<mlir::Type> types,
                   llvm::function_ref<void(mlir::OpBuilder &, mlir::ValueRange)> emit);

/// Calls `lower` for each kernel of `module` that is for `target` and in tensor form, with its
/// machine. Stops at the first failure.
mlir::LogicalResult lowerKernels(mlir::ModuleOp module, llvm::StringRef target,
                                 llvm::function_ref<mlir::LogicalResult(KernelOp, ArchAttr)> lower);

} // namespace sparsam::isa

#endif // SPARSAM_DIALECTS_ISA_PROGRAMBUILDER_H
