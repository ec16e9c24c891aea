// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- MaskBits.cpp - which pairs a constant mask hides -------------------===//

#include "Transforms/MaskBits.h"

#include "onnx/Onnx.h"
#include "sattn/Semantics.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace sparsam {

//===-- Reading ------------------------------------------------------------===//

namespace {

constexpr float kHidden = -1e4f; ///< the largest that exporters use

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
            return refuse("it differs between heads or batch entries");
        if (hidden)
          bits.row(i)[j] = 0;
      }
    return success();
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

//===-- Windows and global tokens ------------------------------------------===//

namespace {

class Finder {
public:
  explicit Finder(const MaskBits &mask) : mask(mask), n(mask.tokens) {}

  FoundPattern run() {
    if (llvm::all_of(mask.visible, [](uint8_t bit) { return bit; })) {
      result.windows.push_back({-(n - 1), 2 * n - 1, 1});
      return result;
    }
    // In a short sequence a window may explain tokens that see everything.
    candidate.assign(size_t(n), 0);
    explain();
    if (result.misfits == 0)
      return result;
    findCandidates();
    explain();
    return result;
  }

private:
  void explain() {
    result = FoundPattern();
    findOffsets();
    chooseGlobals();
    makeWindows();
    countMisfits();
  }

  /// Tokens that see every token and are seen by all.
  void findCandidates() {
    std::vector<int64_t> inRow(size_t(n), 0), inColumn(size_t(n), 0);
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j) {
        inRow[size_t(i)] += mask.at(i, j);
        inColumn[size_t(j)] += mask.at(i, j);
      }
    for (int64_t i = 0; i < n; ++i)
      candidate[size_t(i)] = inRow[size_t(i)] == n && inColumn[size_t(i)] == n;
  }

  /// Offsets at which every pair is visible that no candidate explains, if there is such a pair.
  void findOffsets() {
    std::vector<int64_t> shown(size_t(2 * n - 1), 0), all(size_t(2 * n - 1), 0);
    for (int64_t i = 0; i < n; ++i) {
      if (candidate[size_t(i)])
        continue;
      const uint8_t *row = mask.row(i);
      for (int64_t j = 0; j < n; ++j)
        if (!candidate[size_t(j)]) {
          shown[size_t(j - i + n - 1)] += row[j];
          ++all[size_t(j - i + n - 1)];
        }
    }
    isOffset.assign(size_t(2 * n - 1), 0);
    for (size_t o = 0; o < isOffset.size(); ++o)
      isOffset[o] = all[o] > 0 && shown[o] == all[o];
  }

  bool inWindow(int64_t i, int64_t j) const { return isOffset[size_t(j - i + n - 1)]; }

  /// Candidates with a pair that no window explains.
  void chooseGlobals() {
    isGlobal.assign(size_t(n), 0);
    for (int64_t g = 0; g < n; ++g) {
      if (!candidate[size_t(g)])
        continue;
      for (int64_t j = 0; j < n && !isGlobal[size_t(g)]; ++j)
        isGlobal[size_t(g)] = !inWindow(g, j) || !inWindow(j, g);
      if (isGlobal[size_t(g)])
        result.globals.push_back(g);
    }
  }

  /// The longest runs of offsets at equal distances, from the smallest offset on; two offsets that
  /// are not neighbours make no run.
  void makeWindows() {
    SmallVector<int64_t> offsets;
    for (int64_t o = -(n - 1); o < n; ++o)
      if (isOffset[size_t(o + n - 1)])
        offsets.push_back(o);
    for (size_t at = 0; at < offsets.size();) {
      size_t end = at + 1;
      const int64_t step = end < offsets.size() ? offsets[end] - offsets[at] : 1;
      while (end < offsets.size() && offsets[end] - offsets[end - 1] == step)
        ++end;
      constexpr size_t kRun = 3;
      const bool isRun = step == 1 || end - at >= kRun;
      const size_t width = isRun ? end - at : 1;
      result.windows.push_back({offsets[at], int64_t(width), isRun && width > 1 ? step : 1});
      at += width;
    }
  }

  void countMisfits() {
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j) {
        const bool fits = isGlobal[size_t(i)] || isGlobal[size_t(j)] || inWindow(i, j);
        if (fits == bool(mask.at(i, j)))
          continue;
        if (result.misfits++ == 0) {
          result.query = i;
          result.key = j;
        }
      }
  }

  const MaskBits &mask;
  const int64_t n;
  FoundPattern result;
  std::vector<uint8_t> candidate, isOffset, isGlobal;
};

} // namespace

FoundPattern findPattern(const MaskBits &mask) { return Finder(mask).run(); }

} // namespace sparsam
