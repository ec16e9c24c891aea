// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CheckSettings.cpp - parameters of patterns that nothing follows ----===//

#include "Salo.h"

#include "sattn/Sattn.h"

#include "mlir/IR/BuiltinOps.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace sparsam;

namespace sparsam::salo {
#define GEN_PASS_DEF_CHECKSALOSETTINGS
#include "targets/salo/SaloPasses.h.inc"
} // namespace sparsam::salo

namespace {

struct CheckSaloSettings : salo::impl::CheckSaloSettingsBase<CheckSaloSettings> {
  using CheckSaloSettingsBase::CheckSaloSettingsBase;

  void runOnOperation() override {
    auto arch = getOperation()->getAttrOfType<isa::ArchAttr>("isa.arch");
    if (!arch || failed(salo::checkArch(arch, getOperation().getLoc())))
      return signalPassFailure();
    SmallVector<sattn::AttentionOp> masked, open;
    getOperation().walk([&](sattn::AttentionOp core) {
      (llvm::isa<sattn::PatternAttr>(Attribute(core.getPolicy())) ? masked : open).push_back(core);
    });
    const std::string all = listSet(arch, {"window", "dilation", "global_tokens"});
    if (!all.empty() && !masked.empty())
      warn(masked, "follows the mask of the model, whatever " + all + " say");
    const std::string rest = listSet(arch, {"dilation", "global_tokens"});
    if (!rest.empty() && !open.empty() && arch.getInteger("window") == 0)
      warn(open, "looks at every key, whatever " + rest + " say: `window` is not set");
  }

private:
  /// Those of some parameters that are not at their neutral values, as "`a`, `b`".
  static std::string listSet(isa::ArchAttr arch, ArrayRef<StringRef> names) {
    SmallVector<std::string> set;
    for (StringRef name : names)
      if (arch.getInteger(name) > (name == "dilation" ? 1 : 0))
        set.push_back("`" + name.str() + "`");
    return llvm::join(set, ", ");
  }

  /// One warning for all cores, at the first.
  static void warn(ArrayRef<sattn::AttentionOp> cores, const Twine &text) {
    sattn::AttentionOp first = cores.front();
    InFlightDiagnostic warning = first.emitWarning() << text;
    if (cores.size() > 1)
      warning << " (" << cores.size() - 1 << " more alike)";
  }
};

} // namespace
