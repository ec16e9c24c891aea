// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- MaskTrace.h - which (query, key) pairs a run selected --------------===//
//
// One bit matrix per kernel, [batch, heads, queries, keys]. Written by functional walks, replayed
// by timing walks, stored in an .npz file: array `<kernel>` is uint8, bit-packed in C order, most
// significant bit first (NumPy's packbits), each row of keys padded to whole bytes; array
// `<kernel>.shape` holds the four dimensions as int64.
//
#ifndef SPARSAM_RUNTIME_KERNEL_MASKTRACE_H
#define SPARSAM_RUNTIME_KERNEL_MASKTRACE_H

#include "runtime/support/Result.h"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace sparsam::runtime {

/// Bits of [batch, heads, queries, keys]; each row of keys starts at a 64-bit word, bit k of a row
/// is bit k mod 64 of word k / 64; bits beyond `keys` are zero.
class BitTensor {
public:
  BitTensor() = default;
  BitTensor(int64_t batch, int64_t heads, int64_t queries, int64_t keys);

  int64_t batch() const { return batch_; }
  int64_t heads() const { return heads_; }
  int64_t queries() const { return queries_; }
  int64_t keys() const { return keys_; }
  int64_t wordsPerRow() const { return wordsPerRow_; }
  /// Row of `query` in matrix `head` (0 <= head < batch * heads).
  std::span<uint64_t> row(int64_t head, int64_t query) {
    return {words_.data() + (head * queries_ + query) * wordsPerRow_, size_t(wordsPerRow_)};
  }
  std::span<const uint64_t> row(int64_t head, int64_t query) const {
    return {words_.data() + (head * queries_ + query) * wordsPerRow_, size_t(wordsPerRow_)};
  }
  bool get(int64_t head, int64_t query, int64_t key) const {
    return row(head, query)[key / 64] >> (key % 64) & 1;
  }
  void set(int64_t head, int64_t query, int64_t key) {
    row(head, query)[key / 64] |= uint64_t(1) << (key % 64);
  }
  int64_t count() const;
  bool operator==(const BitTensor &) const = default;

private:
  int64_t batch_ = 0, heads_ = 0, queries_ = 0, keys_ = 0, wordsPerRow_ = 0;
  std::vector<uint64_t> words_;
};

/// Bit tensors by kernel name.
struct MaskTrace {
  std::map<std::string, BitTensor> kernels;

  /// False for an entry `<kernel>.<what>` beside an entry `<kernel>`: what a machine decided or knew
  /// beyond the masks of that kernel. A point alone says nothing: nodes of a model have points too.
  bool isMask(const std::string &name) const;
};

/// Reads a mask trace (.npz as above), or masks from one .npy file: bool [batch, heads, n, n] (or
/// [heads, n, n]), or uint8 bit-packed without row padding if `packedShape` gives the four
/// dimensions. A .npy file gives one kernel "masks".
Result<MaskTrace> readMasks(const std::string &path, const std::vector<int64_t> &packedShape = {});

/// Writes a mask trace as .npz.
Status writeMasks(const std::string &path, const MaskTrace &trace);

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_KERNEL_MASKTRACE_H
