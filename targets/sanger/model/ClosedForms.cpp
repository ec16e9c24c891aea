// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ClosedForms.cpp - cycles and seconds without a simulation ----------===//

#include "targets/sanger/model/ClosedForms.h"

#include <algorithm>
#include <cmath>

namespace sparsam::sanger {

// The released estimators: BERT-base's hidden size, 64 x 16 PEs, tiles of 64, P / W = 0.25, all
// hard-wired there.
static constexpr double kHidden = 768, kReleasedPes = 1024, kReleasedTile = 64,
                        kReleasedRatio = 0.25;

static double peakOps(const LayerQuestion &layer) { return 2 * kReleasedPes * layer.clockHz; }
/// The projections of Q, K and V.
static double projectionOps(const LayerQuestion &layer) {
  return 6 * layer.tokens * kHidden * kHidden;
}
static double outputOps(const LayerQuestion &layer) { return 2 * layer.tokens * kHidden * kHidden; }

double estimator1(const LayerQuestion &layer) {
  double attention = 4 * layer.tokens * layer.tokens * kHidden + outputOps(layer);
  return projectionOps(layer) / peakOps(layer) +
         attention * layer.density / (layer.loadBalance * peakOps(layer));
}

double estimator2(const LayerQuestion &layer) {
  double subrows = layer.density / layer.loadBalance / kReleasedRatio *
                   layer.tokens; // mean per stripe, real-valued
  double tileCycles = (kHidden + kReleasedTile) + (subrows + kReleasedTile);
  double bytesPerCycle = kReleasedTile * 2; // one 16-bit element for each column port
  double slowdown = std::max(1.0, bytesPerCycle * layer.clockHz / layer.bytesPerSecond);
  double tiles = (subrows / kReleasedTile) * (layer.tokens / kReleasedTile);
  double attention = tiles * tileCycles * slowdown / layer.clockHz;
  return projectionOps(layer) / peakOps(layer) + attention +
         outputOps(layer) * layer.density / (layer.loadBalance * peakOps(layer));
}

int64_t productCycles(const Params &params, int64_t headDim) {
  switch (params.overlap) {
  case Overlap::none:
    return headDim + params.array.stripe + params.array.rows;
  case Overlap::partial:
    return headDim + params.array.stripe;
  case Overlap::full:
    break;
  }
  return headDim;
}

int64_t expHold(const Params &params) {
  return params.overlap == Overlap::full ? 0 : params.expCycles;
}

int64_t resultLatency(const Params &params) {
  return params.overlap == Overlap::none ? 0 : params.array.stripe + params.array.rows;
}

int64_t blockCycles(const Params &params, int64_t headDim) {
  return 2 * productCycles(params, headDim) + expHold(params);
}

int64_t sparseCycles(const Params &params, int64_t headDim, int64_t blocks) {
  return blocks * blockCycles(params, headDim) + resultLatency(params);
}

int64_t scoreHold(const Params &params, int64_t headDim) {
  return std::max(headDim, params.lowbitCols);
}

int64_t scoreLatency(const Params &params) { return params.lowbitRows + params.lowbitCols; }

static int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

int64_t predictCycles(const Params &params, int64_t queries, int64_t keys, int64_t headDim) {
  return ceilDiv(queries, params.lowbitRows) * ceilDiv(keys, params.lowbitCols) *
             scoreHold(params, headDim) +
         scoreLatency(params);
}

int64_t dmaCycles(const Params &params, int64_t queries, int64_t keys, int64_t headDim) {
  constexpr int64_t kBytes = 2;
  return int64_t(
      std::ceil(double(2 * (queries + keys) * headDim * kBytes) / params.dramBytesPerCycle));
}

int64_t attentionCycles(const Params &params, int64_t queries, int64_t keys, int64_t headDim,
                        bool predicts, std::span<const int64_t> blocksPerHead) {
  int64_t predict = predicts ? predictCycles(params, queries, keys, headDim) : 0;
  int64_t dma = dmaCycles(params, queries, keys, headDim);
  int64_t total =
      predicts ? predictCycles(params, std::min(queries, params.lowbitRows), keys, headDim) : 0;
  for (int64_t blocks : blocksPerHead)
    total += std::max({predict, sparseCycles(params, headDim, blocks), dma});
  return total;
}

double effectiveThroughput(double multipliers, double clockHz, double loadBalance, double density) {
  // In overlap mode full a block of multipliers / P sub-rows takes 2 d cycles for 4 d operations
  // per PE; dense attention has 1 / density as many pairs as are kept, and a sub-row keeps P * load
  // balance of them.
  double operationsPerCycle = 2 * multipliers * loadBalance / density;
  return operationsPerCycle * clockHz * 1e-9;
}

} // namespace sparsam::sanger
