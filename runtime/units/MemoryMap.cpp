// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- MemoryMap.cpp - the on-chip memories that a kernel uses ------------===//

#include "runtime/units/MemoryMap.h"

#include "runtime/support/Text.h"
#include "runtime/units/TileScheduler.h"

#include <algorithm>

namespace sparsam::runtime {

static Error unknownMemory(const StageInfo &info, const std::string &name,
                           std::span<const MemorySpec> specs, const char *machine) {
  std::vector<std::string> names;
  for (const MemorySpec &spec : specs)
    names.push_back(spec.name);
  return makeError("kernel '", info.name, "' uses memory '", printable(name), "', which ", machine,
                   " does not have; there are: ", join(names));
}

static Status checkMemory(const StageInfo &info, const StageInfo::Memory &memory,
                          const MemorySpec &spec, const Arch &arch) {
  if (memory.elementBits != spec.elementBits)
    return makeError("kernel '", info.name, "': memory '", spec.name, "' has elements of ",
                     spec.elementBits, " bits, not ", memory.elementBits);
  if (!spec.parameter)
    return Status();
  const int64_t bytes = arch.integer(spec.parameter);
  if (memory.elements > bytes * 8 / int64_t(spec.elementBits))
    return makeError("kernel '", info.name, "' needs ",
                     (memory.elements * spec.elementBits + 7) / 8, " bytes of memory '", spec.name,
                     "', which has ", bytes, " (parameter '", spec.parameter,
                     "'); compile for this architecture, or raise the parameter");
  return Status();
}

Result<std::vector<MemoryUse>> mapMemories(const StageInfo &info,
                                           std::span<const AddressGenerator> generators,
                                           std::span<const MemorySpec> specs, const char *machine,
                                           const Arch &arch) {
  std::vector<MemoryUse> uses(specs.size());
  for (size_t m = 0; m < info.memories.size(); ++m) {
    const StageInfo::Memory &memory = info.memories[m];
    auto spec = std::find_if(specs.begin(), specs.end(),
                             [&](const MemorySpec &s) { return s.name == memory.name; });
    if (spec == specs.end())
      return unknownMemory(info, memory.name, specs, machine);
    MemoryUse &use = uses[size_t(spec - specs.begin())];
    if (use.number != 0)
      return makeError("kernel '", info.name, "' declares memory '", spec->name, "' twice");
    if (Status status = checkMemory(info, memory, *spec, arch); !status)
      return status.error();
    const unsigned number = unsigned(m + 2);
    use = {number, memory.extent, tileGrain(info, generators, number)};
  }
  return uses;
}

} // namespace sparsam::runtime
