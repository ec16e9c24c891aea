// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ProgramBuilder.cpp - loops, buffers and addresses for lowerings ----===//

#include "isa/ProgramBuilder.h"

#include <cassert>

using namespace mlir;

namespace sparsam::isa {

static MemRefType getType(ArrayRef<int64_t> shape, Type element, StringRef memory) {
  return MemRefType::get(shape, element, MemRefLayoutAttrInterface(),
                         MemoryAttr::get(element.getContext(), memory));
}

Buffer ProgramBuilder::alloc(StringRef memory, int64_t slots, bool isElastic, int64_t rows,
                             int64_t cols, Type element) {
  auto op = emit<AllocOp>(getType({slots, rows, cols}, element, memory), IntegerAttr(),
                          isElastic && slots == 2);
  return {op.getBuffer(), slots};
}

void ProgramBuilder::loop(int64_t count, function_ref<void(AffineExpr)> body) {
  if (count == 1)
    return body(zero());
  enter(emit<LoopOp>(count), body);
}

void ProgramBuilder::loop(Value counter, function_ref<void(AffineExpr)> body) {
  enter(emit<LoopOp>(counter), body);
}

void ProgramBuilder::enter(LoopOp op, function_ref<void(AffineExpr)> body) {
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(&op.getBody().front());
  counters.push_back(op.getIv());
  body(getAffineDimExpr(counters.size() - 1, builder.getContext()));
  counters.pop_back();
}

std::pair<AffineMap, SmallVector<Value>> ProgramBuilder::mapOf(ArrayRef<AffineExpr> starts) {
  AffineMap map = AffineMap::get(counters.size(), 0, starts, builder.getContext());
  SmallVector<Value> used;
  for (auto [i, counter] : llvm::enumerate(counters))
    if (map.isFunctionOfDim(i))
      used.push_back(counter);
  return {compressUnusedDims(map), used};
}

Value ProgramBuilder::view(Value source, ArrayRef<AffineExpr> starts, int64_t rows, int64_t cols) {
  auto type = cast<MemRefType>(source.getType());
  auto tile = MemRefType::get({rows, cols}, type.getElementType(), MemRefLayoutAttrInterface(),
                              type.getMemorySpace());
  auto [map, used] = mapOf(starts);
  return emit<ViewOp>(tile, source, map, used);
}

Value ProgramBuilder::view(const Buffer &buffer, AffineExpr turn, AffineExpr row, AffineExpr col,
                           int64_t rows, int64_t cols) {
  return view(buffer.value, {buffer.slots == 1 ? zero() : turn % buffer.slots, row, col}, rows,
              cols);
}

Value ProgramBuilder::index(AffineExpr expr) {
  auto [map, used] = mapOf(expr);
  return emit<IndexOp>(builder.getIndexType(), AffineMapAttr::get(map), used);
}

MemRefType getDramType(RankedTensorType type) {
  return getType(type.getShape(), type.getElementType(), kDram);
}

MemRefType getFlatDramType(RankedTensorType type) {
  ArrayRef<int64_t> shape = type.getShape();
  assert(shape.size() == 4 && "batch, heads, tokens, dimensions");
  return getType({shape[0] * shape[1], shape[2], shape[3]}, type.getElementType(), kDram);
}

SmallVector<Type> getDramTypes(KernelOp kernel, function_ref<bool(size_t)> isFlat) {
  SmallVector<Type> types;
  for (auto [number, type] : llvm::enumerate(
           llvm::concat<const Type>(kernel.getArgumentTypes(), kernel.getResultTypes()))) {
    auto tensor = cast<RankedTensorType>(type);
    if (tensor.getRank() == 0)
      tensor = RankedTensorType::get({1, 1}, tensor.getElementType());
    types.push_back(isFlat(number) ? getFlatDramType(tensor) : getDramType(tensor));
  }
  return types;
}

void rewriteKernel(KernelOp kernel, ArrayRef<Type> types,
                   function_ref<void(OpBuilder &, ValueRange)> emit) {
  kernel.getBody().getBlocks().clear();
  OpBuilder builder(kernel.getContext());
  Block *body = builder.createBlock(&kernel.getBody(), {}, types,
                                    SmallVector<Location>(types.size(), kernel.getLoc()));
  kernel.setFunctionType(builder.getFunctionType(types, {}));
  emit(builder, body->getArguments());
  ReturnOp::create(builder, kernel.getLoc());
}

LogicalResult lowerKernels(ModuleOp module, StringRef target,
                           function_ref<LogicalResult(KernelOp, ArchAttr)> lower) {
  SmallVector<KernelOp> kernels;
  for (auto kernel : module.getOps<KernelOp>())
    if (kernel.getTarget() == target && !kernel.isMachineForm())
      kernels.push_back(kernel);
  for (KernelOp kernel : kernels) {
    FailureOr<ArchAttr> arch = getArch(kernel);
    if (failed(arch) || failed(lower(kernel, *arch)))
      return failure();
  }
  return success();
}

} // namespace sparsam::isa
