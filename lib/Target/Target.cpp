// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Target.cpp - the registry of targets -------------------------------===//

#include "sparsam/Target.h"

using namespace mlir;

namespace sparsam {

TargetRegistry &TargetRegistry::instance() {
  static TargetRegistry registry;
  return registry;
}

void TargetRegistry::add(std::unique_ptr<Target> target) {
  std::string name = target->getName().str();
  targets[name] = std::move(target);
}

const Target *TargetRegistry::lookup(StringRef name) const {
  auto it = targets.find(std::string_view(name));
  return it == targets.end() ? nullptr : it->second.get();
}

std::vector<std::string> TargetRegistry::getNames() const {
  std::vector<std::string> names;
  for (const auto &entry : targets)
    names.push_back(entry.first);
  return names;
}

std::map<std::string, Target::MemoryInfo> Target::readMemories(isa::ArchAttr arch,
                                                               ArrayRef<MemorySpec> specs) {
  std::map<std::string, MemoryInfo> memories;
  for (const MemorySpec &spec : specs) {
    MemoryInfo &memory = memories[spec.name];
    memory = {-1, spec.elementBits, spec.parameter ? spec.parameter : ""};
    if (!spec.parameter)
      continue;
    auto bytes = arch.getParameters().getAs<IntegerAttr>(spec.parameter);
    memory.bytes = bytes ? bytes.getInt() : 0;
  }
  return memories;
}

FailureOr<std::map<std::string, Target::MemoryInfo>> getMemories(isa::KernelOp kernel) {
  FailureOr<isa::ArchAttr> arch = isa::getArch(kernel);
  if (failed(arch))
    return failure();
  const Target *target = TargetRegistry::instance().lookup(kernel.getTarget());
  if (!target)
    return kernel.emitOpError() << "is for target '" << kernel.getTarget()
                                << "', which this build does not have";
  return target->getMemories(*arch);
}

} // namespace sparsam
