// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ValidLengths.h - how many tokens are no padding --------------------===//
#ifndef SPARSAM_RUNTIME_UNITS_VALIDLENGTHS_H
#define SPARSAM_RUNTIME_UNITS_VALIDLENGTHS_H

#include "runtime/kernel/MaskTrace.h"
#include "runtime/support/Result.h"

#include <cstdint>
#include <span>

namespace sparsam::runtime {

/// Refuses lengths (option --valid-len) other than none, one for all or one for each of `batch`
/// entries, or outside of [1, tokens].
Status checkValidLengths(std::span<const int64_t> lengths, int64_t batch, int64_t tokens);

/// Valid tokens of a batch entry by lengths that were checked: all where none is given.
inline int64_t validLength(std::span<const int64_t> lengths, int64_t entry, int64_t tokens) {
  return lengths.empty() ? tokens : lengths[lengths.size() == 1 ? 0 : size_t(entry)];
}

/// Pairs of a query and a key that are no padding, and how many of them are kept.
struct ValidPairs {
  int64_t kept = 0, all = 0;

  void operator+=(const ValidPairs &other) {
    kept += other.kept;
    all += other.all;
  }
};

/// Those of `masks`, over all heads, by lengths that were checked.
ValidPairs countValidPairs(const BitTensor &masks, std::span<const int64_t> lengths);

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_UNITS_VALIDLENGTHS_H
