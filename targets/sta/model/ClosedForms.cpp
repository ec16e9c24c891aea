// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ClosedForms.cpp - cycles, bytes and operations by formula ----------===//

#include "targets/sta/model/ClosedForms.h"

namespace sparsam::sta {

static int64_t weightTiles(const Geometry &g, int64_t rows, int64_t tokens) {
  return ceilDivide(rows, g.engines * g.rows) * ceilDivide(tokens, g.cols);
}

int64_t sparseCycles(const Geometry &g, int64_t rows, int64_t depth, int64_t tokens) {
  return weightTiles(g, rows, tokens) * (sparseSteps(g, depth) + tileOverhead(g));
}

int64_t uncompressedCycles(const Geometry &g, int64_t rows, int64_t depth, int64_t tokens) {
  return weightTiles(g, rows, tokens) * (denseSteps(g, depth) + tileOverhead(g));
}

int64_t denseCycles(const Geometry &g, int64_t heads, int64_t rows, int64_t cols, int64_t depth) {
  return ceilDivide(heads, g.engines) * ceilDivide(rows, g.rows) * ceilDivide(cols, g.cols) *
         (denseSteps(g, depth) + tileOverhead(g));
}

int64_t softmaxCycles(const SoftmaxFormat &format, int64_t rows, int64_t cols) {
  return rows * ceilDivide(cols, format.lanes);
}

LayerMacs macsOf(const Layer &l) {
  const double tokens = double(l.tokens), dim = double(l.dim);
  return {double(l.attentions) * 4 * tokens * dim * dim, 2 * tokens * dim * double(l.hidden),
          double(l.attentions) * 2 * tokens * tokens * dim};
}

double remainingMacs(const Layer &layer, int64_t n, int64_t m, Pruned pruned) {
  const LayerMacs macs = macsOf(layer);
  const double kept = double(n) / double(m);
  const double attention = pruned == Pruned::nothing ? 1 : kept,
               feedForward = pruned == Pruned::everything ? kept : 1;
  return (macs.attentionLinear * attention + macs.feedForward * feedForward + macs.attention) /
         macs.total();
}

int64_t productCycles(const Geometry &g, const Layer &l, Pruned pruned) {
  auto linear = [&](int64_t rows, int64_t depth, bool isPruned) {
    return isPruned ? sparseCycles(g, rows, depth, l.tokens)
                    : uncompressedCycles(g, rows, depth, l.tokens);
  };
  const int64_t headDim = ceilDivide(l.dim, l.heads);
  const int64_t attention = 4 * linear(l.dim, l.dim, pruned != Pruned::nothing) +
                            denseCycles(g, l.heads, l.tokens, l.tokens, headDim) +
                            denseCycles(g, l.heads, l.tokens, headDim, l.tokens);
  const bool isPruned = pruned == Pruned::everything;
  return l.attentions * attention + linear(l.hidden, l.dim, isPruned) +
         linear(l.dim, l.hidden, isPruned);
}

double weightBytes(const Layer &l, int64_t n, int64_t m, int64_t bits) {
  const double weights = double(l.attentions) * 4 * double(l.dim) * double(l.dim) +
                         2 * double(l.dim) * double(l.hidden);
  return weights * double(bits) / 8 / compressionRatio(double(n), double(m), double(bits));
}

double compressionRatio(double n, double m, double bits) {
  return n == m ? 1 : m * bits / (n * bits + m);
}

/// [P Table II]
static constexpr Layer kShallowEncoder{64, 4, 200, 800, 1}, kShallowDecoder{64, 4, 200, 800, 2};

int64_t shallowCycles(const Geometry &g) {
  return 2 * productCycles(g, kShallowEncoder, Pruned::everything) +
         productCycles(g, kShallowDecoder, Pruned::everything);
}

double shallowMacs() {
  return 2 * macsOf(kShallowEncoder).total() + macsOf(kShallowDecoder).total();
}

} // namespace sparsam::sta
