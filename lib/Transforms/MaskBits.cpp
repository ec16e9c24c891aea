// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- MaskBits.cpp - which pairs a constant mask hides -------------------===//

#include "Transforms/MaskBits.h"

#include "onnx/Onnx.h"
#include "sattn/Semantics.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace sparsam {

namespace {

/// Reads a mask into a matrix from the ops that make it.
class Reader {
public:
  Reader(MaskBits &bits, std::string &reason) : bits(bits), reason(reason) {}

  LogicalResult hide(Value mask, unsigned depth = 0) {
    constexpr unsigned kMaxDepth = 16;
    Operation *op = mask.getDefiningOp();
    if (!op || depth > kMaxDepth)
      return refuse("it depends on the input");
    if (ElementsAttr constant; matchPattern(mask, m_Constant(&constant)))
      return hideConstant(constant);
    if (auto reshape = dyn_cast<onnx::ReshapeOp>(op))
      return hide(reshape.getData(), depth + 1);
    if (auto add = dyn_cast<onnx::AddOp>(op))
      return success(succeeded(hide(add.getA(), depth + 1)) &&
                     succeeded(hide(add.getB(), depth + 1)));
    if (auto where = dyn_cast<onnx::WhereOp>(op))
      return hideWhere(where);
    return refuse("it is made by " + op->getName().getStringRef().str());
  }

private:
  LogicalResult refuse(std::string text) {
    reason = std::move(text);
    return failure();
  }

  /// Hides what the elements of a tensor that broadcasts to [matrices, tokens, tokens] hide; all
  /// matrices must hide the same.
  LogicalResult hideElements(ShapedType type, ArrayRef<uint8_t> hides) {
    const int64_t n = bits.tokens, rank = type.getRank();
    const int64_t cols = rank > 0 ? type.getDimSize(rank - 1) : 1;
    const int64_t rows = rank > 1 ? type.getDimSize(rank - 2) : 1;
    const int64_t matrices = type.getNumElements() / std::max<int64_t>(rows * cols, 1);
    if ((rows != 1 && rows != n) || (cols != 1 && cols != n) || matrices < 1)
      return refuse("it has " + std::to_string(rows) + " x " + std::to_string(cols) +
                    " elements for " + std::to_string(n) + " tokens");
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j) {
        const int64_t at = (rows == 1 ? 0 : i) * cols + (cols == 1 ? 0 : j);
        const uint8_t hidden = hides[size_t(at)];
        for (int64_t m = 1; m < matrices; ++m)
          if (hides[size_t(m * rows * cols + at)] != hidden)
            return refuse(differs(type, m));
        if (hidden)
          bits.row(i)[j] = 0;
      }
    return success();
  }

  /// Which matrix of a tensor [batch, heads, ...] is not like the first.
  static std::string differs(ShapedType type, int64_t matrix) {
    const int64_t rank = type.getRank();
    constexpr int64_t kHeads = 3; // dimensions from that of the heads on
    const int64_t heads = rank >= kHeads ? type.getDimSize(rank - kHeads) : 1;
    if (matrix % heads != 0)
      return "heads 0 and " + std::to_string(matrix % heads) + " have different masks";
    return "batch entries 0 and " + std::to_string(matrix / heads) + " have different masks";
  }

  LogicalResult hideConstant(ElementsAttr constant) {
    auto type = constant.getShapedType();
    assert(type.getElementType().isF32() && "masks are float32, and so are their terms");
    // Of the model's file, or made by a pass.
    auto values = sattn::semantics::toFloats(constant, type.getNumElements());
    if (!values)
      return refuse("its elements cannot be read");
    std::vector<uint8_t> hides;
    hides.reserve(values->data.size());
    for (float value : values->data) {
      if (value != 0 && !(value <= kHidden))
        return refuse("it adds " + std::to_string(value) +
                      "; only 0, and -10000 or less, show and hide pairs");
      hides.push_back(value != 0);
    }
    return hideElements(type, hides);
  }

  /// A choice between a number that shows and one that hides.
  LogicalResult hideWhere(onnx::WhereOp where) {
    ElementsAttr condition;
    if (!matchPattern(where.getCondition(), m_Constant(&condition)) ||
        !condition.getElementType().isInteger(1))
      return refuse("it depends on the input");
    auto yes = onnx::getConstantScalar(where.getX()), no = onnx::getConstantScalar(where.getY());
    auto isMask = [](double value) { return value == 0 || value <= kHidden; };
    if (!yes || !no || !isMask(*yes) || !isMask(*no))
      return refuse("it chooses between other numbers than 0 and -10000 or less");
    auto values = condition.tryGetValues<bool>();
    if (!values)
      return refuse("its condition cannot be read");
    std::vector<uint8_t> hides;
    hides.reserve(size_t(condition.getShapedType().getNumElements()));
    for (bool value : *values)
      hides.push_back((value ? *yes : *no) != 0);
    return hideElements(condition.getShapedType(), hides);
  }

  MaskBits &bits;
  std::string &reason;
};

} // namespace

FailureOr<MaskBits> readMask(Value mask, int64_t tokens, std::string &reason) {
  MaskBits bits(tokens);
  if (failed(Reader(bits, reason).hide(mask)))
    return failure();
  return bits;
}

} // namespace sparsam
