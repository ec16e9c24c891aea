// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ValidLengths.cpp - how many tokens are no padding ------------------===//

#include "runtime/units/ValidLengths.h"

#include <algorithm>

namespace sparsam::runtime {

Status checkValidLengths(std::span<const int64_t> lengths, int64_t batch, int64_t tokens) {
  if (lengths.size() > 1 && int64_t(lengths.size()) != batch)
    return makeError("--valid-len gives ", lengths.size(), " lengths for ", batch,
                     " batch entries; give one for all, or one for each");
  for (int64_t length : lengths)
    if (length < 1 || length > tokens)
      return makeError("--valid-len must lie in [1, ", tokens, "], got ", length);
  return Status();
}

ValidPairs countValidPairs(const BitTensor &masks, std::span<const int64_t> lengths) {
  ValidPairs pairs;
  for (int64_t head = 0; head < masks.batch() * masks.heads(); ++head) {
    const int64_t valid =
        validLength(lengths, head / masks.heads(), std::max(masks.queries(), masks.keys()));
    const int64_t queries = std::min(valid, masks.queries()), keys = std::min(valid, masks.keys());
    pairs.all += queries * keys;
    for (int64_t i = 0; i < queries; ++i)
      for (int64_t j = 0; j < keys; ++j)
        pairs.kept += masks.get(head, i, j);
  }
  return pairs;
}

} // namespace sparsam::runtime
