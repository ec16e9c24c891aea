// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- TokenDims.cpp - where ops have their tokens ------------------------===//

#include "Transforms/TokenDims.h"

#include "onnx/Onnx.h"
#include "sattn/Sattn.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace sparsam {

namespace {

constexpr int64_t kNone = TokenDims::kNone;
using Found = std::optional<TokenDims>;

ArrayRef<int64_t> shapeOf(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type ? type.getShape() : ArrayRef<int64_t>();
}
int64_t rankOf(Value value) { return int64_t(shapeOf(value).size()); }

class Finder {
public:
  Finder(Operation *op, ArrayRef<int64_t> known, int64_t tokens)
      : op(op), known(known), tokens(tokens) {
    dims.operands.assign(known.begin(), known.end());
    dims.results.assign(op->getNumResults(), kNone);
  }

  Found find() {
    if (isElementwise())
      return findElementwise();
    return TypeSwitch<Operation *, Found>(op)
        .Case<sattn::LinearOp, sattn::AttentionOp, onnx::LayerNormalizationOp, onnx::TransposeOp,
              onnx::ReshapeOp, onnx::MatMulOp, onnx::SoftmaxOp, onnx::SplitOp, onnx::ConcatOp,
              onnx::GatherOp, onnx::UnsqueezeOp, onnx::SqueezeOp>(
            [this](auto op) { return of(op); })
        .Default(std::nullopt);
  }

private:
  bool isElementwise() const {
    return llvm::isa<onnx::AbsOp, onnx::NegOp, onnx::SqrtOp, onnx::ReciprocalOp, onnx::ExpOp,
                     onnx::LogOp, onnx::ErfOp, onnx::TanhOp, onnx::SigmoidOp, onnx::ReluOp,
                     onnx::NotOp, onnx::GeluOp, onnx::CastOp, onnx::AddOp, onnx::SubOp, onnx::MulOp,
                     onnx::DivOp, onnx::MinOp, onnx::MaxOp, onnx::PowOp, onnx::EqualOp,
                     onnx::LessOp, onnx::LessOrEqualOp, onnx::GreaterOp, onnx::GreaterOrEqualOp,
                     onnx::AndOp, onnx::OrOp, onnx::WhereOp, onnx::IdentityOp>(op);
  }

  /// One dimension in the result, to which all operands are aligned from the right.
  Found findElementwise() {
    const int64_t rank = rankOf(op->getResult(0));
    int64_t result = kNone;
    for (auto [operand, dim] : llvm::zip(op->getOperands(), known)) {
      if (dim == kNone)
        continue;
      const int64_t aligned = dim + rank - rankOf(operand);
      if (result != kNone && result != aligned)
        return std::nullopt;
      result = aligned;
    }
    if (shapeOf(op->getResult(0))[result] != tokens)
      return std::nullopt;
    for (auto [number, operand] : llvm::enumerate(op->getOperands())) {
      const int64_t dim = result - (rank - rankOf(operand));
      const bool hasTokens = dim >= 0 && rankOf(operand) > 0 && shapeOf(operand)[dim] == tokens;
      dims.operands[number] = hasTokens ? dim : kNone;
    }
    dims.results[0] = result;
    return dims;
  }

  /// The first operand has tokens, and no other one, in dimension dims.operands[0].
  bool isFirstAlone() const {
    return known[0] != kNone &&
           llvm::all_of(known.drop_front(), [](int64_t d) { return d == kNone; });
  }
  Found passFirst(int64_t result) {
    dims.results.assign(op->getNumResults(), result);
    return dims;
  }

  Found of(sattn::LinearOp linear) {
    int64_t dim = kNone;
    for (auto [operand, at] : llvm::zip(op->getOperands(), known)) {
      if (at == kNone)
        continue;
      if ((dim != kNone && dim != at) || operand == linear.getWeight() ||
          operand == linear.getBias())
        return std::nullopt;
      dim = at;
    }
    if (dim >= rankOf(linear.getInput()) - 1)
      return std::nullopt; // multiplied over tokens
    for (auto [number, operand] : llvm::enumerate(op->getOperands()))
      if (operand == linear.getInput() || operand == linear.getResidual())
        dims.operands[number] = dim;
    return passFirst(dim);
  }

  /// Queries, keys and values of the same tokens, or queries alone.
  Found of(sattn::AttentionOp attention) {
    const bool hasKeys = known[1] != kNone;
    if (known[0] != 2 || (hasKeys && (known[1] != 2 || known[2] != 2)) ||
        (!hasKeys && known[2] != kNone))
      return std::nullopt;
    if (attention.getTokenScores() && hasKeys)
      return std::nullopt; // ranked already, for all tokens
    if (attention.getMask() && !masksAlong(attention, hasKeys))
      return std::nullopt;
    dims.results[0] = 2;
    return dims;
  }
  /// A mask that depends on both queries and keys has two token dimensions, which the caller treats
  /// apart.
  bool masksAlong(sattn::AttentionOp attention, bool hasKeys) {
    const size_t number = 3; // query, key, value, mask
    ArrayRef<int64_t> shape = shapeOf(attention.getMask());
    const bool alongQueries = shape[2] == tokens && shape[2] != 1;
    const bool alongKeys = hasKeys && shape[3] == tokens && shape[3] != 1;
    dims.operands[number] = alongKeys ? 3 : alongQueries ? 2 : kNone;
    return known[number] == kNone || known[number] == dims.operands[number];
  }

  Found of(onnx::LayerNormalizationOp norm) {
    int64_t axis = norm.getAxis();
    axis += axis < 0 ? rankOf(norm.getOperand(0)) : 0;
    if (!isFirstAlone() || known[0] >= axis || op->getNumResults() != 1)
      return std::nullopt;
    return passFirst(known[0]);
  }

  Found of(onnx::SoftmaxOp softmax) {
    int64_t axis = softmax.getAxis();
    axis += axis < 0 ? rankOf(softmax.getOperand()) : 0;
    return known[0] == axis ? std::nullopt : passFirst(known[0]);
  }

  Found of(onnx::TransposeOp transpose) {
    auto perm = transpose->getAttrOfType<DenseI64ArrayAttr>("perm");
    if (!perm)
      return std::nullopt;
    return passFirst(llvm::find(perm.asArrayRef(), known[0]) - perm.asArrayRef().begin());
  }

  /// The dimension of the result with as many elements before it, and the same size.
  Found of(onnx::ReshapeOp reshape) {
    if (!isFirstAlone())
      return std::nullopt;
    ArrayRef<int64_t> from = shapeOf(reshape.getOperand(0)), to = shapeOf(op->getResult(0));
    auto before = [](ArrayRef<int64_t> shape, int64_t dim) {
      int64_t product = 1;
      for (int64_t size : shape.take_front(dim))
        product *= size;
      return product;
    };
    for (int64_t dim = 0; dim < int64_t(to.size()); ++dim)
      if (to[dim] == tokens && before(to, dim) == before(from, known[0]))
        return passFirst(dim);
    return std::nullopt;
  }

  /// Rows of the left operand, or any dimension before them that the right one does not have.
  Found of(onnx::MatMulOp matmul) {
    const int64_t left = rankOf(matmul.getOperand(0)), result = rankOf(op->getResult(0));
    const bool isBatch = known[0] < left - 2 && rankOf(matmul.getOperand(1)) > 2;
    if (!isFirstAlone() || known[0] == left - 1 || isBatch || left != result)
      return std::nullopt;
    return passFirst(known[0]);
  }

  Found of(onnx::SplitOp split) {
    int64_t axis = split.getAxis();
    axis += axis < 0 ? rankOf(split.getOperand(0)) : 0;
    if (!isFirstAlone() || known[0] == axis)
      return std::nullopt;
    return passFirst(known[0]);
  }

  Found of(onnx::ConcatOp concat) {
    int64_t axis = concat.getAxis();
    axis += axis < 0 ? rankOf(op->getResult(0)) : 0;
    int64_t dim = kNone;
    for (int64_t at : known)
      if (at != kNone && dim != kNone && at != dim)
        return std::nullopt;
      else
        dim = at != kNone ? at : dim;
    if (dim == axis)
      return std::nullopt;
    dims.operands.assign(op->getNumOperands(), dim);
    return passFirst(dim);
  }

  Found of(onnx::GatherOp gather) {
    int64_t axis = gather.getAxis();
    axis += axis < 0 ? rankOf(gather.getOperand(0)) : 0;
    if (!isFirstAlone() || known[0] == axis)
      return std::nullopt;
    const int64_t inserted = rankOf(gather.getOperand(1)) - 1;
    return passFirst(known[0] < axis ? known[0] : known[0] + inserted);
  }

  Found of(onnx::UnsqueezeOp unsqueeze) {
    std::optional<SmallVector<int64_t>> axes = onnx::getConstantIntegers(unsqueeze.getOperand(1));
    if (!axes || !isFirstAlone())
      return std::nullopt;
    const int64_t rank = rankOf(op->getResult(0));
    for (int64_t &axis : *axes)
      axis += axis < 0 ? rank : 0;
    int64_t left = known[0];
    for (int64_t dim = 0; dim < rank; ++dim)
      if (!llvm::is_contained(*axes, dim) && left-- == 0)
        return passFirst(dim);
    return std::nullopt;
  }

  Found of(onnx::SqueezeOp squeeze) {
    std::optional<SmallVector<int64_t>> axes = onnx::getConstantIntegers(squeeze.getOperand(1));
    if (!axes || !isFirstAlone())
      return std::nullopt;
    int64_t result = known[0];
    for (int64_t axis : *axes) {
      axis += axis < 0 ? rankOf(squeeze.getOperand(0)) : 0;
      if (axis == known[0])
        return std::nullopt;
      result -= axis < known[0];
    }
    return passFirst(result);
  }

  Operation *op;
  ArrayRef<int64_t> known;
  int64_t tokens;
  TokenDims dims;
};

} // namespace

std::optional<TokenDims> findTokenDims(Operation *op, ArrayRef<int64_t> known, int64_t tokens) {
  return Finder(op, known, tokens).find();
}

} // namespace sparsam
