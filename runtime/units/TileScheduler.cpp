// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- TileScheduler.cpp - issues instructions that work on tiles ---------===//

#include "runtime/units/TileScheduler.h"

#include <algorithm>
#include <numeric>

namespace sparsam::runtime {

int64_t tileGrain(const StageInfo &info, std::span<const AddressGenerator> generators,
                  unsigned memory) {
  int64_t grain = 0;
  for (const AddressGenerator &generator : generators) {
    if (generator.memory != memory)
      continue;
    grain = std::gcd(grain, generator.base);
    if (generator.rows > 1)
      grain = std::gcd(grain, generator.rowStride);
    for (uint32_t t = 0; t < generator.termCount; ++t)
      grain = std::gcd(grain, generator.terms[t].stride);
  }
  return grain > 0 ? grain : std::max<int64_t>(info.memories[memory - 2].extent, 1);
}

void TileScheduler::addMemory(unsigned memory, int64_t elements, int64_t granule) {
  Scheduler::addMemory(memory, elements, granule);
  written_.resize(std::max<size_t>(written_.size(), memory + 1));
}

void TileScheduler::addMemories(const StageInfo &info,
                                std::span<const AddressGenerator> generators) {
  for (unsigned memory = 2; memory < info.memories.size() + 2; ++memory)
    addMemory(memory, std::max<int64_t>(info.memories[memory - 2].extent, 1),
              tileGrain(info, generators, memory));
}

} // namespace sparsam::runtime
