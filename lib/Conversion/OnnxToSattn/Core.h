// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Core.h - an attention core found in a graph ------------------------===//
#ifndef SPARSAM_LIB_CONVERSION_ONNXTOSATTN_CORE_H
#define SPARSAM_LIB_CONVERSION_ONNXTOSATTN_CORE_H

#include "onnx/Onnx.h"
#include "sattn/Sattn.h"

#include <string>

namespace sparsam {

/// Operands of attention, with heads apart: [batch, heads, tokens, size].
struct Core {
  mlir::Value query, key, value;
  mlir::Value mask; ///< added to the scores, four dimensions; null: none
  double scale = 1;
  bool causal = false;
};

/// Builds onnx ops with inferred types, folded where their operands are constants.
class OnnxBuilder {
public:
  OnnxBuilder(mlir::OpBuilder &builder, mlir::Location loc) : builder(builder), loc(loc) {}

  /// An op whose result type follows from its operands.
  template <typename Op, typename... Args> mlir::Value make(Args &&...args) {
    auto placeholder = mlir::UnrankedTensorType::get(builder.getF32Type());
    return finish(Op::create(builder, loc, placeholder, std::forward<Args>(args)...));
  }
  mlir::Value integers(llvm::ArrayRef<int64_t> values);
  mlir::Value real(float value);
  mlir::Value none();
  mlir::Value reshape(mlir::Value value, llvm::ArrayRef<int64_t> shape);
  mlir::Value transpose(mlir::Value value, llvm::ArrayRef<int64_t> perm);
  /// sattn.attention of `core` with a dense policy.
  mlir::Value attention(const Core &core, llvm::StringRef name);

  mlir::OpBuilder &builder;
  mlir::Location loc;

private:
  mlir::Value finish(mlir::Operation *op);
};

/// Shape of a value of static shape.
llvm::ArrayRef<int64_t> shapeOf(mlir::Value value);

/// Turns a constant mask that hides exactly the future into `causal`.
void recogniseCausal(Core &core);

/// True if flags (booleans, or 0.0 and 1.0), cut out of a constant table, hide exactly the future:
/// keys whose flag is `hides`.
bool hidesFuture(mlir::Value condition, bool hides, int64_t queries, int64_t keys);

/// True if `flags` are booleans, or 0.0 and 1.0, cut out of a constant table, and one of each row
/// is set.
bool showsKeyInEachRow(mlir::Value flags);

/// Replaces the attention that `softmax` is part of by sattn.attention called `name`; fails with
/// the reason where it is none.
mlir::LogicalResult raiseSoftmax(onnx::SoftmaxOp softmax, llvm::StringRef name,
                                 std::string &reason);

/// The same for an operator that is attention; emits an error where it has a form that nothing can
/// run.
mlir::LogicalResult expandAttention(onnx::AttentionOp op, llvm::StringRef name);
mlir::LogicalResult expandAttention(onnx::MSAttentionOp op, llvm::StringRef name);
mlir::LogicalResult expandAttention(onnx::MSMultiHeadAttentionOp op, llvm::StringRef name);

/// Patterns that make sattn.linear.
void populateLinearPatterns(mlir::RewritePatternSet &patterns);

} // namespace sparsam

#endif // SPARSAM_LIB_CONVERSION_ONNXTOSATTN_CORE_H
