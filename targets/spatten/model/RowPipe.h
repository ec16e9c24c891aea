// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- RowPipe.h - one query of one head through the pipe -----------------===//
//
// Q x K, softmax, decision on the low bits, local top-k, prob x V. [P IV-A, Table I: modules 7 to
// 11]
//
#ifndef SPARSAM_TARGETS_SPATTEN_MODEL_ROWPIPE_H
#define SPARSAM_TARGETS_SPATTEN_MODEL_ROWPIPE_H

#include "targets/spatten/model/Params.h"
#include "targets/spatten/model/QuickSelect.h"

#include <memory>
#include <span>
#include <vector>

namespace sparsam::spatten {

/// What `config` says about the numbers of a kernel.
struct PipeFormat {
  int64_t headDim = 64;
  float scale = 1; ///< of the scores, 1 / sqrt(D)
  int64_t msbBits = 8, lsbBits = 4, valueBits = 8;
  bool forceLsb = false;  ///< all bits at once
  float threshold = 0.1f; ///< fetch the low bits where no probability reaches it
  bool allowsLsb = true;
  float queryRange = 0, keyRange = 0, valueRange = 0;
  int64_t values = 1; ///< kept per row
  PivotRule pivot;
};

/// Keys that one query sees: slots [first, first + count) of what was loaded.
struct RowKeys {
  int64_t first = 0, count = 0;
  const float *bias = nullptr; ///< additive mask, null: none
  int64_t biasStep = 1;        ///< 0: one number for all keys
  uint64_t stream = 0;         ///< of the pivots
};

/// What the pipe decided on the way.
struct RowDecisions {
  bool needsLsb = false;
  std::vector<uint8_t> keepsValue; ///< per key that was seen
  int64_t keptValues = 0;
  std::vector<uint32_t> rounds; ///< of the local top-k; empty: bypassed
};

/// The pipe with the keys and values of one head on chip.
class RowPipe {
public:
  virtual ~RowPipe() = default;
  /// Makes room for keys and values of slots [0, slots).
  virtual void reserve(int64_t slots) = 0;
  /// Loads `count` rows of `headDim` floats to consecutive slots.
  virtual void loadKeys(const float *rows, int64_t count, int64_t slot) = 0;
  virtual void loadValues(const float *rows, int64_t count, int64_t slot) = 0;
  /// Computes one output row; adds the probabilities to `tokenSums` (per key seen) and the
  /// magnitude of the output to `headSum`, both in units of tokenUnit() and headUnit(); either may
  /// be null.
  virtual void run(const float *query, const RowKeys &keys, float *output, double *tokenSums,
                   double *headSum) = 0;
  /// What a 1 in the sums stands for.
  virtual double tokenUnit() const = 0;
  virtual double headUnit() const = 0;
  const RowDecisions &decisions() const { return decisions_; }
  /// Queries, keys and values so far that were NaN or infinite, each time that they came.
  int64_t nonFinite() const { return nonFinite_; }

protected:
  /// The local top-k over the probabilities of the keys seen.
  template <typename T>
  void keepLargest(std::span<const T> probabilities, int64_t values, const PivotRule &pivot,
                   uint64_t stream, Fifos<T> &fifos);

  /// A query that sees no key gives zeros.
  void seeNothing(float *output, int64_t size);

  RowDecisions decisions_;
  int64_t nonFinite_ = 0;
};

/// 12-bit words, as the machine computes.
std::unique_ptr<RowPipe> makeWordPipe(const PipeFormat &format);
/// float32 with the same pruning.
std::unique_ptr<RowPipe> makeExactPipe(const PipeFormat &format);

} // namespace sparsam::spatten

#endif // SPARSAM_TARGETS_SPATTEN_MODEL_ROWPIPE_H
