// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ReleasePages.cpp - give memory of mapped weights back --------------===//

#include "Assembler/ReleasePages.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstring>

#include <sys/mman.h>
#include <unistd.h>

namespace sparsam {

PageReleaser::PageReleaser() {
  std::FILE *maps = std::fopen("/proc/self/maps", "r");
  if (!maps)
    return; // nothing is released then
  char line[4096];
  while (std::fgets(line, sizeof line, maps)) {
    uintptr_t begin, end, inode;
    char permissions[5] = "";
    if (std::sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %*s %*s %" SCNuPTR, &begin, &end,
                    permissions, &inode) == 4 &&
        std::strcmp(permissions, "r--p") == 0 && inode != 0)
      mappings.emplace_back(begin, end);
  }
  std::fclose(maps);
}

void PageReleaser::release(llvm::ArrayRef<char> data) const {
  const uintptr_t page = uintptr_t(sysconf(_SC_PAGESIZE));
  uintptr_t begin = (uintptr_t(data.begin()) + page - 1) / page * page;
  uintptr_t end = uintptr_t(data.end()) / page * page;
  for (auto [first, last] : mappings)
    if (uintptr_t from = std::max(begin, first), to = std::min(end, last); from < to)
      madvise(reinterpret_cast<void *>(from), to - from, MADV_DONTNEED);
}

} // namespace sparsam
