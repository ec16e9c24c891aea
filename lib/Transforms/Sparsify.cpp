// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Sparsify.cpp - choose where attention runs and what it keeps -------===//

#include "Support/NodeName.h"
#include "Transforms/Calibration.h"
#include "Transforms/CoreInputs.h"

#include "sparsam/Target.h"

#include "sattn/Semantics.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

#include <limits>

using namespace mlir;

namespace sparsam {
#define GEN_PASS_DEF_SPARSIFY
#include "sparsam/SattnPasses.h.inc"

namespace {

/// The machine that the module is compiled for.
struct Machine {
  isa::ArchAttr arch;
  const Target *target;
};

struct Sparsify : impl::SparsifyBase<Sparsify> {
  using SparsifyBase::SparsifyBase;

  void runOnOperation() override {
    SmallVector<sattn::AttentionOp> cores;
    getOperation().walk([&](sattn::AttentionOp op) { cores.push_back(op); });
    if (mode == SparsifyMode::host) {
      for (sattn::AttentionOp core : cores)
        if (failed(placeOnHost(core)))
          return signalPassFailure();
      return;
    }
    FailureOr<Machine> machine = findMachine();
    FailureOr<Calibration> settings = parseCalibration(calibration, getOperation().getLoc());
    if (failed(machine) || failed(settings) || failed(checkNames(*settings, cores)))
      return signalPassFailure();
    for (sattn::AttentionOp core : cores)
      if (failed(placeOnTarget(core, *machine, *settings)))
        return signalPassFailure();
    getOperation().walk([&](Operation *op) { keepCalibration(op, *settings); });
  }

private:
  FailureOr<Machine> findMachine() {
    auto arch = getOperation()->getAttrOfType<isa::ArchAttr>("isa.arch");
    if (!arch)
      return emitError(getOperation().getLoc())
             << "sattn-sparsify needs a target: the module has no `isa.arch`; run isa-set-target, "
                "or use mode=host";
    const Target *target = TargetRegistry::instance().lookup(arch.getTarget());
    if (target)
      return Machine{arch, target};
    return emitError(getOperation().getLoc())
           << "unknown target '" << arch.getTarget() << "' in `isa.arch`; targets that were built: "
           << llvm::join(TargetRegistry::instance().getNames(), ", ");
  }

  /// A calibration that was made for another model must not be ignored silently.
  LogicalResult checkNames(const Calibration &settings, ArrayRef<sattn::AttentionOp> cores) {
    llvm::StringSet<> nodes;
    getOperation().walk([&](Operation *op) { nodes.insert(getNodeName(op->getLoc())); });
    for (const auto &[name, values] : settings) {
      auto isNamed = [&](sattn::AttentionOp core) { return getName(core) == name; };
      if (llvm::none_of(cores, isNamed) && !nodes.contains(name))
        return emitError(getOperation().getLoc())
               << "calibration names '" << name
               << "', but no attention core of this module is called that";
    }
    return success();
  }

  /// Notes what calibration says of an op on the target that no policy has taken up.
  void keepCalibration(Operation *op, const Calibration &settings) {
    auto core = dyn_cast<sattn::AttentionOp>(op);
    const bool isTakenUp = core && !core.getPolicy().isDense() && !core.getPolicy().replacesMask();
    if (!op->getDiscardableAttr(kTargetAttr) || isTakenUp)
      return;
    auto own = settings.find(core ? getName(core).str() : getNodeName(op->getLoc()));
    if (own == settings.end())
      return;
    Builder builder(op);
    NamedAttrList values;
    for (const auto &[name, value] : own->second)
      values.append(name, builder.getF64FloatAttr(value));
    op->setDiscardableAttr(kCalibrationAttr, values.getDictionary(&getContext()));
  }

  /// What calibrations call a core.
  static StringRef getName(sattn::AttentionOp core) {
    auto name = dyn_cast_if_present<StringAttr>(core->getDiscardableAttr(kCoreAttr));
    if (!name)
      name = dyn_cast_if_present<StringAttr>(core->getDiscardableAttr(sattn::kNameAttr));
    return name ? name.getValue() : StringRef();
  }

  LogicalResult placeOnHost(sattn::AttentionOp core) {
    if (auto pattern = dyn_cast<sattn::PatternAttr>(Attribute(core.getPolicy())))
      if (failed(maskBy(core, pattern)))
        return failure();
    core.setPolicyAttr(sattn::DenseAttr::get(&getContext()));
    core->removeDiscardableAttr(kTargetAttr);
    return success();
  }

  /// The host attends to every pair: a pattern becomes the additive mask that it stands for.
  LogicalResult maskBy(sattn::AttentionOp core, sattn::PatternAttr pattern) {
    const int64_t tokens = core.getQuery().getType().getDimSize(2);
    if (core.getMask() || tokens * tokens > sattn::kFoldLimit)
      return core.emitOpError() << "has a pattern over " << tokens
                                << " tokens, which the host cannot run: it makes a mask of at most "
                                << sattn::kFoldLimit << " pairs, and none beside another";
    OpBuilder builder(core);
    const int64_t shape[] = {1, 1, tokens, tokens};
    sattn::semantics::Mask visible = sattn::semantics::patternMask(pattern, shape);
    sattn::semantics::Floats mask(shape, 0.0f);
    for (auto [bit, value] : llvm::zip_equal(visible.data, mask.data))
      value = bit ? 0.0f : -std::numeric_limits<float>::infinity();
    auto type = RankedTensorType::get(shape, builder.getF32Type());
    auto constant =
        arith::ConstantOp::create(builder, core.getLoc(), sattn::semantics::toAttr(mask, type));
    core.getMaskMutable().assign(constant);
    return success();
  }

  LogicalResult placeOnTarget(sattn::AttentionOp core, const Machine &machine,
                              const Calibration &settings) {
    core->setDiscardableAttr(kTargetAttr,
                             StringAttr::get(&getContext(), machine.target->getName()));
    if (mode == SparsifyMode::dense) {
      if (!core.getPolicy().replacesMask())
        core.setPolicyAttr(sattn::DenseAttr::get(&getContext()));
      return success();
    }
    if (!core.getPolicy().isDense())
      return success(); // chosen by hand
    isa::ArchAttr arch = machine.arch;
    auto own = settings.find(getName(core).str());
    if (own != settings.end()) {
      FailureOr<isa::ArchAttr> overridden =
          overrideParameters(arch, own->second, own->first, core.getLoc());
      if (failed(overridden))
        return failure();
      arch = *overridden;
    }
    FailureOr<Attribute> policy = machine.target->getPolicy(arch, core);
    if (failed(policy))
      return failure();
    core.setPolicyAttr(cast<sattn::SelectionPolicyAttrInterface>(*policy));
    return core.getPolicy().verifyFor(core);
  }
};

} // namespace
} // namespace sparsam
