// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SparseArray.h - numerics of the reconfigurable sparse array --------===//
//
// The scores of one block stay in the PEs from sddmm over exp to spmm, whose partial rows the
// accumulators add up. Two arithmetics: `ref` is float and keeps the largest score of each row
// (online rescaling), `rtl` is the fixed point of the hardware, without a maximum.
//
#ifndef SPARSAM_TARGETS_SANGER_MODEL_SPARSEARRAY_H
#define SPARSAM_TARGETS_SANGER_MODEL_SPARSEARRAY_H

#include "targets/sanger/model/Kernels.h"
#include "targets/sanger/model/Packer.h"
#include "targets/sanger/model/Params.h"

#include <memory>
#include <span>

namespace sparsam::sanger {

/// Rows of the output buffer: element offset of the first, elements between rows, and the same in
/// units of the buffer's row sums (one per row).
struct OutputView {
  int64_t offset = 0, stride = 0;
  int64_t sumOffset = 0, sumStride = 0;
};

/// What words of fixed point could not hold.
struct Overflows {
  int64_t scores = 0; ///< whose exponential is beyond the exp unit's word
  int64_t sums = 0;   ///< of exponentials, or of their products with V, that saturated
};

class SparseArray {
public:
  virtual ~SparseArray() = default;

  /// What loading does to a row of Q, K or V: rounds it to the words of the buffers.
  virtual void loadRow(const float *source, int64_t count, float *destination) const = 0;

  /// Scores of the block: scale * q . k (+ bias row of the query, or row 0 if `bias.stride` is 0).
  virtual void sddmm(std::span<const Subrow> block, RowView query, RowView key, RowView bias,
                     int64_t dims, float scale) = 0;
  virtual void exp() = 0;
  virtual void spmm(RowView value, int64_t dims) = 0;
  /// Adds the partial rows to the rows of their queries.
  virtual void accumulate(OutputView output, int64_t dims) = 0;

  virtual void clearRow(int64_t offset, int64_t sumOffset, int64_t dims) = 0;
  virtual void normalizeRow(int64_t offset, int64_t sumOffset, int64_t dims) = 0;
  virtual void readRow(int64_t offset, int64_t dims, float *destination) const = 0;

  /// So far.
  virtual Overflows overflows() const { return {}; }
};

/// `outputElements` and `outputSums`: size of the output buffer and of its row sums.
std::unique_ptr<SparseArray> makeRefArray(const ArrayShape &shape, int64_t outputElements,
                                          int64_t outputSums);
std::unique_ptr<SparseArray> makeRtlArray(const ArrayShape &shape, const FixedPointFormat &format,
                                          int64_t outputElements, int64_t outputSums);

} // namespace sparsam::sanger

#endif // SPARSAM_TARGETS_SANGER_MODEL_SPARSEARRAY_H
