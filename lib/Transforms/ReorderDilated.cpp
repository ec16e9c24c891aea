// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ReorderDilated.cpp - dilated windows become plain windows ----------===//

#include "sparsam/Transforms.h"

#include "isa/Isa.h"
#include "sattn/Sattn.h"

using namespace mlir;

namespace sparsam {
#define GEN_PASS_DEF_REORDERDILATED
#include "sparsam/SattnPasses.h.inc"

namespace {

/// The dilation that all windows share and that ordering by residue resolves; 1 if there is none.
int64_t sharedDilation(sattn::PatternAttr pattern, int64_t tokens) {
  int64_t dilation = 1;
  for (const sattn::Window &w : pattern.getWindows())
    if (w.dilation > 1)
      dilation = w.dilation;
  if (pattern.getSegments() != 1 || tokens % dilation != 0)
    return 1;
  for (const sattn::Window &w : pattern.getWindows())
    if ((w.width > 1 && w.dilation != dilation) || w.offset % dilation != 0)
      return 1;
  return dilation;
}

/// The same pattern for tokens ordered by residue.
sattn::PatternAttr order(sattn::PatternAttr pattern, int64_t dilation, int64_t tokens) {
  SmallVector<sattn::Window> windows;
  for (const sattn::Window &w : pattern.getWindows())
    windows.push_back({w.offset / dilation, w.width, 1});
  SmallVector<int64_t> globals = llvm::map_to_vector(pattern.getGlobals(), [&](int64_t token) {
    return token % dilation * (tokens / dilation) + token / dilation;
  });
  llvm::sort(globals);
  return sattn::PatternAttr::get(pattern.getContext(), windows, globals, dilation);
}

/// Every offset of a dilated window as a window of its own.
sattn::PatternAttr expand(sattn::PatternAttr pattern) {
  SmallVector<sattn::Window> windows;
  for (const sattn::Window &w : pattern.getWindows()) {
    if (w.dilation == 1)
      windows.push_back(w);
    else
      for (int64_t m = 0; m < w.width; ++m)
        windows.push_back({w.offset + m * w.dilation, 1, 1});
  }
  llvm::sort(windows, [](const auto &a, const auto &b) { return a.offset < b.offset; });
  return sattn::PatternAttr::get(pattern.getContext(), windows, pattern.getGlobals(),
                                 pattern.getSegments());
}

void setPolicy(sattn::AttentionOp core, sattn::PatternAttr pattern) {
  core.setPolicyAttr(cast<sattn::SelectionPolicyAttrInterface>(Attribute(pattern)));
}

void reorder(sattn::AttentionOp core, int64_t dilation) {
  OpBuilder builder(core);
  for (OpOperand *operand :
       {&core.getQueryMutable(), &core.getKeyMutable(), &core.getValueMutable()})
    operand->set(sattn::ReorderOp::create(builder, core.getLoc(), operand->get(), dilation, false));
  builder.setInsertionPointAfter(core);
  auto back = sattn::ReorderOp::create(builder, core.getLoc(), core.getOutput(), dilation, true);
  core.getOutput().replaceAllUsesExcept(back.getOutput(), back);
}

struct ReorderDilated : impl::ReorderDilatedBase<ReorderDilated> {
  using ReorderDilatedBase::ReorderDilatedBase;

  void runOnOperation() override {
    SmallVector<sattn::AttentionOp> cores;
    getOperation().walk([&](sattn::AttentionOp op) {
      if (op->getParentOfType<isa::KernelOp>() &&
          llvm::isa<sattn::PatternAttr>(Attribute(op.getPolicy())))
        cores.push_back(op);
    });
    for (sattn::AttentionOp core : cores)
      rewrite(core);
  }

private:
  static void rewrite(sattn::AttentionOp core) {
    auto pattern = cast<sattn::PatternAttr>(Attribute(core.getPolicy()));
    const int64_t tokens = core.getQuery().getType().getDimSize(2);
    auto isDilated = [](const sattn::Window &w) { return w.dilation > 1; };
    if (llvm::none_of(pattern.getWindows(), isDilated))
      return;
    const int64_t dilation = sharedDilation(pattern, tokens);
    if (dilation == 1)
      return setPolicy(core, expand(pattern));
    setPolicy(core, order(pattern, dilation, tokens));
    reorder(core, dilation);
  }
};

} // namespace
} // namespace sparsam
