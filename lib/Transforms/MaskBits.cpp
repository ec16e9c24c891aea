// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- MaskBits.cpp - which pairs a constant mask hides -------------------===//

#include "Transforms/MaskBits.h"

#include "onnx/Onnx.h"
#include "sattn/Semantics.h"

#include "mlir/IR/Matchers.h"

#include "llvm/Support/SaveAndRestore.h"

using namespace mlir;

namespace sparsam {

namespace {

/// Reads a mask into matrices from the ops that make it.
class Reader {
public:
  Reader(std::vector<MaskBits> &heads, std::string &reason) : heads(heads), reason(reason) {}

  LogicalResult hide(Value mask, unsigned depth = 0) {
    constexpr unsigned kMaxDepth = 16;
    Operation *op = mask.getDefiningOp();
    if (!op || depth > kMaxDepth)
      return refuse("it depends on the input");
    if (ElementsAttr constant; matchPattern(mask, m_Constant(&constant)))
      return hideConstant(constant);
    if (auto reshape = dyn_cast<onnx::ReshapeOp>(op))
      return hideReshaped(reshape, depth);
    if (auto add = dyn_cast<onnx::AddOp>(op))
      return success(succeeded(hide(add.getA(), depth + 1)) &&
                     succeeded(hide(add.getB(), depth + 1)));
    if (auto where = dyn_cast<onnx::WhereOp>(op))
      return hideWhere(where);
    return refuse("it is made by " + op->getName().getStringRef().str());
  }

private:
  static constexpr int64_t kColumns = 1, kRows = 2, kHeads = 3; ///< dimensions, from the last

  LogicalResult refuse(std::string text) {
    reason = std::move(text);
    return failure();
  }

  LogicalResult hideReshaped(onnx::ReshapeOp reshape, unsigned depth) {
    auto from = cast<ShapedType>(reshape.getData().getType()),
         to = cast<ShapedType>(reshape.getResult().getType());
    for (int64_t axis : {kColumns, kRows})
      if (sizeOf(from, axis) != sizeOf(to, axis))
        return refuse("a Reshape makes other rows of it");
    // What were heads may be batch entries behind it.
    llvm::SaveAndRestore same(mayDiffer, mayDiffer && sizeOf(from, kHeads) == sizeOf(to, kHeads));
    return hide(reshape.getData(), depth + 1);
  }

  /// Hides what the elements of a tensor that broadcasts to [batch, heads, tokens, tokens] hide.
  LogicalResult hideElements(ShapedType type, ArrayRef<uint8_t> hides) {
    const int64_t n = heads.front().tokens, count = sizeOf(type, kHeads);
    const int64_t cols = sizeOf(type, kColumns), rows = sizeOf(type, kRows), matrix = rows * cols;
    if ((rows != 1 && rows != n) || (cols != 1 && cols != n) || hides.empty())
      return refuse("it has " + std::to_string(rows) + " x " + std::to_string(cols) +
                    " elements for " + std::to_string(n) + " tokens");
    const int64_t entry = count * matrix, entries = int64_t(hides.size()) / entry;
    for (int64_t e = 1; e < entries; ++e)
      if (hides.slice(size_t(e * entry), size_t(entry)) != hides.take_front(size_t(entry)))
        return refuse("batch entries 0 and " + std::to_string(e) + " have different masks");
    if (failed(expand(count, matrix, hides)))
      return failure();
    for (auto [head, bits] : llvm::enumerate(heads))
      hideMatrix(hides.slice(size_t(int64_t(head) % count * matrix), size_t(matrix)), rows, cols,
                 bits);
    return success();
  }

  /// Gives each head a matrix of its own where their masks differ.
  LogicalResult expand(int64_t count, int64_t matrix, ArrayRef<uint8_t> hides) {
    bool isSame = true;
    for (int64_t head = 1; head < count; ++head)
      isSame &=
          hides.slice(size_t(head * matrix), size_t(matrix)) == hides.take_front(size_t(matrix));
    if (isSame)
      return success();
    if (!mayDiffer)
      return refuse("its matrices differ, and a Reshape makes other heads of them");
    if (heads.size() == 1)
      heads.resize(size_t(count), heads.front());
    assert(int64_t(heads.size()) == count && "terms of a sum broadcast to the same heads");
    return success();
  }

  /// Size of the dimension `fromEnd`, counted from the last one, which is 1.
  static int64_t sizeOf(ShapedType type, int64_t fromEnd) {
    const int64_t rank = type.getRank();
    return rank >= fromEnd ? type.getDimSize(rank - fromEnd) : 1;
  }

  static void hideMatrix(ArrayRef<uint8_t> hides, int64_t rows, int64_t cols, MaskBits &bits) {
    for (int64_t i = 0; i < bits.tokens; ++i)
      for (int64_t j = 0; j < bits.tokens; ++j)
        if (hides[size_t((rows == 1 ? 0 : i) * cols + (cols == 1 ? 0 : j))])
          bits.row(i)[j] = 0;
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

  std::vector<MaskBits> &heads; ///< one for all, or one each
  std::string &reason;
  bool mayDiffer = true; ///< heads are those of the attention
};

} // namespace

FailureOr<std::vector<MaskBits>> readMask(Value mask, int64_t tokens, std::string &reason) {
  std::vector<MaskBits> heads(1, MaskBits(tokens));
  if (failed(Reader(heads, reason).hide(mask)))
    return failure();
  return heads;
}

} // namespace sparsam
