// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Selection.h - what both walks know about a launch ------------------===//
//
// The functional and the timing walk agree on everything that decides about time: which query or
// key each row of a buffer holds, the mask bits, and the block lists. Only where mask bits come
// from differs.
//
#ifndef SPARSAM_TARGETS_SANGER_MODEL_SELECTION_H
#define SPARSAM_TARGETS_SANGER_MODEL_SELECTION_H

#include "runtime/kernel/MaskTrace.h"
#include "targets/sanger/model/Kernel.h"
#include "targets/sanger/model/Packer.h"

#include <unordered_map>

namespace sparsam::sanger {

/// Bits at any bit address.
class BitMemory {
public:
  explicit BitMemory(int64_t bits = 0) : words_(size_t(bits / 64) + 2) {}
  /// `count` (<= 64) bits from `first` on.
  uint64_t read(int64_t first, int64_t count) const;
  void write(int64_t first, int64_t count, const uint64_t *bits);

private:
  std::vector<uint64_t> words_;
};

/// Which token each row of the buffers holds; -1: none (padding).
class RowTags {
public:
  explicit RowTags(const Kernel &kernel);
  /// Rows of a tile that was loaded from `source`.
  void load(const runtime::Tile &source, Role role, const runtime::Tile &destination);
  void copy(Role fromRole, const runtime::Tile &from, Role toRole, const runtime::Tile &to);
  int32_t get(Role role, const runtime::Tile &tile, uint32_t row) const {
    return row < tile.validRows ? tags_[size_t(role)][slot(role, tile, row)] : -1;
  }
  /// Index of a row in what there is once per row.
  size_t slot(Role role, const runtime::Tile &tile, uint32_t row) const {
    int64_t grain = grains_[size_t(role)];
    return size_t(tile.offset / grain + row * (tile.rowStride / grain));
  }

private:
  std::array<std::vector<int32_t>, kRoles> tags_;
  std::array<int64_t, kRoles> grains_{};
};

/// A mark on each element of a memory, as fine as its tiles tell elements apart; 0 at first.
class Marks {
public:
  explicit Marks(const runtime::MemoryUse &use)
      : grain_(use.grain), marks_(size_t(use.rowSlots())) {}
  void set(const runtime::Tile &tile, uint8_t mark);
  /// Whether the first row of `tile` has this mark: other rows are marked with it.
  bool has(const runtime::Tile &tile, uint8_t mark) const;

private:
  int64_t grain_;
  std::vector<uint8_t> marks_;
};

class Selection {
public:
  Selection(const Kernel &kernel, const Params &params);

  runtime::Status selectHead(const insn::SelectHead &insn, const runtime::Addressing &addressing);

  /// Notes a tile of scores, and that a threshold is applied to a stripe of them: the scores of all
  /// keys must be there, because it applies to the softmax of whole rows.
  void score(const runtime::Tile &query, const runtime::Tile &score);
  runtime::Status threshold(const runtime::Tile &scores);
  /// Output rows are cleared, added to, normalised and stored, in this order.
  void clear(const runtime::Tile &output) { rowStates_.set(output, kSumming); }
  runtime::Status accumulate(const runtime::Tile &output) const;
  runtime::Status normalize(const runtime::Tile &output);
  runtime::Status store(const runtime::Tile &output) const;

  /// Packs a tile of the mask; returns the columns that were read twice.
  runtime::Result<int64_t> pack(int64_t row, const runtime::Tile &mask, const runtime::Tile &blocks,
                                bool keepSubrows);
  /// Closes a list; returns its number of blocks.
  int64_t seal(const runtime::Tile &blocks);
  /// The list whose next block sddmm takes, checked against the tiles it works on.
  runtime::Result<BlockList *> take(const runtime::Tile &blocks, const runtime::Tile &query,
                                    const runtime::Tile &key);
  /// Checks the value tile of spmm, which must hold the stripe of the block's keys, and the order
  /// of instructions on the array.
  runtime::Status follow(int step, const char *self, const char *before);
  runtime::Status checkValue(const runtime::Tile &value) const;

  /// Query of row `r` of a stripe of scores; -1 if it is padding. An error if it is not one of the
  /// head's queries.
  runtime::Result<int64_t> queryOf(const runtime::Tile &scores, uint32_t r) const;
  /// Writes a row of mask bits (a word per 64 keys) into the mask buffer.
  void writeRow(const runtime::Tile &mask, uint32_t row, const uint64_t *words);

  RowTags tags;
  int64_t predictHead = 0, sparseHead = 0;
  /// Most sub-rows that the block lists held at one time.
  int64_t highWater() const { return highWater_; }

private:
  /// Refuses output rows without `mark`; the error says how they are used and what has not come.
  runtime::Status expectRows(const runtime::Tile &output, uint8_t mark, const char *use,
                             const char *before) const;

  static constexpr uint8_t kScored = 1;                   ///< and no threshold applied
  static constexpr uint8_t kSumming = 1, kNormalized = 2; ///< states of output rows

  const Kernel &kernel_;
  const Params &params_;
  Marks scores_, rowStates_;
  BitMemory bits_;
  std::unordered_map<int64_t, BlockList> lists_; ///< by address
  std::vector<uint64_t> rows_;
  int64_t held_ = 0, highWater_ = 0;
  int arrayStep_ = 0; ///< 0: no block in the array; 1 to 3: after sddmm, exp, spmm
  int64_t blockWidth_ = 0;
  int32_t firstKey_ = 0; ///< token of the block's first column
};

} // namespace sparsam::sanger

#endif // SPARSAM_TARGETS_SANGER_MODEL_SELECTION_H
