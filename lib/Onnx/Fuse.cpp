// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Fuse.cpp - layer normalisation and GELU from sub-graphs ------------===//

#include "sparsam/OnnxPasses.h"

#include "onnx/Onnx.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

#include <array>
#include <cmath>

using namespace mlir;

namespace sparsam {
#define GEN_PASS_DEF_FUSEONNX
#include "sparsam/OnnxPasses.h.inc"

namespace {

bool isNear(Value value, double expected) {
  std::optional<double> scalar = onnx::getConstantScalar(value);
  return scalar && std::abs(*scalar - expected) <= 1e-6 * std::max(1.0, std::abs(expected));
}

/// The other operand of a commutative op one of whose operands is the scalar `expected`.
template <typename Op> Value withScalar(Value value, double expected) {
  auto op = value.getDefiningOp<Op>();
  if (!op)
    return {};
  if (isNear(op.getB(), expected))
    return op.getA();
  return isNear(op.getA(), expected) ? op.getB() : Value();
}

/// The other operand of a commutative op one of whose operands is `known`.
template <typename Op> Value withOperand(Op op, Value known) {
  if (!op)
    return {};
  if (op.getA() == known)
    return op.getB();
  return op.getB() == known ? op.getA() : Value();
}

//===-- GELU ---------------------------------------------------------------===//

/// x if `value` is erf(x / sqrt(2)) + 1.
Value matchErfTerm(Value value) {
  Value sum = withScalar<onnx::AddOp>(value, 1.0);
  auto erf = sum ? sum.getDefiningOp<onnx::ErfOp>() : nullptr;
  if (!erf)
    return {};
  if (auto div = erf.getX().getDefiningOp<onnx::DivOp>(); div && isNear(div.getB(), M_SQRT2))
    return div.getA();
  return withScalar<onnx::MulOp>(erf.getX(), M_SQRT1_2);
}

/// x if `value` is x^3.
Value matchCube(Value value) {
  if (auto pow = value.getDefiningOp<onnx::PowOp>(); pow && isNear(pow.getB(), 3.0))
    return pow.getA();
  auto outer = value.getDefiningOp<onnx::MulOp>();
  if (!outer)
    return {};
  for (auto [square, x] : {std::pair(outer.getA(), outer.getB()), {outer.getB(), outer.getA()}})
    if (auto inner = square.getDefiningOp<onnx::MulOp>();
        inner && inner.getA() == x && inner.getB() == x)
      return x;
  return {};
}

/// x if `value` is tanh(sqrt(2 / pi) (x + 0.044715 x^3)) + 1.
Value matchTanhTerm(Value value) {
  Value sum = withScalar<onnx::AddOp>(value, 1.0);
  auto tanh = sum ? sum.getDefiningOp<onnx::TanhOp>() : nullptr;
  Value inner = tanh ? withScalar<onnx::MulOp>(tanh.getX(), std::sqrt(2 / M_PI)) : Value();
  auto add = inner ? inner.getDefiningOp<onnx::AddOp>() : nullptr;
  if (!add)
    return {};
  for (auto [term, x] : {std::pair(add.getA(), add.getB()), {add.getB(), add.getA()}}) {
    Value cube = withScalar<onnx::MulOp>(term, 0.044715);
    if (cube && matchCube(cube) == x)
      return x;
  }
  return {};
}

/// 0.5, x and the term in any grouping of a product of three.
class FuseGelu : public OpRewritePattern<onnx::MulOp> {
public:
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(onnx::MulOp op, PatternRewriter &rewriter) const override {
    for (auto [product, factor] : {std::pair(op.getA(), op.getB()), {op.getB(), op.getA()}})
      if (auto inner = product.getDefiningOp<onnx::MulOp>())
        if (succeeded(fuse(op, {inner.getA(), inner.getB(), factor}, rewriter)))
          return success();
    return failure();
  }

private:
  LogicalResult fuse(onnx::MulOp op, std::array<Value, 3> factors,
                     PatternRewriter &rewriter) const {
    if (llvm::none_of(factors, [](Value factor) { return isNear(factor, 0.5); }))
      return failure();
    for (Value term : factors) {
      Value viaErf = matchErfTerm(term), viaTanh = viaErf ? Value() : matchTanhTerm(term);
      Value x = viaErf ? viaErf : viaTanh;
      if (!x || !llvm::is_contained(factors, x) || x.getType() != op.getType())
        continue;
      rewriter.replaceOpWithNewOp<onnx::GeluOp>(op, op.getType(), x,
                                                rewriter.getStringAttr(viaErf ? "none" : "tanh"));
      return success();
    }
    return failure();
  }
};

//===-- Layer normalisation ------------------------------------------------===//

/// True if `op` averages over the last dimension and keeps it.
bool isLastMean(onnx::ReduceMeanOp op) {
  auto type = op ? dyn_cast<RankedTensorType>(op.getData().getType()) : RankedTensorType();
  auto axes = type ? onnx::getConstantIntegers(op.getAxes()) : std::nullopt;
  return axes && axes->size() == 1 && op.getKeepdims() != 0 &&
         (axes->front() == -1 || axes->front() == type.getRank() - 1);
}

/// The centred x of which `value` is the square.
Value matchSquare(Value value) {
  if (auto pow = value.getDefiningOp<onnx::PowOp>(); pow && isNear(pow.getB(), 2.0))
    return pow.getA();
  auto mul = value.getDefiningOp<onnx::MulOp>();
  return mul && mul.getA() == mul.getB() ? mul.getA() : Value();
}

/// x - mean(x): x.
Value matchCentred(Value value) {
  auto sub = value.getDefiningOp<onnx::SubOp>();
  auto mean = sub ? sub.getB().getDefiningOp<onnx::ReduceMeanOp>() : nullptr;
  return isLastMean(mean) && mean.getData() == sub.getA() ? sub.getA() : Value();
}

struct Normalized {
  Value x;
  double epsilon = 0;
};

/// (x - mean) / sqrt(variance + epsilon).
std::optional<Normalized> matchNormalized(Value value) {
  auto div = value.getDefiningOp<onnx::DivOp>();
  auto sqrt = div ? div.getB().getDefiningOp<onnx::SqrtOp>() : nullptr;
  auto add = sqrt ? sqrt.getX().getDefiningOp<onnx::AddOp>() : nullptr;
  if (!add)
    return std::nullopt;
  for (auto [variance, epsilon] : {std::pair(add.getA(), add.getB()), {add.getB(), add.getA()}}) {
    auto scalar = onnx::getConstantScalar(epsilon);
    auto mean = variance.getDefiningOp<onnx::ReduceMeanOp>();
    if (!scalar || !isLastMean(mean))
      continue;
    // x - mean may have been computed twice.
    Value centred = matchSquare(mean.getData());
    Value x = centred ? matchCentred(centred) : Value();
    if (x && matchCentred(div.getA()) == x)
      return Normalized{x, *scalar};
  }
  return std::nullopt;
}

/// A vector over the last dimension of `x`.
bool isVector(Value value, Value x) {
  auto vector = dyn_cast<RankedTensorType>(value.getType());
  auto type = dyn_cast<RankedTensorType>(x.getType());
  return vector && type && vector.getRank() == 1 && type.getRank() >= 1 &&
         vector.getDimSize(0) == type.getShape().back();
}

class FuseLayerNormalization : public OpRewritePattern<onnx::AddOp> {
public:
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(onnx::AddOp op, PatternRewriter &rewriter) const override {
    for (auto [product, bias] : {std::pair(op.getA(), op.getB()), {op.getB(), op.getA()}}) {
      auto mul = product.getDefiningOp<onnx::MulOp>();
      if (!mul)
        continue;
      for (auto [quotient, scale] : {std::pair(mul.getA(), mul.getB()), {mul.getB(), mul.getA()}}) {
        std::optional<Normalized> normalized = matchNormalized(quotient);
        if (!normalized || !isVector(scale, normalized->x) || !isVector(bias, normalized->x))
          continue;
        rewriter.replaceOpWithNewOp<onnx::LayerNormalizationOp>(
            op, op.getType(), normalized->x, scale, bias, rewriter.getI64IntegerAttr(-1),
            rewriter.getF32FloatAttr(float(normalized->epsilon)));
        return success();
      }
    }
    return failure();
  }
};

struct FuseOnnx : impl::FuseOnnxBase<FuseOnnx> {
  using FuseOnnxBase::FuseOnnxBase;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FuseGelu, FuseLayerNormalization>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace sparsam
