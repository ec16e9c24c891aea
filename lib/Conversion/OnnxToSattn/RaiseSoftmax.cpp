// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- RaiseSoftmax.cpp - attention around a Softmax ----------------------===//

#include "Conversion/OnnxToSattn/Core.h"

#include <cmath>

using namespace mlir;

namespace sparsam {

namespace {

/// A mask as it is in the graph: added, or chosen by flags.
struct MaskTerm {
  Value added;      ///< or
  Value condition;  ///< booleans, or 0.0 and 1.0
  float hidden = 0; ///< where the condition is `hides`
  bool hides = false;
};

/// The largest number that exporters mask with: exp of it is 0 for whatever score it is added to.
constexpr double kHidden = -1e4;

/// Walks from a Softmax to the two MatMuls around it.
class Matcher {
public:
  explicit Matcher(onnx::SoftmaxOp softmax) : softmax(softmax) {}

  LogicalResult match() {
    auto type = dyn_cast<RankedTensorType>(softmax.getType());
    if (!type || !type.hasStaticShape() || !type.getElementType().isF32())
      return refuse("its type is not a static float32 tensor");
    rank = type.getRank();
    if (const int64_t axis = int64_t(softmax.getAxis()); axis != -1 && axis != rank - 1)
      return refuse("it normalises another dimension than the last");
    if (rank < 2 || rank > 4)
      return refuse("it has " + std::to_string(rank) + " dimensions, attention has 2 to 4");
    if (failed(matchOutput()) || failed(matchScores(softmax.getInput())))
      return failure();
    return matchProduct();
  }

  Value rewrite(StringRef name) {
    OpBuilder base(output);
    OnnxBuilder builder(base, softmax.getLoc());
    Core core;
    core.scale = scale;
    core.query = withFourDims(builder, query);
    core.key = withFourDims(builder, makeKey(builder));
    core.value = withFourDims(builder, value);
    core.causal = isCausal();
    core.mask = core.causal ? Value() : makeMask(builder);
    recogniseCausal(core);
    Value result = builder.attention(core, name);
    return builder.reshape(result, shapeOf(output.getY()));
  }

  std::string reason;
  onnx::MatMulOp output;

private:
  LogicalResult refuse(std::string text) {
    reason = std::move(text);
    return failure();
  }

  /// What an op that changes nothing in inference stands for.
  static Value skipNothing(Value value) {
    while (Operation *op = value.getDefiningOp()) {
      bool isNothing = llvm::isa<onnx::IdentityOp, onnx::DropoutOp, onnx::CastOp>(op) &&
                       op->getOperand(0).getType() == op->getResult(0).getType();
      if (!isNothing)
        break;
      value = op->getOperand(0);
    }
    return value;
  }

  //===-- After the Softmax ------------------------------------------------===//

  /// The result of Where(IsNaN(p), 0, p), if nothing else uses p; null if there is none. Exporters
  /// guard so against rows that are hidden entirely, which sattn.attention gives 0 as well.
  static Value skipNanGuard(Value probabilities) {
    onnx::IsNaNOp isNan;
    onnx::WhereOp where;
    for (Operation *user : probabilities.getUsers()) {
      isNan = isNan ? isNan : dyn_cast<onnx::IsNaNOp>(user);
      where = where ? where : dyn_cast<onnx::WhereOp>(user);
    }
    const bool isGuard =
        isNan && where && isNan->hasOneUse() && llvm::range_size(probabilities.getUses()) == 2 &&
        where.getCondition() == isNan.getResult() && where.getY() == probabilities &&
        where.getType() == probabilities.getType();
    return isGuard && onnx::getConstantScalar(where.getX()) == 0.0 ? where.getResult() : Value();
  }

  LogicalResult matchOutput() {
    Value probabilities = softmax.getOutput();
    while (true) {
      if (Value guarded = skipNanGuard(probabilities)) {
        probabilities = guarded;
        continue;
      }
      if (!probabilities.hasOneUse())
        return refuse(probabilities.use_empty() ? "nothing uses it"
                                                : "its probabilities are used more than once");
      Operation *user = *probabilities.user_begin();
      if (auto matMul = dyn_cast<onnx::MatMulOp>(user)) {
        output = matMul;
        break;
      }
      if (user->getNumResults() != 1 || skipNothing(user->getResult(0)) == user->getResult(0))
        return refuse("its probabilities go to " + user->getName().getStringRef().str() +
                      ", not to a MatMul");
      probabilities = user->getResult(0);
    }
    if (output.getA() != probabilities)
      return refuse("its probabilities are the right operand of a MatMul");
    value = output.getB();
    return success();
  }

  //===-- Before the Softmax -----------------------------------------------===//

  /// True if `value` is made from a product of two activations by scaling and masking.
  static bool leadsToProduct(Value value, unsigned depth = 0) {
    constexpr unsigned kMaxDepth = 8;
    Operation *op = skipNothing(value).getDefiningOp();
    if (!op || depth > kMaxDepth)
      return false;
    if (llvm::isa<onnx::MatMulOp>(op))
      return true;
    // As peelProductMask takes it: 1 - mask is a mask, whatever it is made of.
    if (auto sub = dyn_cast<onnx::SubOp>(op))
      return leadsToProduct(sub.getA(), depth + 1);
    if (!llvm::isa<onnx::AddOp, onnx::MulOp, onnx::DivOp, onnx::WhereOp>(op))
      return false;
    return llvm::any_of(op->getOperands(),
                        [&](Value operand) { return leadsToProduct(operand, depth + 1); });
  }

  LogicalResult matchScores(Value scores) {
    bool isScaled = false;
    while (true) {
      scores = skipNothing(scores);
      Operation *op = scores.getDefiningOp();
      if (auto matMul = dyn_cast_if_present<onnx::MatMulOp>(op)) {
        product = matMul;
        return success();
      }
      Value inner = op ? peelScale(op, scale) : Value();
      if (inner) {
        isScaled = true;
        scores = inner;
        continue;
      }
      MaskTerm mask;
      inner = op ? peelMask(op, mask) : Value();
      if (!inner)
        return refuse(describeScores(op));
      if (isScaled)
        return refuse("its scores are masked before they are scaled");
      masks.push_back(mask);
      scores = inner;
    }
  }

  /// Why what `op` makes (null: an input) cannot be the scores of attention.
  static std::string describeScores(Operation *op) {
    if (!op)
      return "its scores come from an input, not from a MatMul";
    const bool isOfProduct = leadsToProduct(op->getResult(0));
    if (isOfProduct && llvm::isa<onnx::MulOp, onnx::DivOp>(op))
      return "its scores are scaled by something else than one constant number";
    if (isOfProduct && llvm::isa<onnx::WhereOp>(op))
      return "a Where puts something else in place of its scores than a constant of -10000 or less";
    return "its scores come from " + op->getName().getStringRef().str() + ", not from a MatMul";
  }

  /// The operand that `op` multiplies or divides by a constant; null if it does not.
  static Value peelScale(Operation *op, double &scale) {
    if (auto div = dyn_cast<onnx::DivOp>(op)) {
      auto factor = onnx::getConstantScalar(div.getB());
      if (!factor || *factor == 0 || div.getA().getType() != div.getType())
        return {};
      scale /= *factor;
      return div.getA();
    }
    auto mul = dyn_cast<onnx::MulOp>(op);
    if (!mul)
      return {};
    for (auto [factor, rest] : {std::pair(mul.getB(), mul.getA()), {mul.getA(), mul.getB()}})
      if (auto scalar = onnx::getConstantScalar(factor);
          scalar && rest.getType() == mul.getType()) {
        scale *= *scalar;
        return rest;
      }
    return {};
  }

  /// The scores that `op` masks; null if it masks nothing.
  static Value peelMask(Operation *op, MaskTerm &mask) {
    if (auto add = dyn_cast<onnx::AddOp>(op)) {
      for (auto [scores, added] : {std::pair(add.getA(), add.getB()), {add.getB(), add.getA()}})
        if (leadsToProduct(scores) && scores.getType() == add.getType()) {
          mask.added = added;
          return scores;
        }
      return {};
    }
    if (auto sub = dyn_cast<onnx::SubOp>(op))
      return peelProductMask(sub, mask);
    auto where = dyn_cast<onnx::WhereOp>(op);
    if (!where)
      return {};
    for (auto [scores, hidden, hides] :
         {std::tuple(where.getX(), where.getY(), false), {where.getY(), where.getX(), true}}) {
      auto scalar = onnx::getConstantScalar(hidden);
      if (!scalar || *scalar > kHidden || scores.getType() != where.getType())
        continue;
      mask.condition = where.getCondition();
      mask.hidden = float(*scalar);
      mask.hides = hides;
      return scores;
    }
    return {};
  }

  /// The scores of scores * flags - hidden * (1 - flags), as old exports of GPT-2 have it.
  static Value peelProductMask(onnx::SubOp sub, MaskTerm &mask) {
    auto product = sub.getA().getDefiningOp<onnx::MulOp>();
    if (!product)
      return {};
    for (auto [scores, flags] :
         {std::pair(product.getA(), product.getB()), {product.getB(), product.getA()}}) {
      if (scores.getType() != sub.getType() || !leadsToProduct(scores) || !showsKeyInEachRow(flags))
        continue;
      std::optional<double> hidden = matchComplement(sub.getB(), flags);
      if (!hidden || -*hidden > kHidden)
        continue;
      mask.condition = flags;
      mask.hidden = float(-*hidden);
      return scores;
    }
    return {};
  }

  /// The factor of `value` = factor * (1 - flags), folded or not; nothing if it is something else.
  static std::optional<double> matchComplement(Value value, Value flags) {
    DenseElementsAttr folded, constant;
    if (matchPattern(value, m_Constant(&folded)) && matchPattern(flags, m_Constant(&constant))) {
      // What is added to something hidden; where nothing is, any number will do.
      double factor = -kHidden;
      auto pairs = llvm::zip_equal(folded.getValues<float>(), constant.getValues<float>());
      for (auto [x, flag] : pairs)
        factor = flag == 0 ? x : factor;
      auto fits = [&](auto pair) {
        return std::get<0>(pair) == float(factor) * (1 - std::get<1>(pair));
      };
      return llvm::all_of(pairs, fits) ? std::optional(factor) : std::nullopt;
    }
    auto product = value.getDefiningOp<onnx::MulOp>();
    if (!product)
      return std::nullopt;
    for (auto [rest, number] :
         {std::pair(product.getA(), product.getB()), {product.getB(), product.getA()}}) {
      auto inverse = rest.getDefiningOp<onnx::SubOp>();
      if (inverse && inverse.getB() == flags && onnx::getConstantScalar(inverse.getA()) == 1.0)
        return onnx::getConstantScalar(number);
    }
    return std::nullopt;
  }

  LogicalResult matchProduct() {
    query = product.getA();
    keyTransposed = product.getB();
    peelOperand(query);
    peelOperand(keyTransposed);
    for (Value operand : {query, keyTransposed, value})
      if (cast<RankedTensorType>(operand.getType()).getRank() != rank)
        return refuse("Q, K and V do not have its number of dimensions");
    if (auto transpose = keyTransposed.getDefiningOp<onnx::TransposeOp>()) {
      // A scale may also stand before the transpose.
      keySource = transpose.getData();
      peelOperand(keySource);
    }
    ArrayRef<int64_t> q = shapeOf(query), k = shapeOf(keyTransposed), v = shapeOf(value);
    for (int64_t d = 0; d < rank - 2; ++d)
      if (q[d] != k[d] || q[d] != v[d])
        return refuse("Q, K and V differ in batch or heads");
    for (const MaskTerm &mask : masks)
      for (Value part : {mask.added, mask.condition})
        if (part && cast<RankedTensorType>(part.getType()).getRank() > rank)
          return refuse("its mask has more dimensions than its scores");
    return success();
  }

  /// Leaves out scales by constants, and what does nothing.
  void peelOperand(Value &value) {
    while (true) {
      value = skipNothing(value);
      Operation *op = value.getDefiningOp();
      Value inner = op ? peelScale(op, scale) : Value();
      if (!inner)
        return;
      value = inner;
    }
  }

  //===-- Operands of the op -----------------------------------------------===//

  /// K: the transpose in front of the product taken back.
  Value makeKey(OnnxBuilder &builder) {
    SmallVector<int64_t> perm = llvm::to_vector(llvm::seq<int64_t>(0, rank));
    Value source = keyTransposed;
    if (auto transpose = keyTransposed.getDefiningOp<onnx::TransposeOp>()) {
      source = keySource;
      if (transpose.getPerm())
        perm.assign(transpose.getPerm()->begin(), transpose.getPerm()->end());
      else
        std::reverse(perm.begin(), perm.end());
    }
    std::swap(perm[rank - 1], perm[rank - 2]);
    if (llvm::equal(perm, llvm::seq<int64_t>(0, rank)))
      return source;
    return builder.transpose(source, perm);
  }

  /// [n, d] and [heads, n, d] get dimensions of 1 in front.
  static Value withFourDims(OnnxBuilder &builder, Value value) {
    SmallVector<int64_t> shape(shapeOf(value));
    shape.insert(shape.begin(), 4 - shape.size(), 1);
    return builder.reshape(value, shape);
  }

  /// True if nothing but the future is hidden, by a part of a triangle that may be too large to
  /// fold.
  bool isCausal() {
    return masks.size() == 1 && masks[0].condition && shapeOf(query)[rank - 2] > 1 &&
           hidesFuture(masks[0].condition, masks[0].hides, shapeOf(query)[rank - 2],
                       shapeOf(keyTransposed)[rank - 1]);
  }

  static bool isZero(Value value) {
    DenseElementsAttr constant;
    return matchPattern(value, m_Constant(&constant)) && constant.isSplat() &&
           constant.getSplatValue<float>() == 0.0f;
  }

  Value makeMask(OnnxBuilder &builder) {
    Value sum;
    for (const MaskTerm &mask : masks) {
      Value term = mask.added;
      if (!term) {
        Value zero = builder.real(0.0f);
        Value hidden = builder.real(mask.hidden);
        Value flags = mask.condition;
        if (!cast<ShapedType>(flags.getType()).getElementType().isInteger(1))
          flags = builder.make<onnx::CastOp>(flags, builder.builder.getI64IntegerAttr(9));
        term = builder.make<onnx::WhereOp>(flags, mask.hides ? hidden : zero,
                                           mask.hides ? zero : hidden);
      }
      if (isZero(term))
        continue; // causality of a single query
      sum = sum ? builder.make<onnx::AddOp>(sum, term) : term;
    }
    return sum ? withFourDims(builder, sum) : sum;
  }

  onnx::SoftmaxOp softmax;
  onnx::MatMulOp product;
  int64_t rank = 0;
  double scale = 1;
  SmallVector<MaskTerm, 2> masks;
  Value query, keyTransposed, keySource, value;
};

} // namespace

LogicalResult raiseSoftmax(onnx::SoftmaxOp softmax, StringRef name, std::string &reason) {
  Matcher matcher(softmax);
  if (failed(matcher.match())) {
    reason = matcher.reason;
    return failure();
  }
  Value result = matcher.rewrite(name);
  matcher.output.getY().replaceAllUsesWith(result);
  return success();
}

} // namespace sparsam
