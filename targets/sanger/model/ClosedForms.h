// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ClosedForms.h - cycles and seconds without a simulation ------------===//
#ifndef SPARSAM_TARGETS_SANGER_MODEL_CLOSEDFORMS_H
#define SPARSAM_TARGETS_SANGER_MODEL_CLOSEDFORMS_H

#include "targets/sanger/model/Params.h"

#include <cstdint>
#include <span>

namespace sparsam::sanger {

/// What the released estimators are asked about: one BERT-base encoder layer, all heads lumped.
struct LayerQuestion {
  double tokens = 0;
  double density = 0, loadBalance = 0;
  double clockHz = 1e9;
  double bytesPerSecond = 128e9;
};

/// Released estimator 1, seconds. The dense output projection is scaled by density / load balance
/// as well, as released. [R bench_sanger]
double estimator1(const LayerQuestion &layer);
/// Released estimator 2, seconds: the same projections, attention by tiles. [R bench_sanger_v2]
double estimator2(const LayerQuestion &layer);

/// Cycles that sddmm and spmm hold the array each, and exp. [A, from R pe_row_test]
int64_t productCycles(const Params &params, int64_t headDim);
int64_t expHold(const Params &params);
/// Cycles after which the result of spmm is complete, beyond its hold.
int64_t resultLatency(const Params &params);
/// Cycles of one block: 2 (d + W + H) + 3, 2 (d + W) + 3, or 2 d in overlap mode none, partial,
/// full.
int64_t blockCycles(const Params &params, int64_t headDim);
/// All blocks of one head on the array.
int64_t sparseCycles(const Params &params, int64_t headDim, int64_t blocks);

/// Cycles that a score tile holds the low-bit array, and after which its result is complete.
int64_t scoreHold(const Params &params, int64_t headDim);
int64_t scoreLatency(const Params &params);
/// Prediction of one head.
int64_t predictCycles(const Params &params, int64_t queries, int64_t keys, int64_t headDim);
/// Q, K and V in and O out once, 16-bit elements.
int64_t dmaCycles(const Params &params, int64_t queries, int64_t keys, int64_t headDim);

/// Cycles of one attention core: every head takes as long as its slowest part, behind the
/// prediction of the first stripe. Without prediction (`predicts` false) only the sparse part and
/// the transfers count.
int64_t attentionCycles(const Params &params, int64_t queries, int64_t keys, int64_t headDim,
                        bool predicts, std::span<const int64_t> blocksPerHead);

/// Dense operations per second (GOP/s) that `multipliers` at `clockHz` stand for when they compute
/// only what is kept, as well as the load balance lets them: the array's blocks in overlap mode
/// full.
double effectiveThroughput(double multipliers, double clockHz, double loadBalance, double density);

} // namespace sparsam::sanger

#endif // SPARSAM_TARGETS_SANGER_MODEL_CLOSEDFORMS_H
