// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- PackSplit.h - cut a mask into blocks -------------------------------===//
//
// Both encoders, in plain C++: the folder of sattn.pack_split, the reference interpreter and tests
// share it.
//
#ifndef SPARSAM_DIALECTS_SATTN_PACKSPLIT_H
#define SPARSAM_DIALECTS_SATTN_PACKSPLIT_H

#include <cstdint>
#include <functional>
#include <vector>

namespace sparsam::sattn {

/// Where blocks end.
struct PackParameters {
  int64_t stripe;         ///< keys per column stripe
  int64_t pes;            ///< kept keys per sub-row
  int64_t rows;           ///< sub-rows per block
  bool columnCut = false; ///< encoder column_cut instead of subrow
};

/// Kept keys of one query in one block.
struct Subrow {
  int64_t stripe;
  int64_t block; ///< within the stripe
  int64_t query;
  std::vector<int64_t> columns; ///< within the stripe, ascending; 1 to `pes` of them
};

/// Packs and splits one head's mask; `kept(query, key)` says which pairs it keeps. Sub-rows come
/// out stripe by stripe, block by block, queries ascending.
std::vector<Subrow> packSplit(int64_t queries, int64_t keys, const PackParameters &parameters,
                              const std::function<bool(int64_t query, int64_t key)> &kept);

} // namespace sparsam::sattn

#endif // SPARSAM_DIALECTS_SATTN_PACKSPLIT_H
