// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Decompose.cpp - attention as selection, sddmm, softmax and spmm ----===//

#include "sparsam/Calibrated.h"
#include "sparsam/Transforms.h"

#include "isa/Isa.h"
#include "sattn/Sattn.h"

using namespace mlir;

namespace sparsam {
#define GEN_PASS_DEF_DECOMPOSE
#include "sparsam/SattnPasses.h.inc"

namespace {

LogicalResult decompose(sattn::AttentionOp core) {
  StringRef missing = core.getPolicy().missingCalibration();
  if (!missing.empty())
    return emitUncalibratedPolicy(core, missing);
  if (core.getNumResults() != 1)
    return core.emitOpError() << "cannot be decomposed: nothing but `sattn.attention` accumulates "
                                 "scores of tokens and heads";
  for (Value operand : {core.getQuery(), core.getKey(), core.getValue()})
    if (!cast<RankedTensorType>(operand.getType()).hasStaticShape())
      return core.emitOpError() << "cannot be decomposed on " << operand.getType()
                                << ": expects static shapes";
  if (core.getValid())
    return core.emitOpError() << "cannot be decomposed: it attends over a cache that grows "
                                 "(`valid`), and masks are made for all keys; run attention on "
                                 "the host (--attention host)";
  OpBuilder builder(core);
  Location loc = core.getLoc();
  Value selection = core.getPolicy().buildSelection(builder, core);
  auto pairs = cast<RankedTensorType>(selection.getType()).clone(builder.getF32Type());
  Value scores = sattn::SddmmOp::create(builder, loc, pairs, core.getQuery(), core.getKey(),
                                        selection, core.getMask(), core.getScaleAttr());
  Value probabilities = sattn::SoftmaxOp::create(builder, loc, pairs, scores, selection);
  Value values = core.getPolicy().buildValueSelection(builder, core, probabilities);
  Value output = sattn::SpmmOp::create(builder, loc, core.getOutput().getType(), probabilities,
                                       core.getValue(), values ? values : selection);
  core->replaceAllUsesWith(ValueRange(output));
  core->erase();
  return success();
}

struct Decompose : impl::DecomposeBase<Decompose> {
  using DecomposeBase::DecomposeBase;

  void runOnOperation() override {
    SmallVector<sattn::AttentionOp> cores;
    getOperation().walk([&](sattn::AttentionOp op) {
      if (everywhere || op->getParentOfType<isa::KernelOp>())
        cores.push_back(op);
    });
    for (sattn::AttentionOp core : cores)
      if (failed(decompose(core)))
        return signalPassFailure();
  }
};

} // namespace
} // namespace sparsam
