// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Packer.cpp - from mask bits to blocks of the array -----------------===//

#include "targets/sanger/model/Packer.h"

#include <algorithm>
#include <bit>

namespace sparsam::sanger {

void BlockList::clear() {
  list_.clear();
  ends_.clear();
  blocks_ = subrows_ = next_ = width_ = queries_ = 0;
  isSealed_ = false;
}

void BlockList::appendSubrows(const ArrayShape &shape, std::span<const uint64_t> rows,
                              uint32_t firstQuery, bool keep) {
  for (size_t r = 0; r < rows.size(); ++r) {
    uint64_t rest = rows[r];
    if (!keep) {
      // Few rows need the division.
      const uint32_t count = uint32_t(std::popcount(rest)), pes = uint32_t(shape.pes);
      subrows_ += count <= pes ? count > 0 : (count + pes - 1) / pes;
      continue;
    }
    while (rest) {
      uint64_t segment = std::popcount(rest) <= shape.pes ? rest : lowestOnes(rest, shape.pes);
      list_.push_back({firstQuery + uint32_t(r), segment});
      rest &= ~segment;
    }
  }
  if (keep)
    subrows_ = int64_t(list_.size());
}

/// First column at or behind `start` at which some row would exceed its PEs; 64 if none does.
static int cutColumn(std::span<const uint64_t> rows, uint64_t from, int64_t pes) {
  int cut = 64;
  for (uint64_t row : rows) {
    uint64_t left = row & from;
    if (std::popcount(left) > pes)
      cut = std::min(cut, std::countr_zero(left & ~lowestOnes(left, pes)));
  }
  return cut;
}

int64_t BlockList::appendColumnCuts(const ArrayShape &shape, std::span<const uint64_t> rows,
                                    uint32_t firstQuery, int64_t width, bool keep) {
  int64_t repeated = 0;
  for (uint64_t from = ~uint64_t(0); from;) {
    int cut = cutColumn(rows, from, shape.pes);
    uint64_t behind = cut >= 64 ? 0 : ~uint64_t(0) << cut;
    int64_t used = 0;
    for (size_t r = 0; r < rows.size(); ++r) {
      uint64_t columns = rows[r] & from & ~behind;
      used += columns != 0;
      if (columns && keep)
        list_.push_back({firstQuery + uint32_t(r), columns});
    }
    subrows_ += used;
    if (used > 0) {
      ++blocks_;
      ends_.push_back(uint32_t(list_.size()));
    }
    repeated += behind != 0;
    from = behind;
  }
  return repeated;
}

int64_t BlockList::append(const ArrayShape &shape, std::span<const uint64_t> rows,
                          uint32_t firstQuery, int64_t width, bool keepSubrows) {
  if (isSealed_)
    clear();
  width_ = std::max(width_, width);
  queries_ = std::max(queries_, int64_t(firstQuery) + int64_t(rows.size()));
  if (shape.encoder == Encoder::subrow) {
    appendSubrows(shape, rows, firstQuery, keepSubrows);
    return 0;
  }
  int64_t repeated = 0;
  for (size_t r = 0; r < rows.size(); r += size_t(shape.rows))
    repeated +=
        appendColumnCuts(shape, rows.subspan(r, std::min(rows.size() - r, size_t(shape.rows))),
                         firstQuery + uint32_t(r), width, keepSubrows);
  return repeated;
}

int64_t BlockList::seal(const ArrayShape &shape) {
  rowsPerBlock_ = shape.rows;
  if (shape.encoder == Encoder::subrow)
    blocks_ = (subrows_ + shape.rows - 1) / shape.rows;
  next_ = 0;
  isSealed_ = true;
  return blocks_;
}

std::span<const Subrow> BlockList::next() {
  int64_t block = next_++;
  if (list_.empty())
    return {};
  size_t begin, end;
  if (ends_.empty()) {
    begin = size_t(block * rowsPerBlock_);
    end = std::min(begin + size_t(rowsPerBlock_), list_.size());
  } else {
    begin = block == 0 ? 0 : ends_[size_t(block - 1)];
    end = ends_[size_t(block)];
  }
  return std::span<const Subrow>(list_).subspan(begin, end - begin);
}

std::vector<int64_t> bubbles(uint64_t columns, const ArrayShape &shape) {
  int64_t used = std::popcount(columns);
  int64_t last = columns ? 63 - std::countl_zero(columns) : -1;
  for (int64_t c = last + 1; c < shape.stripe && used < shape.pes; ++c, ++used)
    columns |= uint64_t(1) << c;
  for (int64_t c = last; c >= 0 && used < shape.pes; --c)
    if (!(columns >> c & 1)) {
      columns |= uint64_t(1) << c;
      ++used;
    }
  std::vector<int64_t> result;
  for (; columns; columns &= columns - 1) {
    int64_t column = std::countr_zero(columns);
    uint64_t rest = columns & (columns - 1);
    result.push_back((rest ? std::countr_zero(rest) : shape.stripe) - column - 1);
  }
  return result;
}

ColumnPacker::Step ColumnPacker::step(const std::vector<bool> &bits) {
  Step result;
  result.column = column_;
  for (size_t r = 0; r < counts_.size(); ++r) {
    result.isStored |= bits[r];
    result.isEmitted |= bits[r] && counts_[r] == pes_;
  }
  if (result.isEmitted) {
    std::fill(counts_.begin(), counts_.end(), 0);
    column_ = 0;
    return result;
  }
  for (size_t r = 0; r < counts_.size(); ++r)
    counts_[r] += bits[r];
  ++column_;
  return result;
}

} // namespace sparsam::sanger
