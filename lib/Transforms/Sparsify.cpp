// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Sparsify.cpp - choose where attention runs and what it keeps -------===//

#include "Transforms/Calibration.h"

#include "sparsam/Target.h"

#include "sattn/Sattn.h"

#include "llvm/ADT/StringExtras.h"

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
        placeOnHost(core);
      return;
    }
    FailureOr<Machine> machine = findMachine();
    FailureOr<Calibration> settings = parseCalibration(calibration, getOperation().getLoc());
    if (failed(machine) || failed(settings) || failed(checkNames(*settings, cores)))
      return signalPassFailure();
    for (sattn::AttentionOp core : cores)
      if (failed(placeOnTarget(core, *machine, *settings)))
        return signalPassFailure();
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
    for (const auto &[name, values] : settings) {
      auto isNamed = [&](sattn::AttentionOp core) { return getName(core) == name; };
      if (llvm::none_of(cores, isNamed))
        return emitError(getOperation().getLoc())
               << "calibration names '" << name
               << "', but no attention core of this module is called that";
    }
    return success();
  }

  static StringRef getName(sattn::AttentionOp core) {
    auto name = dyn_cast_if_present<StringAttr>(core->getDiscardableAttr(sattn::kNameAttr));
    return name ? name.getValue() : StringRef();
  }

  void placeOnHost(sattn::AttentionOp core) {
    core.setPolicyAttr(sattn::DenseAttr::get(&getContext()));
    core->removeDiscardableAttr(kTargetAttr);
  }

  LogicalResult placeOnTarget(sattn::AttentionOp core, const Machine &machine,
                              const Calibration &settings) {
    core->setDiscardableAttr(kTargetAttr,
                             StringAttr::get(&getContext(), machine.target->getName()));
    if (mode == SparsifyMode::dense) {
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
