// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Layer.cpp - how heads are split, merged and found ------------------===//

#include "Layer.h"

using namespace mlir;
using namespace sparsam;

bool sta::isHeadTranspose(onnx::TransposeOp op) {
  return op && op.getPerm() && *op.getPerm() == ArrayRef<int64_t>{0, 2, 1, 3};
}

/// True if `op` splits the last of three dimensions into heads.
static bool isHeadSplit(onnx::ReshapeOp op) {
  auto from = dyn_cast<RankedTensorType>(op.getData().getType()),
       to = dyn_cast<RankedTensorType>(op.getResult().getType());
  return from && to && from.hasStaticShape() && to.hasStaticShape() && from.getRank() == 3 &&
         to.getRank() == 4 && from.getShape().take_front(2) == to.getShape().take_front(2);
}

Value sta::traceHeads(Value value, SmallVectorImpl<Operation *> &moves) {
  auto transpose = value.getDefiningOp<onnx::TransposeOp>();
  if (!isHeadTranspose(transpose))
    return {};
  auto reshape = transpose.getData().getDefiningOp<onnx::ReshapeOp>();
  if (!reshape || !isHeadSplit(reshape))
    return {};
  moves.append({transpose, reshape});
  Value whole = reshape.getData();
  auto split = whole.getDefiningOp<onnx::SplitOp>();
  if (!split)
    return whole;
  const int64_t rank = cast<RankedTensorType>(whole.getType()).getRank();
  const auto axis = int64_t(split.getAxis());
  if (axis != -1 && axis != rank - 1)
    return {};
  moves.push_back(split);
  return split.getInput();
}
