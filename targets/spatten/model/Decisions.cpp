// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Decisions.cpp - what a run decides, and its trace ------------------===//

#include "targets/spatten/model/Decisions.h"

#include <algorithm>

namespace sparsam::spatten {

using namespace runtime;

/// Bits of the size of one round in a trace; no row is longer.
static constexpr int64_t kSizeBits = 16;

Decisions::Decisions(const Kernel &kernel) {
  const insn::Config &c = kernel.config;
  pairs = BitTensor(c.entries, c.heads, c.queries, c.keys);
  if (kernel.memory(Role::bias).extent > 0)
    hidden = pairs;
  values = pairs;
  lsb = BitTensor(c.entries, c.heads, c.queries, 1);
  rounds.resize(size_t(kernel.totalHeads() * c.queries));
  tokenRanking.resize(c.entries);
  headRanking.resize(c.entries);
}

/// Calls `change(word, other)` for all words of two tensors of one shape.
template <typename Change>
static void eachWord(BitTensor &bits, const BitTensor &others, Change change) {
  for (int64_t head = 0; head < bits.batch() * bits.heads(); ++head)
    for (int64_t query = 0; query < bits.queries(); ++query) {
      std::span<uint64_t> row = bits.row(head, query);
      std::span<const uint64_t> other = others.row(head, query);
      for (size_t w = 0; w < row.size(); ++w)
        change(row[w], other[w]);
    }
}

BitTensor Decisions::withoutHidden(BitTensor bits) const {
  if (hidden.keys() > 0)
    eachWord(bits, hidden, [](uint64_t &word, uint64_t hides) { word &= ~hides; });
  return bits;
}

//===-- Rounds as bits -----------------------------------------------------===//

static int64_t mostRounds(const std::vector<Rounds> &all) {
  size_t most = 0;
  for (const Rounds &rounds : all)
    most = std::max(most, rounds.size());
  return int64_t(most);
}

static void putRounds(const Rounds &rounds, std::span<uint64_t> row) {
  for (size_t i = 0; i < rounds.size(); ++i)
    row[i / 4] |= uint64_t(rounds[i] & 0xffff) << (i % 4 * kSizeBits);
}

/// Sizes up to the first 0.
static Rounds getRounds(std::span<const uint64_t> row, int64_t most) {
  Rounds rounds;
  for (int64_t i = 0; i < most; ++i) {
    uint32_t size = row[size_t(i / 4)] >> (i % 4 * kSizeBits) & 0xffff;
    if (size == 0)
      break;
    rounds.push_back(size);
  }
  return rounds;
}

void Decisions::writeTo(MaskTrace &trace, const std::string &kernel) const {
  trace.kernels[kernel] = visible();
  if (hidden.count() > 0)
    trace.kernels[hiddenName(kernel)] = hidden;
  trace.kernels[valuesName(kernel)] = values;
  trace.kernels[lsbName(kernel)] = lsb;
  if (int64_t most = mostRounds(rounds)) {
    BitTensor bits(pairs.batch(), pairs.heads(), pairs.queries(), most * kSizeBits);
    for (size_t i = 0; i < rounds.size(); ++i)
      putRounds(rounds[i], bits.row(int64_t(i) / pairs.queries(), int64_t(i) % pairs.queries()));
    trace.kernels[roundsName(kernel)] = std::move(bits);
  }
  if (int64_t most = std::max(mostRounds(tokenRanking), mostRounds(headRanking))) {
    BitTensor bits(pairs.batch(), 1, 2, most * kSizeBits);
    for (int64_t b = 0; b < pairs.batch(); ++b) {
      putRounds(tokenRanking[size_t(b)], bits.row(b, 0));
      putRounds(headRanking[size_t(b)], bits.row(b, 1));
    }
    trace.kernels[rankingName(kernel)] = std::move(bits);
  }
  if (tokens.keys() > 0)
    trace.kernels[tokensName(kernel)] = tokens;
  if (heads.keys() > 0)
    trace.kernels[headsName(kernel)] = heads;
}

//===-- Reading ------------------------------------------------------------===//

static bool hasShape(const BitTensor &bits, const BitTensor &like, int64_t keys) {
  return bits.batch() * bits.heads() == like.batch() * like.heads() &&
         bits.queries() == like.queries() && bits.keys() == keys;
}

static Error wrongShape(const std::string &name, const BitTensor &bits, const BitTensor &like,
                        int64_t keys) {
  return makeError("'", name, "' of the mask trace must have shape [", like.batch(), ", ",
                   like.heads(), ", ", like.queries(), ", ", keys, "], got [", bits.batch(), ", ",
                   bits.heads(), ", ", bits.queries(), ", ", bits.keys(),
                   "]; record one with the program that replays it");
}

/// The first `most` of the bits of each row.
static void keepFirst(const BitTensor &pairs, int64_t most, BitTensor &values) {
  for (int64_t head = 0; head < pairs.batch() * pairs.heads(); ++head)
    for (int64_t query = 0; query < pairs.queries(); ++query)
      for (int64_t key = 0, kept = 0; key < pairs.keys() && kept < most; ++key)
        if (pairs.get(head, query, key)) {
          values.set(head, query, key);
          ++kept;
        }
}

static void readRounds(const MaskTrace &trace, const std::string &kernel, Decisions &decisions) {
  auto rounds = trace.kernels.find(roundsName(kernel));
  const BitTensor &pairs = decisions.pairs;
  if (rounds != trace.kernels.end() && hasShape(rounds->second, pairs, rounds->second.keys()))
    for (size_t i = 0; i < decisions.rounds.size(); ++i)
      decisions.rounds[i] =
          getRounds(rounds->second.row(int64_t(i) / pairs.queries(), int64_t(i) % pairs.queries()),
                    rounds->second.keys() / kSizeBits);
  auto ranking = trace.kernels.find(rankingName(kernel));
  if (ranking == trace.kernels.end() || ranking->second.batch() != pairs.batch() ||
      ranking->second.heads() != 1 || ranking->second.queries() != 2)
    return;
  for (int64_t b = 0; b < pairs.batch(); ++b) {
    const int64_t most = ranking->second.keys() / kSizeBits;
    decisions.tokenRanking[size_t(b)] = getRounds(ranking->second.row(b, 0), most);
    decisions.headRanking[size_t(b)] = getRounds(ranking->second.row(b, 1), most);
  }
}

Result<Decisions> Decisions::readFrom(const MaskTrace &trace, const Kernel &kernel) {
  Decisions decisions(kernel);
  auto pairs = trace.kernels.find(kernel.name());
  if (pairs == trace.kernels.end())
    return makeError("the mask trace has no masks of kernel '", kernel.name(),
                     "'; record one with the program that replays it");
  const int64_t keys = kernel.config.keys;
  if (!hasShape(pairs->second, decisions.pairs, keys))
    return wrongShape(kernel.name(), pairs->second, decisions.pairs, keys);
  decisions.pairs = pairs->second;
  if (auto hidden = trace.kernels.find(hiddenName(kernel.name())); hidden != trace.kernels.end()) {
    if (!hasShape(hidden->second, decisions.pairs, keys))
      return wrongShape(hidden->first, hidden->second, decisions.pairs, keys);
    decisions.hidden = hidden->second;
    eachWord(decisions.pairs, decisions.hidden,
             [](uint64_t &word, uint64_t hides) { word |= hides; });
  }
  auto values = trace.kernels.find(valuesName(kernel.name()));
  decisions.hasRounds = values != trace.kernels.end();
  if (!decisions.hasRounds)
    keepFirst(decisions.pairs, kernel.config.values, decisions.values);
  else if (!hasShape(values->second, decisions.pairs, keys))
    return wrongShape(values->first, values->second, decisions.pairs, keys);
  else
    decisions.values = values->second;
  if (auto lsb = trace.kernels.find(lsbName(kernel.name())); lsb != trace.kernels.end()) {
    if (!hasShape(lsb->second, decisions.pairs, 1))
      return wrongShape(lsb->first, lsb->second, decisions.pairs, 1);
    decisions.lsb = lsb->second;
  }
  readRounds(trace, kernel.name(), decisions);
  return decisions;
}

} // namespace sparsam::spatten
