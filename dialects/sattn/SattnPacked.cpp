// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SattnPacked.cpp - verifiers of the packed type and its constants ---===//

#include "sattn/Semantics.h"

#include "llvm/ADT/DenseSet.h"

using namespace mlir;
using namespace sparsam::sattn;

LogicalResult PackedType::verify(function_ref<InFlightDiagnostic()> emitError,
                                 ArrayRef<int64_t> shape, int64_t stripe, int64_t pes, int64_t rows,
                                 Encoder) {
  if (shape.size() != 4)
    return emitError() << "expects four dimensions, [batch, heads, queries, keys], got "
                       << shape.size();
  if (llvm::any_of(shape, [](int64_t size) { return size < 1; }))
    return emitError() << "expects dimensions of at least 1";
  if (stripe < 1)
    return emitError() << "expects a stripe of at least 1 key, got " << stripe;
  if (pes < 1 || pes > stripe)
    return emitError() << "expects `pes` between 1 and the stripe's " << stripe << " keys, got "
                       << pes;
  if (rows < 1)
    return emitError() << "expects at least 1 row per block, got " << rows;
  return success();
}

namespace {

/// Checks the sub-rows of a constant one after the other against its type.
class SubrowChecker {
public:
  SubrowChecker(PackedConstantOp op, ArrayRef<int32_t> subrows)
      : op(op), type(op.getPacked().getType()), width(4 + type.getPes()), subrows(subrows) {}

  LogicalResult check() {
    for (row = 0; row < int64_t(subrows.size()) / width; ++row)
      if (failed(checkIndices()) || failed(checkOrder()) || failed(checkColumns()))
        return failure();
    return success();
  }

private:
  InFlightDiagnostic error() { return op.emitOpError() << "sub-row " << row << ": "; }
  int32_t field(int64_t index, int64_t of) const { return subrows[of * width + index]; }
  int32_t field(int64_t index) const { return field(index, row); }
  int64_t stripes() const { return llvm::divideCeil(type.getShape()[3], type.getStripe()); }

  LogicalResult checkIndices() {
    struct Limit {
      StringRef name;
      int64_t field, size;
    };
    ArrayRef<int64_t> shape = type.getShape();
    for (auto [name, index, size] : {Limit{"head", 0, shape[0] * shape[1]},
                                     Limit{"stripe", 1, stripes()}, Limit{"query", 3, shape[2]}})
      if (field(index) < 0 || field(index) >= size)
        return error() << "expects a " << name << " from 0 to " << size - 1 << ", got "
                       << field(index);
    return success();
  }

  /// Heads and stripes ascend; the blocks of a stripe count from 0 without gaps and have at most
  /// `rows` sub-rows.
  LogicalResult checkOrder() {
    bool first = row == 0;
    bool sameStripe = !first && field(0) == field(0, row - 1) && field(1) == field(1, row - 1);
    if (!first && std::pair(field(0), field(1)) < std::pair(field(0, row - 1), field(1, row - 1)))
      return error() << "expects heads, then stripes in ascending order";
    int32_t last = sameStripe ? field(2, row - 1) : -1;
    if (field(2) != last + 1 && (!sameStripe || field(2) != last))
      return error() << "expects block " << (sameStripe ? last : 0)
                     << (sameStripe ? " or the next one" : "") << ", got " << field(2);
    rowsInBlock = sameStripe && field(2) == last ? rowsInBlock + 1 : 1;
    if (rowsInBlock > type.getRows())
      return error() << "expects at most " << type.getRows()
                     << " sub-rows per block (`rows` of the type)";
    return success();
  }

  /// Columns ascend within the stripe, -1 only at the end; no pair occurs twice.
  LogicalResult checkColumns() {
    int64_t keys = std::min(type.getStripe(), type.getShape()[3] - field(1) * type.getStripe());
    int32_t previous = -1;
    if (field(4) < 0)
      return error() << "expects at least one column";
    for (int64_t index = 4; index < width; ++index) {
      int32_t column = field(index);
      if (column == -1)
        previous = int32_t(keys); // nothing but -1 may follow
      else if (column <= previous)
        return error() << "expects ascending columns, then -1, got " << column << " at position "
                       << index - 4;
      else if (column >= keys)
        return error() << "expects columns below " << keys << " (keys of the stripe), got "
                       << column;
      else if (!pairs
                    .insert({(int64_t(field(0)) * stripes() + field(1)) * type.getStripe() + column,
                             field(3)})
                    .second)
        return error() << "query " << field(3) << " keeps column " << column << " twice";
      else
        previous = column;
    }
    return success();
  }

  PackedConstantOp op;
  PackedType type;
  int64_t width;
  ArrayRef<int32_t> subrows;
  int64_t row = 0;
  int64_t rowsInBlock = 0;
  DenseSet<std::pair<int64_t, int64_t>> pairs;
};

} // namespace

LogicalResult PackedConstantOp::verify() {
  int64_t width = 4 + getPacked().getType().getPes();
  ShapedType shape = getSubrows().getShapedType();
  if (!shape.getElementType().isInteger(32) || shape.getRank() != 2 || shape.getDimSize(1) != width)
    return emitOpError() << "expects i32 rows of 4 + pes = " << width << " numbers, got " << shape;
  std::optional<std::vector<int32_t>> subrows = semantics::toSubrows(getSubrows());
  if (!subrows)
    return emitOpError() << "expects an attribute that holds its elements";
  return SubrowChecker(*this, *subrows).check();
}
