// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Statistics.cpp - what pack and split makes of masks ----------------===//

#include "targets/sanger/model/Statistics.h"

#include "targets/sanger/model/Packer.h"

#include <array>
#include <bit>

namespace sparsam::sanger {

using namespace runtime;

namespace {

/// Adds up one head after the other.
class Collector {
public:
  Collector(const BitTensor &masks, const ArrayShape &shape) : masks_(masks), shape_(shape) {
    result.pes = shape.pes;
    for (size_t count = 0; count < full_.size(); ++count)
      full_[count] = int64_t(count) / shape.pes;
  }

  /// Returns the kept pairs among the valid ones. The bits of `queries` and `keys` say which.
  int64_t addHead(int64_t head, std::span<const uint64_t> queries, std::span<const uint64_t> keys) {
    int64_t kept = 0, blocks = 0;
    for (int64_t first = 0; first < masks_.keys(); first += shape_.stripe) {
      const int64_t width = std::min(shape_.stripe, masks_.keys() - first);
      const uint64_t columns = extractBits(keys, first, width);
      if (columns == 0)
        continue;
      rows_.assign(size_t(masks_.queries()), 0);
      const int64_t before = result.subrows;
      for (int64_t query = 0; query < masks_.queries(); ++query)
        if (extractBits(queries, query, 1))
          kept += addVector(rows_[size_t(query)] =
                                extractBits(masks_.row(head, query), first, width) & columns);
      blocks += cutsColumns() ? cutBlocks(width)
                              : (result.subrows - before + shape_.rows - 1) / shape_.rows;
    }
    result.nnz += kept;
    result.blocks += blocks;
    result.blocksPerHead.push_back(blocks);
    return kept;
  }

  MaskStatistics result;

private:
  int64_t addVector(uint64_t bits) {
    int64_t count = std::popcount(bits);
    ++result.vectors;
    result.nonemptyVectors += count > 0;
    if (!cutsColumns()) {
      const int64_t full = full_[size_t(count)];
      result.fullSegments += full;
      result.subrows += full + (full * shape_.pes < count);
    }
    return count;
  }

  /// Adds the sub-rows of the stripe and returns its blocks.
  int64_t cutBlocks(int64_t width) {
    list_.clear();
    list_.append(shape_, rows_, 0, width, true);
    const int64_t blocks = list_.seal(shape_);
    for (int64_t block = 0; block < blocks; ++block)
      for (const Subrow &subrow : list_.next()) {
        ++result.subrows;
        result.fullSegments += std::popcount(subrow.columns) == shape_.pes;
      }
    return blocks;
  }

  /// A column cut splits rows where any row of the block is full: only the blocks know its
  /// segments.
  bool cutsColumns() const { return shape_.encoder == Encoder::columnCut; }

  const BitTensor &masks_;
  const ArrayShape &shape_;
  std::array<int64_t, 65> full_{}; ///< full segments of so many kept keys
  std::vector<uint64_t> rows_;
  BlockList list_;
};

} // namespace

/// Adds up all heads; the density is the mean over the batch of kept pairs per valid pair.
static MaskStatistics collect(const BitTensor &masks, const ArrayShape &shape,
                              const ValidTokens &valid) {
  Collector collector(masks, shape);
  double densities = 0;
  auto count = [](std::span<const uint64_t> words) {
    int64_t ones = 0;
    for (uint64_t word : words)
      ones += std::popcount(word);
    return ones;
  };
  for (int64_t b = 0; b < masks.batch(); ++b) {
    std::span<const uint64_t> queries = valid.queries.row(b, 0), keys = valid.keys.row(b, 0);
    int64_t kept = 0;
    for (int64_t h = 0; h < masks.heads(); ++h)
      kept += collector.addHead(b * masks.heads() + h, queries, keys);
    const int64_t pairs = count(queries) * count(keys) * masks.heads();
    densities += double(kept) / double(std::max<int64_t>(pairs, 1));
  }
  collector.result.density = masks.batch() ? densities / double(masks.batch()) : 0;
  return std::move(collector.result);
}

MaskStatistics computeStatistics(const BitTensor &masks, const ArrayShape &shape,
                                 const ValidTokens &valid, const ValidTokens &executed) {
  MaskStatistics result = collect(masks, shape, valid);
  if (valid == executed)
    return result;
  MaskStatistics all = collect(masks, shape, executed);
  result.blocks = all.blocks;
  result.blocksPerHead = std::move(all.blocksPerHead);
  return result;
}

BitTensor bernoulliMask(int64_t heads, int64_t queries, int64_t keys, double density,
                        uint64_t seed) {
  BitTensor masks(1, heads, queries, keys);
  uint64_t state = seed, limit = uint64_t(density * 0x1p32);
  for (int64_t h = 0; h < heads; ++h)
    for (int64_t q = 0; q < queries; ++q)
      for (int64_t k = 0; k < keys; ++k) {
        uint64_t x = state += 0x9e3779b97f4a7c15; // SplitMix64
        x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
        x = (x ^ x >> 27) * 0x94d049bb133111eb;
        if ((x ^ x >> 31) >> 32 < limit)
          masks.set(h, q, k);
      }
  return masks;
}

nlohmann::ordered_json toJson(const MaskStatistics &s) {
  nlohmann::ordered_json json;
  json["density"] = s.density;
  json["nnz"] = s.nnz;
  json["nonempty_vectors"] = s.nonemptyVectors;
  json["full_segments"] = s.fullSegments;
  json["subrows"] = s.subrows;
  json["blocks"] = s.blocks;
  json["load_balance"] = {
      {"skip", s.skip()}, {"noskip", s.noskip()}, {"noskip_as_released", s.noskipAsReleased()}};
  return json;
}

} // namespace sparsam::sanger
