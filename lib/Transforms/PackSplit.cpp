// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- PackSplit.cpp - run over packed masks ------------------------------===//

#include "sparsam/Transforms.h"

#include "isa/Isa.h"
#include "sattn/Sattn.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace sparsam {
#define GEN_PASS_DEF_PACKSPLIT
#include "sparsam/SattnPasses.h.inc"

namespace {

/// The selection operand of sddmm, softmax or spmm; null for other ops.
OpOperand *getSelection(Operation *op) {
  if (auto sddmm = dyn_cast<sattn::SddmmOp>(op))
    return &sddmm.getSelectionMutable();
  if (auto softmax = dyn_cast<sattn::SoftmaxOp>(op))
    return &softmax.getSelectionMutable();
  if (auto spmm = dyn_cast<sattn::SpmmOp>(op))
    return &spmm.getSelectionMutable();
  return nullptr;
}

/// How masks are packed.
struct Format {
  int64_t stripe, pes, rows;
  sattn::Encoder encoder;
};

struct PackSplit : impl::PackSplitBase<PackSplit> {
  using PackSplitBase::PackSplitBase;

  void runOnOperation() override {
    SetVector<Value> masks;
    getOperation().walk([&](Operation *op) {
      OpOperand *selection = getSelection(op);
      if (selection && llvm::isa<RankedTensorType>(selection->get().getType()))
        masks.insert(selection->get());
    });
    if (masks.empty())
      return;
    FailureOr<Format> format = chooseFormat();
    if (failed(format))
      return signalPassFailure();
    for (Value mask : masks)
      if (failed(pack(mask, *format)))
        return signalPassFailure();
  }

private:
  /// The parameter `name` of the module's machine, or null.
  Attribute getParameter(StringRef name) {
    auto arch = getOperation()->getAttrOfType<isa::ArchAttr>("isa.arch");
    return arch ? arch.getParameters().get(name) : Attribute();
  }

  InFlightDiagnostic missing(StringRef name) {
    return emitError(getOperation().getLoc())
           << "sattn-pack-split needs `" << name
           << "`: give the option, or a target with a parameter of this name";
  }

  FailureOr<int64_t> choose(int64_t option, StringRef name) {
    if (option != 0)
      return option;
    if (auto parameter = dyn_cast_if_present<IntegerAttr>(getParameter(name)))
      return parameter.getInt();
    return missing(name);
  }

  FailureOr<sattn::Encoder> chooseEncoder() {
    StringRef name = encoder;
    if (name.empty()) {
      auto parameter = dyn_cast_if_present<StringAttr>(getParameter("encoder"));
      if (!parameter)
        return missing("encoder");
      name = parameter.getValue();
    }
    if (std::optional<sattn::Encoder> known = sattn::symbolizeEncoder(name))
      return *known;
    return emitError(getOperation().getLoc())
           << "expects encoder subrow or column_cut, got '" << name << "'";
  }

  FailureOr<Format> chooseFormat() {
    FailureOr<int64_t> chosenStripe = choose(stripe, "stripe"), chosenPes = choose(pes, "pes"),
                       chosenRows = choose(rows, "rows");
    FailureOr<sattn::Encoder> chosenEncoder = chooseEncoder();
    if (failed(chosenStripe) || failed(chosenPes) || failed(chosenRows) || failed(chosenEncoder))
      return failure();
    return Format{*chosenStripe, *chosenPes, *chosenRows, *chosenEncoder};
  }

  LogicalResult pack(Value mask, const Format &format) {
    auto emit = [&] { return emitError(mask.getLoc()) << "sattn-pack-split: "; };
    auto shape = cast<RankedTensorType>(mask.getType());
    if (!shape.hasStaticShape())
      return emit() << "expects masks of static shape, got " << shape;
    auto type = sattn::PackedType::getChecked(emit, &getContext(), shape.getShape(), format.stripe,
                                              format.pes, format.rows, format.encoder);
    if (!type)
      return failure();
    OpBuilder builder(&getContext());
    builder.setInsertionPointAfterValue(mask);
    Value packed = builder.createOrFold<sattn::PackSplitOp>(mask.getLoc(), type, mask);
    for (OpOperand &use : llvm::make_early_inc_range(mask.getUses()))
      if (getSelection(use.getOwner()) == &use)
        use.set(packed);
    return success();
  }
};

} // namespace
} // namespace sparsam
