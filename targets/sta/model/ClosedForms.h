// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ClosedForms.h - cycles, bytes and operations by formula ------------===//
#ifndef SPARSAM_TARGETS_STA_MODEL_CLOSEDFORMS_H
#define SPARSAM_TARGETS_STA_MODEL_CLOSEDFORMS_H

#include "targets/sta/model/Params.h"

#include <cstdint>

namespace sparsam::sta {

constexpr int64_t ceilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// Cycles of the reduction of one tile. [P Fig. 8]
inline int64_t sparseSteps(const Geometry &g, int64_t depth) { return ceilDivide(depth, g.m); }
inline int64_t denseSteps(const Geometry &g, int64_t depth) { return ceilDivide(depth, g.n); }
/// Skew of a tile's first and last PE, and its shift-out. [A, calibrated on P Table V]
inline int64_t tileOverhead(const Geometry &g) {
  return g.rows + g.cols - 2 + (g.shiftsOut ? g.cols : 0);
}

/// Cycles of a product of `rows` x `depth` compressed weights with `tokens` tokens.
int64_t sparseCycles(const Geometry &g, int64_t rows, int64_t depth, int64_t tokens);
/// The same weights uncompressed, on the dense path.
int64_t uncompressedCycles(const Geometry &g, int64_t rows, int64_t depth, int64_t tokens);
/// Cycles of `heads` products [rows x depth] [depth x cols], one head per engine.
int64_t denseCycles(const Geometry &g, int64_t heads, int64_t rows, int64_t cols, int64_t depth);
/// Cycles of softmax, without the depth of the divider.
int64_t softmaxCycles(const SoftmaxFormat &format, int64_t rows, int64_t cols);

/// An encoder (one attention) or decoder (two) layer.
struct Layer {
  int64_t tokens = 64, heads = 4, dim = 200, hidden = 800;
  int64_t attentions = 1;
};
/// What is pruned.
enum class Pruned { nothing, attention, everything };

struct LayerMacs {
  double attentionLinear = 0, feedForward = 0, attention = 0;
  double total() const { return attentionLinear + feedForward + attention; }
};
LayerMacs macsOf(const Layer &layer);
/// Multiplications that are left, by all of the dense layer.
double remainingMacs(const Layer &layer, int64_t n, int64_t m, Pruned pruned);

/// Cycles of all products of a layer.
int64_t productCycles(const Geometry &g, const Layer &layer, Pruned pruned);
/// Bytes of a layer's compressed weights.
double weightBytes(const Layer &layer, int64_t n, int64_t m, int64_t bits);

/// M b / (N b + M), 1 where nothing is left out. [P eq. 3]
double compressionRatio(double n, double m, double bits);

/// The shallow transformer of the papers: two encoders, one decoder, 64 tokens. [P Table II]
int64_t shallowCycles(const Geometry &g);
/// Its multiplications; an operation of TVLSI is half of one.
double shallowMacs();

} // namespace sparsam::sta

#endif // SPARSAM_TARGETS_STA_MODEL_CLOSEDFORMS_H
