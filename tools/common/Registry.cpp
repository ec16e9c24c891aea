// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Registry.cpp - everything that a tool of ours knows ----------------===//

#include "tools/common/Registry.h"

#include "check/Check.h"
#include "isa/Isa.h"
#include "onnx/Onnx.h"
#include "sattn/Sattn.h"
#include "sparsam/Conversion.h"
#include "sparsam/IsaPasses.h"
#include "sparsam/OnnxPasses.h"
#include "sparsam/Pipelines.h"
#include "sparsam/Reference.h"
#include "sparsam/TargetPasses.h"
#include "sparsam/Transforms.h"
#include "targets/RegisterModels.h"
#include "targets/RegisterTargets.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace sparsam {

void registerDialects(DialectRegistry &registry) {
  registry.insert<arith::ArithDialect, func::FuncDialect, onnx::OnnxDialect, sattn::SattnDialect,
                  isa::IsaDialect, check::CheckDialect>();
  for (const std::string &name : TargetRegistry::instance().getNames())
    TargetRegistry::instance().lookup(name)->registerDialects(registry);
}

void registerPasses() {
  registerTransformsPasses(); // MLIR's own: canonicalize, cse, ...
  registerOnnxPasses();
  registerConversionPasses();
  registerSattnPasses();
  registerTargetPasses();
  registerIsaPasses();
  registerReferencePasses();
  registerPipelines();
  for (const std::string &name : TargetRegistry::instance().getNames())
    TargetRegistry::instance().lookup(name)->registerPasses();
}

const runtime::ModelRegistry &modelRegistry() {
  static const runtime::ModelRegistry *registry = [] {
    auto *models = new runtime::ModelRegistry();
    registerAllModels(*models);
    return models;
  }();
  return *registry;
}

runtime::Result<runtime::Arch> resolveArch(const std::string &target, const std::string &preset,
                                           const std::vector<std::string> &settings) {
  const runtime::TargetModel *model = modelRegistry().find(target);
  if (!model) {
    std::vector<std::string> names = TargetRegistry::instance().getNames();
    std::string list;
    for (const std::string &name : names)
      list += (list.empty() ? "" : ", ") + name;
    return runtime::makeError("there is no target '", target, "'; there are: ", list);
  }
  auto spec = runtime::ArchSpec::parse(model->archYaml(), target + "/arch.yaml");
  if (!spec)
    return spec.error();
  runtime::Arch arch(spec.take());
  if (!preset.empty())
    if (runtime::Status status = arch.applyPreset(preset); !status)
      return status.error();
  for (const std::string &setting : settings)
    if (runtime::Status status = arch.applySetting(setting); !status)
      return status.error();
  return arch;
}

isa::ArchAttr toAttribute(MLIRContext *context, const runtime::Arch &arch) {
  Builder builder(context);
  struct ToAttribute {
    Builder &builder;
    Attribute operator()(bool value) const { return builder.getBoolAttr(value); }
    Attribute operator()(int64_t value) const { return builder.getI64IntegerAttr(value); }
    Attribute operator()(double value) const { return builder.getF64FloatAttr(value); }
    Attribute operator()(const std::string &value) const { return builder.getStringAttr(value); }
  };
  NamedAttrList parameters;
  for (const runtime::ParamInfo &param : arch.spec().params())
    parameters.append(param.name, std::visit(ToAttribute{builder}, arch.value(param.name)));
  return isa::ArchAttr::get(context, arch.spec().target(), parameters.getDictionary(context));
}

void registerTargets() {
  TargetRegistry &registry = TargetRegistry::instance();
  registerAllTargets(registry);
  registry.archProvider = [](MLIRContext *context, StringRef target, StringRef preset,
                             ArrayRef<std::string> settings) -> llvm::Expected<isa::ArchAttr> {
    runtime::Result<runtime::Arch> arch = resolveArch(target.str(), preset.str(), settings.vec());
    if (!arch)
      return llvm::createStringError(arch.error().message);
    context->getOrLoadDialect<isa::IsaDialect>();
    return toAttribute(context, *arch);
  };
}

} // namespace sparsam
