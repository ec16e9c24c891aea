// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- TemplateTarget.cpp - what the machine tells the compiler -----------===//

#include "Template.h"

#include "sattn/Sattn.h"
#include "sparsam/Target.h"

using namespace mlir;
using namespace sparsam;
using namespace sparsam::template_;

namespace {

class TemplateTarget : public Target {
public:
  StringRef getName() const override { return "template"; }

  void registerDialects(DialectRegistry &registry) const override {
    registry.insert<TemplateDialect>();
  }

  void registerPasses() const override { registerTemplatePasses(); }

  /// Every pair, whatever the mode: this is where a sparse machine names its selection.
  FailureOr<Attribute> getPolicy(isa::ArchAttr, Operation *attention) const override {
    return Attribute(sattn::DenseAttr::get(attention->getContext()));
  }

  void addLoweringPasses(OpPassManager &pm) const override { pm.addPass(createLowerToTemplate()); }

  std::map<std::string, MemoryInfo> getMemories(isa::ArchAttr arch) const override {
    std::map<std::string, MemoryInfo> memories;
    for (const char *name : {"input", "output"}) {
      std::string parameter = std::string(name) + "_buffer";
      memories[name] = {arch.getInteger(parameter), 32, parameter};
    }
    return memories;
  }
};

} // namespace

namespace sparsam::template_ {

/// Called by the generated registerAllTargets.
void registerTemplateTarget(TargetRegistry &registry) {
  registry.add(std::make_unique<TemplateTarget>());
}

} // namespace sparsam::template_
