// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- PackSplit.cpp - cut a mask into blocks -----------------------------===//

#include "sattn/PackSplit.h"

#include <algorithm>
#include <utility>

namespace sparsam::sattn {
namespace {

using Kept = std::function<bool(int64_t query, int64_t key)>;

/// One stripe of keys: [first, first + width).
struct Stripe {
  int64_t index, first, width;
};

/// Sanger, MICRO 2021, section 4: skip empty sub-rows, split long ones with full segments first;
/// every `rows` sub-rows are a block.
void packSubrows(const Stripe &stripe, int64_t queries, const PackParameters &parameters,
                 const Kept &kept, std::vector<Subrow> &subrows) {
  int64_t count = 0;
  for (int64_t query = 0; query < queries; ++query) {
    std::vector<int64_t> columns;
    for (int64_t column = 0; column < stripe.width; ++column)
      if (kept(query, stripe.first + column))
        columns.push_back(column);
    for (size_t begin = 0; begin < columns.size(); begin += parameters.pes) {
      size_t end = std::min(columns.size(), begin + size_t(parameters.pes));
      subrows.push_back({stripe.index,
                         count++ / parameters.rows,
                         query,
                         {columns.begin() + begin, columns.begin() + end}});
    }
  }
}

/// The RTL's packer on one group of queries: one column per step; a column that would overflow a
/// query ends the block and opens the next one. Blocks without any kept key are not emitted.
/// Returns the next free block number.
int64_t cutColumns(const Stripe &stripe, int64_t firstQuery, int64_t queries, int64_t block,
                   const PackParameters &parameters, const Kept &kept,
                   std::vector<Subrow> &subrows) {
  std::vector<std::vector<int64_t>> stored(queries);
  auto emit = [&] {
    bool any = false;
    for (int64_t query = 0; query < queries; ++query) {
      if (stored[query].empty())
        continue;
      subrows.push_back(
          {stripe.index, block, firstQuery + query, std::exchange(stored[query], {})});
      any = true;
    }
    block += any;
  };
  for (int64_t column = 0; column < stripe.width; ++column) {
    auto has = [&](int64_t query) { return kept(firstQuery + query, stripe.first + column); };
    bool full = false;
    for (int64_t query = 0; query < queries; ++query)
      full |= int64_t(stored[query].size()) == parameters.pes && has(query);
    if (full)
      emit();
    for (int64_t query = 0; query < queries; ++query)
      if (has(query))
        stored[query].push_back(column);
  }
  emit();
  return block;
}

} // namespace

std::vector<Subrow> packSplit(int64_t queries, int64_t keys, const PackParameters &parameters,
                              const Kept &kept) {
  std::vector<Subrow> subrows;
  for (int64_t first = 0; first < keys; first += parameters.stripe) {
    Stripe stripe{first / parameters.stripe, first, std::min(parameters.stripe, keys - first)};
    if (!parameters.columnCut) {
      packSubrows(stripe, queries, parameters, kept, subrows);
      continue;
    }
    int64_t block = 0;
    for (int64_t query = 0; query < queries; query += parameters.rows)
      block = cutColumns(stripe, query, std::min(parameters.rows, queries - query), block,
                         parameters, kept, subrows);
  }
  return subrows;
}

} // namespace sparsam::sattn
