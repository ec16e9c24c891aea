// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CascadePrompt.cpp - what a prompt hands to a pruning decoder -------===//
//
// Rows of tokens that a prompt prunes would be missing from its caches, and later steps rank all
// tokens again. So a prompt prunes nothing, as in the released workloads, whose first iteration has
// all keys in every layer; it hands over what its attention has told of tokens and heads.
//

#include "sparsam/Cascade.h"

#include "Transforms/CascadeSupport.h"

#include "onnx/Onnx.h"
#include "sattn/Sattn.h"

using namespace mlir;

namespace sparsam {

static bool isReturned(Value value) {
  return llvm::any_of(value.getUsers(), llvm::IsaPred<func::ReturnOp>);
}

/// True if the function returns the keys of `core`, in whatever layout.
static bool returnsKeys(sattn::AttentionOp core) {
  Value keys = core.getKey();
  while (!isReturned(keys)) {
    Operation *op = keys.getDefiningOp();
    if (!op || !llvm::isa<onnx::TransposeOp, onnx::ReshapeOp>(op))
      return false;
    keys = op->getOperand(0);
  }
  return true;
}

bool isPrompt(func::FuncOp function) {
  SmallVector<sattn::AttentionOp> cores = coresOf(function);
  return !cores.empty() && llvm::all_of(cores, [](sattn::AttentionOp core) {
    return !core.getValid() && returnsKeys(core);
  });
}

std::string newScoresName(StringRef name) { return "sparsam.new_" + name.str(); }

void returnScores(func::FuncOp function, StringRef name, Value scores) {
  Builder builder(function.getContext());
  const NamedAttribute attribute =
      builder.getNamedAttr(onnx::kNameAttr, builder.getStringAttr(newScoresName(name)));
  (void)function.insertResult(function.getNumResults(), scores.getType(),
                              builder.getDictionaryAttr({attribute}));
  Operation *returnOp = function.getBody().front().getTerminator();
  returnOp->insertOperands(returnOp->getNumOperands(), scores);
}

void returnImportance(func::FuncOp function, bool ofTokens, bool ofHeads) {
  OpBuilder builder(function.getContext());
  Value tokens, heads; // as accumulated so far
  for (sattn::AttentionOp core : coresOf(function)) {
    ArrayRef<int64_t> keys = typeOf(core.getKey()).getShape();
    builder.setInsertionPoint(core);
    if (ofTokens && !tokens)
      tokens = zeroScores(builder, core.getLoc(), keys[0], keys[2]);
    if (ofHeads && !heads)
      heads = zeroScores(builder, core.getLoc(), keys[0], keys[1]);
    auto again = sattn::AttentionOp::create(
        builder, core.getLoc(), core.getOutput().getType(), ofTokens ? tokens.getType() : Type(),
        ofHeads ? heads.getType() : Type(), core.getQuery(), core.getKey(), core.getValue(),
        core.getMask(), tokens, heads, core.getValid(), core.getScaleAttr(), core.getCausalAttr(),
        core.getPolicyAttr());
    again->setDiscardableAttrs(core->getDiscardableAttrDictionary());
    placeZeros(again, {tokens, heads});
    tokens = again.getNewTokenScores();
    heads = again.getNewHeadScores();
    core.getOutput().replaceAllUsesWith(again.getOutput());
    core->erase();
  }
  if (ofTokens)
    returnScores(function, kTokenImportance, tokens);
  if (ofHeads)
    returnScores(function, kHeadImportance, heads);
}

} // namespace sparsam
