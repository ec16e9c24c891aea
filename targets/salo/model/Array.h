// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Array.h - the PE array, one pass at a time -------------------------===//
#ifndef SPARSAM_TARGETS_SALO_MODEL_ARRAY_H
#define SPARSAM_TARGETS_SALO_MODEL_ARRAY_H

#include "runtime/kernel/MaskTrace.h"
#include "targets/salo/model/Kernels.h"
#include "targets/salo/model/Panels.h"

namespace sparsam::salo {

/// Rows of words in a buffer.
struct WordRows {
  const int16_t *data = nullptr;
  int64_t stride = 0;
  uint32_t count = 0;
  std::vector<int64_t> tokens; ///< numbers in the head
  std::vector<int32_t> valid;  ///< of keys: -1, or 0 where a mask hides them
};

/// The fields of tile_attn that say who sees what.
struct Pass {
  int64_t firstRow = 0;   ///< of the tile, in its segment
  uint32_t validRows = 0; ///< of the tile
  int64_t cols = 0;
  int64_t rowFrom = 0, rowTo = 0, rowCols = 0; ///< keys of the global row
};

/// Numerics of the array. A pass leaves a sum and an output for each row of the tile and each
/// global query.
class Array {
public:
  Array(const Kernel &kernel, const Params &params);

  /// The tile of queries that stays in the array; kept as long as its address is the same.
  void setQueries(const int16_t *words, const runtime::Tile &tile);
  void forgetQueries() { queries_ = nullptr; }
  void setGlobals(const WordRows &keys, const WordRows &values, const WordRows &queries);

  void run(const Pass &pass, const Slice &keys, const Slice &values);
  /// Notes the pairs that the pass has computed.
  void record(const Pass &pass, const Slice &keys, int64_t head, int64_t segment,
              runtime::BitTensor &pairs) const;

  pe::Sum sum(uint32_t row) const { return {sums_[row], exponents_[row]}; }
  const int16_t *out(uint32_t row) const { return &out_[size_t(row * width_)]; }
  pe::Sum globalSum(uint32_t row) const { return globalSums_[row]; }
  const int16_t *globalOut(uint32_t row) const { return &globalOut_[size_t(row * width_)]; }
  int64_t aliasedScores() const { return aliased_; }

private:
  /// Keys of the global row, as columns x of the keys that pass the last row.
  struct Columns {
    int64_t begin = 0, end = 0;
  };
  Columns rowColumns(const Pass &pass, const Slice &keys) const;
  void runTile(const Pass &pass, const Slice &keys, const Slice &values);
  void runGlobalRow(uint32_t row, const Columns &columns, const Slice &keys, const Slice &values);
  bool isGlobal(int64_t token) const;

  const Kernel &kernel_;
  const ArrayShape shape_;
  int64_t dims_, pairs_, width_;
  const int16_t *queries_ = nullptr; ///< what panel_ was made from
  int64_t tileRows_ = 0, panelStride_ = 0;
  std::vector<int32_t> panel_; ///< [pair][row]
  std::vector<int32_t> globalKeys_, globalQueries_;
  std::vector<int16_t> globalValues_;
  std::vector<int64_t> globalKeyTokens_, globalQueryTokens_;
  std::vector<int32_t> globalMask_;
  int64_t globalColumns_ = 0;
  uint32_t globalRows_ = 0;
  std::vector<int32_t> scratchValues_, scratchExponents_, scores_;
  std::vector<int16_t> probabilities_;
  std::vector<int32_t> sums_, exponents_;
  std::vector<int16_t> out_, globalOut_;
  std::vector<pe::Sum> globalSums_, own_;
  int64_t aliased_ = 0;
};

} // namespace sparsam::salo

#endif // SPARSAM_TARGETS_SALO_MODEL_ARRAY_H
