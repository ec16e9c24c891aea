// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Selection.cpp - what both walks know about a launch ----------------===//

#include "targets/sanger/model/Selection.h"

#include <algorithm>

namespace sparsam::sanger {

using namespace runtime;

//===-- BitMemory ----------------------------------------------------------===//

uint64_t BitMemory::read(int64_t first, int64_t count) const {
  size_t word = size_t(first / 64);
  unsigned shift = unsigned(first % 64);
  uint64_t bits = words_[word] >> shift;
  if (shift)
    bits |= words_[word + 1] << (64 - shift);
  return count >= 64 ? bits : bits & ((uint64_t(1) << count) - 1);
}

void BitMemory::write(int64_t first, int64_t count, const uint64_t *bits) {
  for (int64_t done = 0; done < count; done += 64) {
    int64_t width = std::min<int64_t>(64, count - done);
    uint64_t keep = width == 64 ? 0 : ~uint64_t(0) << width;
    size_t word = size_t((first + done) / 64);
    unsigned shift = unsigned((first + done) % 64);
    uint64_t value = bits[done / 64] & ~keep;
    words_[word] = (words_[word] & ~(~keep << shift)) | value << shift;
    if (shift)
      words_[word + 1] = (words_[word + 1] & ~(~keep >> (64 - shift))) | value >> (64 - shift);
  }
}

//===-- RowTags ------------------------------------------------------------===//

RowTags::RowTags(const Kernel &kernel) {
  for (Role role :
       {Role::query, Role::key, Role::value, Role::lowQuery, Role::lowKey, Role::score}) {
    const MemoryUse &use = kernel.memory(role);
    grains_[size_t(role)] = use.grain;
    if (use.number != 0)
      tags_[size_t(role)].assign(size_t(use.rowSlots()), -1);
  }
  grains_[size_t(Role::output)] = kernel.memory(Role::output).grain;
}

void RowTags::load(const Tile &source, Role role, const Tile &destination) {
  std::vector<int32_t> &tags = tags_[size_t(role)];
  for (uint32_t r = 0; r < destination.validRows; ++r)
    tags[slot(role, destination, r)] = r < source.validRows ? int32_t(source.row + r) : -1;
}

void RowTags::copy(Role fromRole, const Tile &from, Role toRole, const Tile &to) {
  // Divided once per tile: this runs for every tile of scores.
  const int64_t fromGrain = grains_[size_t(fromRole)], toGrain = grains_[size_t(toRole)];
  const int64_t fromStep = from.rowStride / fromGrain, toStep = to.rowStride / toGrain;
  const int32_t *source = &tags_[size_t(fromRole)][size_t(from.offset / fromGrain)];
  int32_t *target = &tags_[size_t(toRole)][size_t(to.offset / toGrain)];
  for (uint32_t r = 0; r < std::min(to.rows, to.validRows); ++r)
    target[r * toStep] = r < from.validRows ? source[r * fromStep] : -1;
}

//===-- Marks --------------------------------------------------------------===//

/// Marks that a row of `cols` elements covers, if it starts at a multiple of the grain.
static int64_t marksOf(const Tile &tile, int64_t grain) {
  return (int64_t(tile.cols) + grain - 1) / grain;
}

void Marks::set(const Tile &tile, uint8_t mark) {
  const int64_t first = tile.offset / grain_, step = tile.rowStride / grain_,
                count = marksOf(tile, grain_);
  if (step == count) { // rows follow each other
    std::fill_n(marks_.begin() + first, tile.rows * count, mark);
    return;
  }
  for (uint32_t r = 0; r < tile.rows; ++r)
    std::fill_n(marks_.begin() + first + r * step, count, mark);
}

bool Marks::has(const Tile &tile, uint8_t mark) const {
  auto first = marks_.begin() + tile.offset / grain_;
  return std::all_of(first, first + marksOf(tile, grain_), [&](uint8_t m) { return m == mark; });
}

//===-- Selection ----------------------------------------------------------===//

Selection::Selection(const Kernel &kernel, const Params &params)
    : tags(kernel), kernel_(kernel), params_(params), scores_(kernel.memory(Role::score)),
      rowStates_(kernel.memory(Role::output)), bits_(kernel.memory(Role::mask).extent) {}

Status Selection::selectHead(const insn::SelectHead &insn, const Addressing &addressing) {
  int64_t head = addressing.index(insn.head), heads = kernel_.config.heads;
  if (head < 0 || head >= heads)
    return makeError("kernel '", kernel_.name(), "': select_head names head ", head,
                     ", 'config' says there are ", heads);
  (insn.pipe == insn::Pipe::Predict ? predictHead : sparseHead) = head;
  return Status();
}

/// What stands for a slice of a stripe: no other slice shares its first row.
static Tile firstRow(Tile tile) {
  tile.rows = 1;
  return tile;
}

void Selection::score(const Tile &query, const Tile &score) {
  tags.copy(Role::lowQuery, query, Role::score, score);
  scores_.set(firstRow(score), kScored);
}

Status Selection::threshold(const Tile &scores) {
  if (!scores_.has(scores, kScored))
    return makeError("kernel '", kernel_.name(), "': 'softmax_threshold' takes ", scores.cols,
                     " columns of scores before 'score' has made all of them");
  scores_.set(firstRow(scores), 0);
  return Status();
}

Status Selection::expectRows(const Tile &output, uint8_t mark, const char *use,
                             const char *before) const {
  if (rowStates_.has(output, mark))
    return Status();
  return makeError("kernel '", kernel_.name(), "': ", use, " output rows that ", before);
}

Status Selection::accumulate(const Tile &output) const {
  return expectRows(output, kSumming, "'accumulate' adds to", "'clear_output' has not cleared");
}

Status Selection::normalize(const Tile &output) {
  Status status =
      expectRows(output, kSumming, "'normalize' divides", "'clear_output' has not cleared");
  if (status)
    rowStates_.set(output, kNormalized);
  return status;
}

Status Selection::store(const Tile &output) const {
  return expectRows(output, kNormalized, "'store_output' stores", "'normalize' has not divided");
}

Result<int64_t> Selection::queryOf(const Tile &scores, uint32_t r) const {
  int64_t query = tags.get(Role::score, scores, r);
  if (query >= int64_t(kernel_.config.queries))
    return makeError("kernel '", kernel_.name(), "': softmax_threshold works on query ", query,
                     ", 'config' says there are ", kernel_.config.queries);
  return query;
}

void Selection::writeRow(const Tile &mask, uint32_t row, const uint64_t *words) {
  if (row < mask.validRows)
    bits_.write(mask.offset + row * mask.rowStride, mask.cols, words);
}

Result<int64_t> Selection::pack(int64_t row, const Tile &mask, const Tile &blocks,
                                bool keepSubrows) {
  int64_t queries = kernel_.config.queries;
  if (row < 0)
    return makeError("kernel '", kernel_.name(), "': pack_split starts at query ", row);
  int64_t count = std::clamp<int64_t>(queries - row, 0, std::min(mask.rows, mask.validRows));
  rows_.resize(size_t(count));
  for (int64_t r = 0; r < count; ++r)
    rows_[size_t(r)] = bits_.read(mask.offset + r * mask.rowStride, mask.cols);
  BlockList &list = lists_[blocks.offset];
  held_ -= list.subrows();
  int64_t repeated =
      list.append(params_.array, rows_, uint32_t(std::min(row, queries)), mask.cols, keepSubrows);
  held_ += list.subrows();
  highWater_ = std::max(highWater_, held_);
  return repeated;
}

int64_t Selection::seal(const Tile &blocks) { return lists_[blocks.offset].seal(params_.array); }

Result<BlockList *> Selection::take(const Tile &blocks, const Tile &query, const Tile &key) {
  BlockList &list = lists_[blocks.offset];
  const char *problem = nullptr;
  if (!list.isSealed())
    problem = "sddmm takes a block of a list that is not sealed";
  else if (list.atEnd())
    problem = "sddmm takes a block of a list that has no more";
  else if (list.queries() > int64_t(query.rows))
    problem = "sddmm takes a block with queries beyond its query tile";
  else if (list.width() > int64_t(key.rows))
    problem = "sddmm takes a block with keys beyond its key tile";
  if (problem)
    return makeError("kernel '", kernel_.name(), "': ", problem);
  blockWidth_ = list.width();
  firstKey_ = tags.get(Role::key, key, 0);
  return &list;
}

Status Selection::checkValue(const Tile &value) const {
  if (blockWidth_ > int64_t(value.rows))
    return makeError("kernel '", kernel_.name(), "': spmm takes ", value.rows,
                     " values for a stripe of ", blockWidth_, " keys");
  const int32_t firstValue = tags.get(Role::value, value, 0);
  if (firstValue != firstKey_)
    return makeError("kernel '", kernel_.name(), "': spmm takes values from token ", firstValue,
                     " on for a stripe of keys from token ", firstKey_, " on");
  return Status();
}

Status Selection::follow(int step, const char *self, const char *before) {
  if (arrayStep_ != step - 1)
    return makeError("kernel '", kernel_.name(), "': '", self, "' must follow ", before,
                     " on the same block");
  arrayStep_ = step % 4;
  return Status();
}

} // namespace sparsam::sanger
