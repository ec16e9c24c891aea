// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ClosedForms.cpp - cycles and utilisation without a simulation ------===//

#include "targets/salo/model/ClosedForms.h"

#include <algorithm>

namespace sparsam::salo {

static int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

int64_t passCycles(const Params &params, int64_t headDim) {
  constexpr int64_t kExp = 1, kSum = 1, kScale = 1;
  const int64_t products = 2 * headDim + kExp + kSum;
  return params.version == 2 ? products : products + params.array.cols + kScale;
}

/// What the last pass needs to leave the array.
static int64_t drainCycles(const ArrayShape &array, int64_t version) {
  return array.cols + array.globals - 1 + (version == 2 ? array.randoms : 0);
}

int64_t arrayCycles(const Params &params, int64_t passes, int64_t headDim) {
  const int64_t flush = passes - 1;
  return passCycles(params, headDim) * passes + flush + drainCycles(params.array, params.version);
}

/// Passes of all tiles of a head. Tokens of a dilated window are ordered by residue where their
/// number allows it; else each of its keys is a window of its own.
static int64_t headPasses(const ArrayShape &array, const Layer &layer) {
  const bool isOrdered = layer.tokens % layer.dilation == 0;
  const int64_t classes = isOrdered ? layer.dilation : 1;
  const int64_t tiles = classes * ceilDiv(layer.tokens / classes, array.rows);
  const int64_t windowPasses = isOrdered ? ceilDiv(layer.window, array.cols) : layer.window;
  if (layer.globalTokens == 0)
    return tiles * windowPasses;
  const int64_t groups = ceilDiv(layer.globalTokens, array.globals);
  const int64_t groupPasses = std::max<int64_t>(1, ceilDiv(array.rows, array.cols));
  return tiles * (windowPasses + (groups - 1) * groupPasses);
}

static Performance evaluateStatic(const Params &params, const Layer &layer) {
  const ArrayShape &array = params.array;
  const double f = params.clockMhz * 1e6, heads = double(layer.heads), d = double(layer.headDim());
  Performance result;
  result.iterations = headPasses(array, layer) * layer.heads;
  result.cycles = arrayCycles(params, result.iterations, layer.headDim());
  result.seconds = double(result.cycles) / f;
  // Stages 2 to 4 are counted once, not per head: so does the released model.
  const int64_t globals = std::max(array.globals, layer.globalTokens);
  result.operations =
      double(layer.tokens) * double(layer.window + 2 * globals) * (4 * d * heads + 2 + 1 + 1);
  const double pes = double(array.rows * array.cols + array.globals * array.rows + array.cols);
  result.utilization = result.operations / (result.seconds * 2 * f * pes);
  return result;
}

static Performance evaluateDynamic(const Params &params, const Layer &layer) {
  const ArrayShape &array = params.array;
  const double f = params.clockMhz * 1e6, dim = double(layer.dim), n = double(layer.tokens);
  const int64_t block = params.blocks.block, blocks = layer.tokens / block;
  Performance result;
  result.iterations = blocks * blocks * ceilDiv(block, array.rows) *
                      ceilDiv(layer.window, array.cols) * layer.heads;
  result.cycles = arrayCycles(params, result.iterations, layer.headDim());
  result.seconds = double(result.cycles) / f;
  const int64_t perRow = layer.window + array.randoms + 2 * array.globals;
  result.operations = double(blocks * blocks * block * perRow) * (4 * dim + 2 + 1);
  const double peak =
      2 * f * double(array.rows * array.cols + (array.randoms + 2 * array.globals) * array.rows);
  result.utilization = result.operations / (result.seconds * peak);

  const int64_t matches = blocks * blocks * layer.heads;
  result.matchCycles = (layer.headDim() + 1) * matches + (matches - 1) + (2 * block + 2);
  result.matchSeconds = double(result.matchCycles) / f;
  constexpr double kProjectionFactor = 0.14; // unexplained in the released model
  const double projection = kProjectionFactor / (peak * result.utilization);
  result.projectionSeconds = 6 * n * dim * dim * projection;
  result.outputSeconds = 2 * n * dim * dim * projection;
  return result;
}

Performance evaluate(const Params &params, const Layer &layer) {
  return params.version == 2 ? evaluateDynamic(params, layer) : evaluateStatic(params, layer);
}

double scaledMilliseconds(const Params &params, const Layer &layer, double multipliers) {
  const Performance p = evaluate(params, layer);
  constexpr double kMatchScale = 32;
  const double blocks = double(layer.tokens) / double(params.blocks.block);
  const ArrayShape &array = params.array;
  const int64_t used =
      array.rows * (array.cols + array.randoms + array.globals) + array.globals * array.cols;
  return 1e3 * (kMatchScale * p.matchSeconds +
                double(used) / multipliers * (p.projectionSeconds + p.seconds + p.outputSeconds) /
                    (blocks * blocks));
}

} // namespace sparsam::salo
