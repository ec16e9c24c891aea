// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- RaiseLinear.cpp - linear layers from products ----------------------===//

#include "Conversion/OnnxToSattn/Core.h"

#include "mlir/IR/PatternMatch.h"

using namespace mlir;

namespace sparsam {

namespace {

RankedTensorType staticFloats(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.hasStaticShape() && type.getElementType().isF32() ? type : RankedTensorType();
}

/// True if `value` is a constant matrix of floats.
bool isWeight(Value value) {
  RankedTensorType type = staticFloats(value);
  return type && type.getRank() == 2 && matchPattern(value, m_Constant());
}

/// The matrix that `value` is the transpose of, as where embedding and output projection share
/// their weights; null if it is none.
Value getTransposed(Value value) {
  auto transpose = value.getDefiningOp<onnx::TransposeOp>();
  RankedTensorType type = transpose ? staticFloats(value) : RankedTensorType();
  if (!type || type.getRank() != 2 || (transpose.getPerm() && (*transpose.getPerm())[0] == 0))
    return {};
  return transpose.getData();
}

/// True if `value` is a vector as wide as the last dimension of `result`.
bool isBias(Value value, Value result) {
  RankedTensorType type = staticFloats(value), whole = staticFloats(result);
  return type && whole && type.getRank() == 1 && type.getDimSize(0) == whole.getShape().back();
}

class RaiseMatMul : public OpRewritePattern<onnx::MatMulOp> {
public:
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(onnx::MatMulOp op, PatternRewriter &rewriter) const override {
    RankedTensorType input = staticFloats(op.getA());
    Value source = getTransposed(op.getB()), weight = source ? source : op.getB();
    if (!isWeight(weight) || !input || input.getRank() < 1 || !staticFloats(op.getY()))
      return failure();
    rewriter.replaceOpWithNewOp<sattn::LinearOp>(op, op.getType(), op.getA(), weight, Value(),
                                                 Value(), sattn::Activation::None, bool(source));
    return success();
  }
};

class RaiseGemm : public OpRewritePattern<onnx::GemmOp> {
public:
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(onnx::GemmOp op, PatternRewriter &rewriter) const override {
    const bool hasBias = !onnx::isNone(op.getC());
    if (op.getTransA() != 0 || op.getAlpha().convertToFloat() != 1 || !isWeight(op.getB()) ||
        !staticFloats(op.getA()) || !staticFloats(op.getY()))
      return failure();
    if (hasBias && (op.getBeta().convertToFloat() != 1 || !isBias(op.getC(), op.getY())))
      return failure();
    rewriter.replaceOpWithNewOp<sattn::LinearOp>(op, op.getType(), op.getA(), op.getB(),
                                                 hasBias ? op.getC() : Value(), Value(),
                                                 sattn::Activation::None, op.getTransB() != 0);
    return success();
  }
};

/// The linear layer that makes `value` for one use alone.
sattn::LinearOp getLinear(Value value) {
  return value.hasOneUse() ? value.getDefiningOp<sattn::LinearOp>() : sattn::LinearOp();
}

void replaceByLinear(PatternRewriter &rewriter, Operation *op, sattn::LinearOp from, Value bias,
                     Value residual, sattn::Activation activation) {
  Location loc = rewriter.getFusedLoc({from.getLoc(), op->getLoc()});
  auto linear = sattn::LinearOp::create(rewriter, loc, op->getResult(0).getType(), from.getInput(),
                                        from.getWeight(), bias, residual, activation,
                                        from.getTransposeWeight());
  rewriter.replaceOp(op, linear);
}

/// x W + bias, and x W + residual.
class FuseAdd : public OpRewritePattern<onnx::AddOp> {
public:
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(onnx::AddOp op, PatternRewriter &rewriter) const override {
    for (auto [product, other] : {std::pair(op.getA(), op.getB()), {op.getB(), op.getA()}}) {
      sattn::LinearOp linear = getLinear(product);
      if (!linear || linear.getResidual() || product.getType() != op.getType())
        continue;
      const bool isPlain = linear.getActivation() == sattn::Activation::None;
      if (!linear.getBias() && isPlain && isBias(other, product)) {
        replaceByLinear(rewriter, op, linear, other, Value(), linear.getActivation());
        return success();
      }
      if (other.getType() == product.getType()) {
        replaceByLinear(rewriter, op, linear, linear.getBias(), other, linear.getActivation());
        return success();
      }
    }
    return failure();
  }
};

/// A layer over all tokens of all sequences at once, as exporters write it: back to the shape that
/// the tokens have behind it, so that what follows can be fused.
class UnflattenLinear : public OpRewritePattern<onnx::ReshapeOp> {
public:
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(onnx::ReshapeOp op, PatternRewriter &rewriter) const override {
    sattn::LinearOp linear = getLinear(op.getData());
    if (!linear || linear.getResidual() || !linear.getInput().getDefiningOp<onnx::ReshapeOp>())
      return failure();
    RankedTensorType to = staticFloats(op.getResult()), flat = staticFloats(linear.getInput());
    if (!to || !flat || flat.getRank() != 2 || to.getRank() < 3 ||
        to.getShape().back() != staticFloats(linear.getOutput()).getShape().back())
      return failure();
    SmallVector<int64_t> shape(to.getShape());
    shape.back() = flat.getShape().back();
    Location loc = rewriter.getFusedLoc({linear.getLoc(), op->getLoc()});
    Value input = OnnxBuilder(rewriter, loc).reshape(linear.getInput(), shape);
    auto whole =
        sattn::LinearOp::create(rewriter, loc, to, input, linear.getWeight(), linear.getBias(),
                                Value(), linear.getActivation(), linear.getTransposeWeight());
    rewriter.replaceOp(op, whole);
    return success();
  }
};

template <typename Op> class FuseActivation : public OpRewritePattern<Op> {
public:
  using OpRewritePattern<Op>::OpRewritePattern;
  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    sattn::LinearOp linear = getLinear(op->getOperand(0));
    if (!linear || linear.getResidual() || linear.getActivation() != sattn::Activation::None)
      return failure();
    replaceByLinear(rewriter, op, linear, linear.getBias(), Value(), getActivation(op));
    return success();
  }

private:
  static sattn::Activation getActivation(onnx::ReluOp) { return sattn::Activation::Relu; }
  static sattn::Activation getActivation(onnx::TanhOp) { return sattn::Activation::Tanh; }
  static sattn::Activation getActivation(onnx::GeluOp op) {
    return op.getApproximate() == "tanh" ? sattn::Activation::GeluTanh : sattn::Activation::Gelu;
  }
};

} // namespace

void populateLinearPatterns(RewritePatternSet &patterns) {
  patterns.add<RaiseMatMul, RaiseGemm, FuseAdd, UnflattenLinear, FuseActivation<onnx::ReluOp>,
               FuseActivation<onnx::TanhOp>, FuseActivation<onnx::GeluOp>>(patterns.getContext());
}

} // namespace sparsam
