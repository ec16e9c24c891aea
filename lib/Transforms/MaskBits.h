// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- MaskBits.h - which pairs a constant mask hides ---------------------===//
#ifndef SPARSAM_LIB_TRANSFORMS_MASKBITS_H
#define SPARSAM_LIB_TRANSFORMS_MASKBITS_H

#include "sattn/Sattn.h"

#include <string>

namespace sparsam {

/// One matrix of queries x keys: 1 where a pair is visible.
struct MaskBits {
  int64_t tokens = 0;
  std::vector<uint8_t> visible;

  MaskBits() = default;
  explicit MaskBits(int64_t tokens) : tokens(tokens), visible(size_t(tokens * tokens), 1) {}
  uint8_t at(int64_t query, int64_t key) const { return visible[size_t(query * tokens + key)]; }
  uint8_t *row(int64_t query) { return &visible[size_t(query * tokens)]; }
  const uint8_t *row(int64_t query) const { return &visible[size_t(query * tokens)]; }
};

/// Reads an additive mask that is made of constants: 0 shows a pair, -10000 or less hides it. Fails
/// with a reason if it depends on the input, adds other numbers, or differs between heads.
mlir::FailureOr<MaskBits> readMask(mlir::Value mask, int64_t tokens, std::string &reason);

/// Windows and global tokens that show exactly the visible pairs.
struct FoundPattern {
  llvm::SmallVector<sattn::Window> windows;
  llvm::SmallVector<int64_t> globals;
  /// Pairs for which the best pattern and the mask disagree, and the first of them.
  int64_t misfits = 0, query = 0, key = 0;
};
FoundPattern findPattern(const MaskBits &mask);

} // namespace sparsam

#endif // SPARSAM_LIB_TRANSFORMS_MASKBITS_H
