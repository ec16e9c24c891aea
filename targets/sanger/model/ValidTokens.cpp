// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ValidTokens.cpp - which tokens are no padding ----------------------===//

#include "targets/sanger/model/ValidTokens.h"

#include "runtime/units/HiddenKeys.h"
#include "runtime/units/ValidLengths.h"

#include <algorithm>
#include <numeric>

namespace sparsam::sanger {

using namespace runtime;

/// The first `lengthOf(entry)` of so many tokens.
template <typename LengthOf>
static BitTensor firstOf(int64_t batch, int64_t tokens, LengthOf lengthOf) {
  BitTensor bits(batch, 1, 1, tokens);
  for (int64_t entry = 0; entry < batch; ++entry)
    for (int64_t token = 0; token < std::min(tokens, int64_t(lengthOf(entry))); ++token)
      bits.set(entry, 0, token);
  return bits;
}

ValidTokens allTokens(const BitTensor &masks) {
  auto all = [&](int64_t tokens) {
    return firstOf(masks.batch(), tokens, [&](int64_t) { return tokens; });
  };
  return {all(masks.queries()), all(masks.keys())};
}

Result<ValidTokens> firstTokens(const BitTensor &masks, std::span<const int64_t> lengths) {
  const int64_t tokens = std::max(masks.queries(), masks.keys());
  if (Status status = checkValidLengths(lengths, masks.batch(), tokens); !status)
    return status.error();
  auto lengthOf = [&](int64_t entry) { return validLength(lengths, entry, tokens); };
  return ValidTokens{firstOf(masks.batch(), masks.queries(), lengthOf),
                     firstOf(masks.batch(), masks.keys(), lengthOf)};
}

/// Marks the keys that rows of a bias show. Few rows decide: only keys that none has shown yet are
/// looked at.
static void markShown(std::span<const float> rows, int64_t keys, int64_t entry, BitTensor &shown) {
  std::vector<int64_t> hidden(static_cast<size_t>(keys));
  std::iota(hidden.begin(), hidden.end(), 0);
  for (size_t row = 0; row + size_t(keys) <= rows.size() && !hidden.empty(); row += size_t(keys))
    std::erase_if(hidden, [&](int64_t key) {
      const bool isShown = rows[row + size_t(key)] > kHidesKey;
      if (isShown)
        shown.set(entry, 0, key);
      return isShown;
    });
}

BitTensor shownKeys(const BitTensor &masks, const TensorView &bias) {
  const int64_t keys = masks.keys();
  const int64_t entries = bias.shape.size() == 4 ? bias.shape[0] : 1;
  const bool fits = keys > 0 && entries > 0 && (entries == 1 || entries == masks.batch()) &&
                    bias.elements() % (entries * keys) == 0;
  if (!fits)
    return allTokens(masks).keys;
  BitTensor shown(masks.batch(), 1, 1, keys);
  const int64_t elements = bias.elements() / entries;
  for (int64_t entry = 0; entry < masks.batch(); ++entry) {
    const float *rows = bias.as<float>() + (entries == 1 ? 0 : entry * elements);
    markShown({rows, size_t(elements)}, keys, entry, shown);
  }
  return shown;
}

Result<ValidTokens> tokensOfKeys(const BitTensor &masks, const BitTensor &keys) {
  if (keys.batch() != masks.batch() || keys.heads() != 1 || keys.queries() != 1 ||
      keys.keys() != masks.keys())
    return makeError("the valid keys must be [", masks.batch(), ", 1, 1, ", masks.keys(),
                     "], got [", keys.batch(), ", ", keys.heads(), ", ", keys.queries(), ", ",
                     keys.keys(), "]");
  ValidTokens tokens = allTokens(masks);
  tokens.keys = keys;
  if (masks.queries() == masks.keys())
    tokens.queries = keys;
  return tokens;
}

} // namespace sparsam::sanger
