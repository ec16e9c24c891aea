// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- MaskBits.h - which pairs a constant mask hides ---------------------===//
#ifndef SPARSAM_LIB_TRANSFORMS_MASKBITS_H
#define SPARSAM_LIB_TRANSFORMS_MASKBITS_H

#include "sattn/Sattn.h"

#include <string>

namespace sparsam {

/// The largest number in a mask that hides; exporters use it.
inline constexpr float kHidden = -1e4f;

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

/// Reads an additive mask that is made of constants: 0 shows a pair, -10000 or less hides it. Gives
/// one matrix for all heads, or one for each. Fails with a reason if the mask depends on the input,
/// adds other numbers, or differs between batch entries.
mlir::FailureOr<std::vector<MaskBits>> readMask(mlir::Value mask, int64_t tokens,
                                                std::string &reason);

/// Windows and global tokens that show exactly the visible pairs, of keys that are not hidden from
/// all queries alike. With `rowPadding`, of tokens in rows of `rowLength`, each with so many more
/// behind it, which are among the hidden keys.
struct FoundPattern {
  llvm::SmallVector<sattn::Window> windows;
  llvm::SmallVector<int64_t> globals;
  llvm::SmallVector<int64_t> hiddenKeys;
  int64_t rowLength = 0, rowPadding = 0;
  std::string misfit; ///< why there is no such pattern; empty if there is
};
/// `hidesKeys`: keys may be hidden from all queries beside the pattern.
FoundPattern findPattern(const MaskBits &mask, bool hidesKeys);

} // namespace sparsam

#endif // SPARSAM_LIB_TRANSFORMS_MASKBITS_H
