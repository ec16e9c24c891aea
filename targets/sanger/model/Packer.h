// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Packer.h - from mask bits to blocks of the array -------------------===//
//
// Two encoders. `subrow` (the paper's pack and split, and every published utilisation): empty
// sub-rows are skipped, long ones are split into full segments first, and 64 of them make a block.
// `column_cut` (the released RTL): the columns of 64 rows stream by, and a block ends before the
// column that would give some row more kept keys than PEs.
//
#ifndef SPARSAM_TARGETS_SANGER_MODEL_PACKER_H
#define SPARSAM_TARGETS_SANGER_MODEL_PACKER_H

#include "targets/sanger/model/Params.h"

#include <cstdint>
#include <span>
#include <vector>

namespace sparsam::sanger {

/// What one row of the array works on: a query and its kept keys in the stripe, as a bit per
/// column.
struct Subrow {
  uint32_t query = 0;
  uint64_t columns = 0;
  bool operator==(const Subrow &) const = default;
};

/// The blocks of one stripe of one head, while they are made and while they are used.
class BlockList {
public:
  /// Appends the rows of a mask tile: bit c of rows[r] says that query `firstQuery + r` keeps key c
  /// of the stripe. Returns how many columns had to be read a second time (column_cut).
  int64_t append(const ArrayShape &shape, std::span<const uint64_t> rows, uint32_t firstQuery,
                 int64_t width, bool keepSubrows);
  /// Closes the last block and rewinds; returns the number of blocks.
  int64_t seal(const ArrayShape &shape);
  void clear();

  bool isSealed() const { return isSealed_; }
  int64_t blocks() const { return blocks_; }
  int64_t subrows() const { return subrows_; }
  /// Columns of the widest tile, and one past the last query, that were appended.
  int64_t width() const { return width_; }
  int64_t queries() const { return queries_; }
  bool atEnd() const { return next_ >= blocks_; }
  /// Sub-rows of the next block; empty if they were not kept.
  std::span<const Subrow> next();

private:
  void appendSubrows(const ArrayShape &shape, std::span<const uint64_t> rows, uint32_t firstQuery,
                     bool keep);
  int64_t appendColumnCuts(const ArrayShape &shape, std::span<const uint64_t> rows,
                           uint32_t firstQuery, int64_t width, bool keep);

  std::vector<Subrow> list_;
  std::vector<uint32_t> ends_; ///< index in list_ behind each block, for column_cut
  int64_t blocks_ = 0, subrows_ = 0, next_ = 0, width_ = 0, queries_ = 0, rowsPerBlock_ = 0;
  bool isSealed_ = false;
};

/// The `count` lowest ones of `bits`.
inline uint64_t lowestOnes(uint64_t bits, int64_t count) {
  uint64_t rest = bits;
  for (; count > 0 && rest; --count)
    rest &= rest - 1;
  return bits & ~rest;
}

/// Extra delays (c4) of the PEs of one row, which give every row the latency of `stripe` cycles
/// from port to output. Unused PEs get the columns behind the last kept one, or else the free ones
/// before it. [R pe_row_test, D]
std::vector<int64_t> bubbles(uint64_t columns, const ArrayShape &shape);

/// The packer of the released RTL, one column per step. [R pack.scala]
class ColumnPacker {
public:
  ColumnPacker(size_t rows, int64_t pes) : counts_(rows, 0), pes_(pes) {}
  struct Step {
    bool isStored = false;  ///< some row keeps this column
    bool isEmitted = false; ///< block ended before this column, which must be presented again
    int64_t column = 0;     ///< number of the column within the block
  };
  Step step(const std::vector<bool> &bits);
  int64_t column() const { return column_; }

private:
  std::vector<int64_t> counts_;
  int64_t pes_, column_ = 0;
};

} // namespace sparsam::sanger

#endif // SPARSAM_TARGETS_SANGER_MODEL_PACKER_H
