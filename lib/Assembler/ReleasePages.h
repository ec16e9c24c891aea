// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ReleasePages.h - give memory of mapped weights back ----------------===//
#ifndef SPARSAM_LIB_ASSEMBLER_RELEASEPAGES_H
#define SPARSAM_LIB_ASSEMBLER_RELEASEPAGES_H

#include "llvm/ADT/ArrayRef.h"

#include <cstdint>
#include <utility>
#include <vector>

namespace sparsam {

/// Weights are read once, in order, from files mapped for reading. Their pages count as this
/// process's memory until they are dropped; they stay in the page cache and can be read again at
/// any time.
class PageReleaser {
public:
  /// Looks up which parts of the address space are read-only mappings of files.
  PageReleaser();
  /// Drops the pages that lie wholly inside of `data` and of such a mapping.
  void release(llvm::ArrayRef<char> data) const;

private:
  std::vector<std::pair<uintptr_t, uintptr_t>> mappings; ///< [begin, end), ascending
};

} // namespace sparsam

#endif // SPARSAM_LIB_ASSEMBLER_RELEASEPAGES_H
