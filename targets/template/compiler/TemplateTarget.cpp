// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- TemplateTarget.cpp - what the machine tells the compiler -----------===//

#include "Template.h"

#include "sattn/Sattn.h"
#include "sparsam/Target.h"

using namespace mlir;
using namespace sparsam;
using namespace sparsam::template_;

namespace {

class TemplateTarget : public DialectTarget<TemplateDialect> {
public:
  void registerPasses() const override { registerTemplatePasses(); }

  /// Every pair, whatever the mode: this is where a sparse machine names its selection.
  FailureOr<Attribute> getPolicy(isa::ArchAttr, Operation *attention) const override {
    return Attribute(sattn::DenseAttr::get(attention->getContext()));
  }

  void addLoweringPasses(OpPassManager &pm) const override { pm.addPass(createLowerToTemplate()); }

  std::map<std::string, MemoryInfo> getMemories(isa::ArchAttr arch) const override {
    return readMemories(arch, {{"input", 32, "input_buffer"}, {"output", 32, "output_buffer"}});
  }
};

} // namespace

namespace sparsam::template_ {

/// Called by the generated registerAllTargets.
void registerTemplateTarget(TargetRegistry &registry) {
  registry.add(std::make_unique<TemplateTarget>());
}

} // namespace sparsam::template_
