// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- IsaAddress.cpp - buffers, tiles and the addresses of loops ---------===//

#include "isa/Isa.h"

#include "mlir/IR/AffineExpr.h"

using namespace mlir;

namespace sparsam::isa {

//===-- Affine expressions as address generators read them ------------------===//

namespace {

LogicalResult addTo(AddressSum &sum, AffineExpr expr, int64_t factor);

/// `(d + c) mod m`: a term if c is a multiple of m, or m is 2: (d + 1) mod 2 = 1 - d mod 2.
LogicalResult addModulo(AddressSum &sum, AffineBinaryOpExpr expr, int64_t factor) {
  auto modulus = dyn_cast<AffineConstantExpr>(expr.getRHS());
  if (!modulus || modulus.getValue() <= 0)
    return failure();
  int64_t m = modulus.getValue(), offset = 0;
  AffineExpr counter = expr.getLHS();
  if (auto add = dyn_cast<AffineBinaryOpExpr>(counter);
      add && add.getKind() == AffineExprKind::Add) {
    auto constant = dyn_cast<AffineConstantExpr>(add.getRHS());
    if (!constant)
      return failure();
    offset = llvm::mod(constant.getValue(), m);
    counter = add.getLHS();
  }
  auto dim = dyn_cast<AffineDimExpr>(counter);
  if (!dim || (offset != 0 && m != 2))
    return failure();
  sum.constant += factor * offset;
  sum.terms[dim.getPosition()].push_back({offset != 0 ? -factor : factor, m});
  return success();
}

LogicalResult addTo(AddressSum &sum, AffineExpr expr, int64_t factor) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
    sum.constant += factor * constant.getValue();
    return success();
  }
  if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
    sum.terms[dim.getPosition()].push_back({factor, 0});
    return success();
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return failure();
  switch (binary.getKind()) {
  case AffineExprKind::Add:
    return success(succeeded(addTo(sum, binary.getLHS(), factor)) &&
                   succeeded(addTo(sum, binary.getRHS(), factor)));
  case AffineExprKind::Mul:
    if (auto constant = dyn_cast<AffineConstantExpr>(binary.getRHS()))
      return addTo(sum, binary.getLHS(), factor * constant.getValue());
    return failure();
  case AffineExprKind::Mod:
    return addModulo(sum, binary, factor);
  default:
    return failure();
  }
}

} // namespace

FailureOr<AddressSum> readAddress(AffineExpr expr, unsigned numDims) {
  AddressSum sum;
  sum.terms.resize(numDims);
  if (failed(addTo(sum, expr, 1)))
    return failure();
  return sum;
}

/// Checks what a view and an index have in common: loop counters, and expressions that an address
/// generator can compute.
static LogicalResult verifyMap(Operation *op, AffineMap map, OperandRange counters) {
  if (map.getNumSymbols() != 0 || map.getNumDims() != counters.size())
    return op->emitOpError("has a map of ")
           << map.getNumDims() << " dimensions and " << map.getNumSymbols() << " symbols for "
           << counters.size() << " loop counters";
  for (Value counter : counters) {
    auto argument = dyn_cast<BlockArgument>(counter);
    if (!argument || !llvm::isa<LoopOp>(argument.getOwner()->getParentOp()))
      return op->emitOpError("addresses may only depend on counters of isa.loop");
  }
  for (AffineExpr result : map.getResults()) {
    FailureOr<AddressSum> sum = readAddress(result, map.getNumDims());
    if (failed(sum))
      return op->emitOpError("cannot compute ")
             << AffineMapAttr::get(AffineMap::get(map.getNumDims(), 0, result))
             << ": an address generator adds multiples of loop "
                "counters, each taken modulo a constant or not";
    for (auto [dim, terms] : llvm::enumerate(sum->terms)) {
      auto loop = cast<LoopOp>(cast<BlockArgument>(counters[dim]).getOwner()->getParentOp());
      for (const AddressTerm &term : terms)
        if (loop.getCounter() && term.coefficient != 0 && term.modulus == 0)
          return op->emitOpError(
              "uses the counter of a loop without constant trip count outside of a modulus, so the "
              "address would have no bound");
    }
  }
  return success();
}

LogicalResult ViewOp::verify() {
  auto source = getSource().getType(), tile = getTile().getType();
  if (source.getMemorySpace() != tile.getMemorySpace() ||
      source.getElementType() != tile.getElementType())
    return emitOpError("cannot turn ")
           << source << " into " << tile << ": expects one memory and one element type";
  if (getMemoryName(source).empty())
    return emitOpError("needs a source with an #isa.memory space, got ") << source;
  if (tile.getRank() != 2 || !tile.hasStaticShape() || !source.hasStaticShape() ||
      source.getRank() < 2)
    return emitOpError("makes a tile of two static dimensions from a source of at least two, got ")
           << source << " to " << tile;
  if (!source.getLayout().isIdentity() || !tile.getLayout().isIdentity())
    return emitOpError("expects memrefs without layout map");
  if (int64_t(getMap().getNumResults()) != source.getRank())
    return emitOpError("has ") << getMap().getNumResults()
                               << " start positions for a source of rank " << source.getRank();
  if (tile.getDimSize(1) > source.getShape().back())
    return emitOpError("has tiles of ")
           << tile.getDimSize(1) << " columns in a source of " << source.getShape().back();
  return verifyMap(*this, getMap(), getCounters());
}

LogicalResult IndexOp::verify() {
  if (getMap().getNumResults() != 1)
    return emitOpError("needs a map with one result");
  return verifyMap(*this, getMap(), getCounters());
}

LogicalResult AllocOp::verify() {
  auto type = cast<MemRefType>(getBuffer().getType());
  StringRef memory = getMemoryName(type);
  if (memory.empty() || memory == kDram)
    return emitOpError("reserves in an on-chip memory, got ") << type;
  if (!type.hasStaticShape() || type.getRank() < 3 || !type.getLayout().isIdentity())
    return emitOpError("needs a static shape of slots and at least two more dimensions, got ")
           << type;
  if (getDoubleBuffer() && type.getDimSize(0) != 2)
    return emitOpError("is a double buffer with ") << type.getDimSize(0) << " slots";
  return success();
}

} // namespace sparsam::isa
