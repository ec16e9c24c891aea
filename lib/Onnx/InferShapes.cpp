// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- InferShapes.cpp - static shapes for a graph ------------------------===//

#include "sparsam/OnnxPasses.h"

#include "onnx/Onnx.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;

namespace sparsam {
#define GEN_PASS_DEF_INFERSHAPES
#include "sparsam/OnnxPasses.h.inc"

namespace {

bool isStatic(Type type) {
  auto shaped = dyn_cast<ShapedType>(type);
  return !shaped || shaped.hasStaticShape();
}

struct InferShapes : impl::InferShapesBase<InferShapes> {
  using InferShapesBase::InferShapesBase;

  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isExternal() && failed(infer(function)))
        return signalPassFailure();
  }

private:
  LogicalResult infer(func::FuncOp function) {
    for (Block &block : function.getBody())
      for (Operation &op : llvm::make_early_inc_range(block))
        if (failed(infer(&op)))
          return failure();
    if (!function.getBody().hasOneBlock())
      return success();
    Operation *returned = function.getBody().front().getTerminator();
    function.setFunctionType(
        FunctionType::get(&getContext(), function.getArgumentTypes(), returned->getOperandTypes()));
    return success();
  }

  LogicalResult infer(Operation *op) {
    auto inference = dyn_cast<onnx::ShapeInference>(op);
    if (!inference)
      return success();
    if (failed(inference.inferShapes()))
      return failure();
    if (fold(op))
      return success();
    for (Value result : op->getResults())
      if (!isStatic(result.getType()))
        return refuse(op, result);
    return success();
  }

  /// Replaces the op where it folds.
  bool fold(Operation *op) {
    SmallVector<OpFoldResult> results;
    if (failed(op->fold(results)) || results.empty())
      return false;
    OpBuilder builder(op);
    SmallVector<Value> values;
    for (auto [result, folded] : llvm::zip(op->getResults(), results)) {
      auto value = dyn_cast<Value>(folded);
      if (!value) {
        Operation *constant = op->getDialect()->materializeConstant(
            builder, cast<Attribute>(folded), result.getType(), op->getLoc());
        if (!constant)
          return false;
        value = constant->getResult(0);
      }
      values.push_back(value);
    }
    op->replaceAllUsesWith(values);
    op->erase();
    return true;
  }

  LogicalResult refuse(Operation *op, Value result) {
    InFlightDiagnostic error = op->emitOpError();
    error << "has no static shape: " << result.getType()
          << " depends on values that are known only when the model runs";
    for (Value operand : op->getOperands())
      if (!isStatic(operand.getType()))
        error.attachNote(operand.getLoc()) << "operand of type " << operand.getType();
    error.attachNote() << "shapes must follow from the shapes of the inputs (--shape name=1x128) "
                          "and from constants";
    return error;
  }
};

} // namespace
} // namespace sparsam
