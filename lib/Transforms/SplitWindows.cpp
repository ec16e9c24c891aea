// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SplitWindows.cpp - cut windows to the columns of an array ----------===//

#include "sparsam/Transforms.h"

#include "isa/Isa.h"
#include "sattn/Sattn.h"

using namespace mlir;

namespace sparsam {
#define GEN_PASS_DEF_SPLITWINDOWS
#include "sparsam/SattnPasses.h.inc"

namespace {

struct SplitWindows : impl::SplitWindowsBase<SplitWindows> {
  using SplitWindowsBase::SplitWindowsBase;

  void runOnOperation() override {
    SmallVector<sattn::AttentionOp> cores;
    getOperation().walk([&](sattn::AttentionOp op) {
      if (op->getParentOfType<isa::KernelOp>())
        cores.push_back(op);
    });
    if (cores.empty())
      return;
    FailureOr<int64_t> width = chooseColumns();
    if (failed(width))
      return signalPassFailure();
    for (sattn::AttentionOp core : cores)
      if (failed(split(core, *width)))
        return signalPassFailure();
  }

private:
  FailureOr<int64_t> chooseColumns() {
    if (columns > 0)
      return int64_t(columns);
    auto arch = getOperation()->getAttrOfType<isa::ArchAttr>(isa::kArchAttr);
    auto parameter = arch ? arch.getParameters().getAs<IntegerAttr>("pe_cols") : IntegerAttr();
    if (parameter && parameter.getInt() > 0)
      return parameter.getInt();
    return emitError(getOperation().getLoc())
           << "sattn-split-windows needs the columns of the array: give the option `columns`, or a "
              "target with a parameter `pe_cols`";
  }

  /// Every distance of a key from a query, or those that causality allows.
  static sattn::PatternAttr makeDense(sattn::AttentionOp core) {
    const int64_t queries = core.getQuery().getType().getDimSize(2),
                  keys = core.getKey().getType().getDimSize(2);
    const sattn::Window window{1 - queries, core.getCausal() ? keys : queries + keys - 1, 1};
    return sattn::PatternAttr::get(core.getContext(), window, {}, 1);
  }

  static LogicalResult split(sattn::AttentionOp core, int64_t columns) {
    auto pattern = dyn_cast<sattn::PatternAttr>(Attribute(core.getPolicy()));
    if (!pattern && core.getPolicy().isDense()) {
      pattern = makeDense(core);
      core.setCausal(false);
    }
    if (!pattern)
      return success();
    SmallVector<sattn::Window> windows;
    for (const sattn::Window &w : pattern.getWindows()) {
      if (w.dilation != 1)
        return core.emitOpError() << "has a window of dilation " << w.dilation
                                  << "; run sattn-reorder-dilated first";
      for (int64_t done = 0; done < w.width; done += columns)
        windows.push_back({w.offset + done, std::min(columns, w.width - done), 1});
    }
    core.setPolicyAttr(cast<sattn::SelectionPolicyAttrInterface>(Attribute(sattn::PatternAttr::get(
        core.getContext(), windows, pattern.getGlobals(), pattern.getSegments()))));
    return core.getPolicy().verifyFor(core);
  }
};

} // namespace
} // namespace sparsam
