// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Dmme.h - the diverse matrix multiplication engine ------------------===//
//
// Numerics of the engine. Operands are words of `Domain`: int16_t with exact sums, or float.
//
#ifndef SPARSAM_TARGETS_STA_MODEL_DMME_H
#define SPARSAM_TARGETS_STA_MODEL_DMME_H

#include "runtime/kernel/Sequencer.h"
#include "runtime/support/Result.h"
#include "targets/sta/model/Params.h"
#include "targets/sta/model/Products.h"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace sparsam::sta {

/// 16-bit fixed point: products and short sums in 32 bits, sums in 64.
struct FixedDomain {
  using Word = int16_t;
  using Wide = int32_t;
  using Sum = int64_t;
  static constexpr bool isFixed = true;
};
struct FloatDomain {
  using Word = float;
  using Wide = float;
  using Sum = float;
  static constexpr bool isFixed = false;
};

/// One operand by rows: what goes into the engine from the west.
template <typename Domain> struct Factors {
  int64_t values = -1, bitmaps = -1, cols = 0; ///< where they are from
  size_t rows = 0, count = 0;
  std::vector<typename Domain::Wide> factors; ///< [rows][count]
  std::vector<uint16_t> positions;            ///< [rows][count], or empty: all of them in order
  int64_t largestSum = 0;                     ///< of the magnitudes of a row; FixedDomain only

  void measure();
};

/// The other operand by columns: what goes in from the north. Row t of the tile is column t here.
template <typename Domain> struct Columns {
  int64_t offset = 0, rowStride = 0;
  size_t rows = 0, cols = 0;               ///< of the tile
  std::vector<typename Domain::Wide> data; ///< [cols][width]
  int64_t largest = 0;                     ///< magnitude; FixedDomain only

  size_t width() const { return paddedColumns(rows); }
};

/// sums[r][t] += factors times columns; [factors.rows][columns.width()]. In FixedDomain products
/// lose their last `shift` bits (rounded down), and sums are exact.
template <typename Domain>
void multiply(const Factors<Domain> &factors, const Columns<Domain> &columns, int shift,
              std::vector<typename Domain::Sum> &sums);

/// Turns activations by columns, and keeps what it has turned until it is overwritten.
template <typename Domain> class ColumnCache {
public:
  using Word = typename Domain::Word;
  explicit ColumnCache(const std::vector<Word> &activation) : activation_(activation) {}

  /// `rows` x `cols` words from `offset` on. Valid until the next call of `overwrite`.
  const Columns<Domain> &get(int64_t offset, int64_t rows, int64_t cols, int64_t rowStride);
  /// The words in [begin, end) are no longer what they were.
  void overwrite(int64_t begin, int64_t end);

private:
  const std::vector<Word> &activation_;
  std::vector<std::unique_ptr<Columns<Domain>>> entries_;
};

/// The non-zero selector: positions of the weights in `rows` x `cols` bitmaps of m bits. Fails on a
/// bitmap that does not keep n positions.
runtime::Status selectPositions(const Geometry &geometry, const uint16_t *bitmaps, size_t rows,
                                size_t cols, size_t rowStride, std::vector<uint16_t> &positions);

} // namespace sparsam::sta

#endif // SPARSAM_TARGETS_STA_MODEL_DMME_H
