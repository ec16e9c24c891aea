// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- RaiseOnnxToSattn.cpp - recognise attention and linear layers -------===//

#include "sparsam/Conversion.h"

#include "Conversion/OnnxToSattn/Core.h"
#include "Support/NodeName.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace sparsam {
#define GEN_PASS_DEF_RAISEONNXTOSATTN
#include "sparsam/ConversionPasses.h.inc"

namespace {

struct RaiseOnnxToSattn : impl::RaiseOnnxToSattnBase<RaiseOnnxToSattn> {
  using RaiseOnnxToSattnBase::RaiseOnnxToSattnBase;

  void runOnOperation() override {
    SmallVector<Operation *> candidates;
    getOperation().walk([&](Operation *op) {
      if (llvm::isa<onnx::SoftmaxOp, onnx::AttentionOp, onnx::MSAttentionOp,
                    onnx::MSMultiHeadAttentionOp>(op))
        candidates.push_back(op);
    });
    for (Operation *op : candidates)
      if (failed(raise(op)))
        return signalPassFailure();
    if (notRaised.empty())
      getOperation()->removeDiscardableAttr(kNotRaisedAttr);
    else
      getOperation()->setDiscardableAttr(
          kNotRaisedAttr,
          Builder(&getContext()).getStrArrayAttr(llvm::to_vector_of<StringRef>(notRaised)));
    RewritePatternSet patterns(&getContext());
    populateLinearPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }

private:
  LogicalResult raise(Operation *op) {
    std::string name = "attention_" + std::to_string(numRaised);
    if (auto softmax = dyn_cast<onnx::SoftmaxOp>(op)) {
      std::string reason;
      if (failed(raiseSoftmax(softmax, name, reason))) {
        remark(softmax, reason);
        return success();
      }
    } else if (std::string reason; failed(expand(op, name, reason))) {
      if (!keepsRefused)
        return failure();
      remark(op, reason);
      return success();
    }
    ++numRaised;
    return success();
  }

  /// Expands an operator; with `keepsRefused` its error becomes the reason.
  LogicalResult expand(Operation *op, StringRef name, std::string &reason) {
    auto isKept = [&](Diagnostic &error) {
      if (!keepsRefused || error.getSeverity() != DiagnosticSeverity::Error)
        return failure();
      const std::string all = error.str();
      StringRef text = all;
      text.consume_front(("'" + op->getName().getStringRef() + "' op ").str());
      reason = text.str();
      return success();
    };
    ScopedDiagnosticHandler handler(&getContext(), isKept);
    return llvm::TypeSwitch<Operation *, LogicalResult>(op)
        .Case<onnx::AttentionOp, onnx::MSAttentionOp, onnx::MSMultiHeadAttentionOp>(
            [&](auto attention) { return expandAttention(attention, name); })
        .Default([](Operation *) { return failure(); });
  }

  void remark(Operation *op, StringRef reason) {
    StringRef type = op->getName().stripDialect();
    op->emitRemark() << "this " << type << " is not raised to sattn.attention: " << reason;
    std::string node = getNodeName(op->getLoc());
    notRaised.push_back((node.empty() ? type.str() : node) + ": " + reason.str());
  }

  unsigned numRaised = 0;
  SmallVector<std::string> notRaised;
};

} // namespace
} // namespace sparsam
