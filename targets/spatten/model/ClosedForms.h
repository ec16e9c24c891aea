// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ClosedForms.h - cycles and bytes without a program -----------------===//
#ifndef SPARSAM_TARGETS_SPATTEN_MODEL_CLOSEDFORMS_H
#define SPARSAM_TARGETS_SPATTEN_MODEL_CLOSEDFORMS_H

#include "targets/spatten/model/Params.h"
#include "targets/spatten/model/Workload.h"

#include <span>

namespace sparsam::spatten {

/// `rows` rounded up to what is fetched together.
inline int64_t fetchedRows(int64_t rows) {
  return (rows + kFetchRows - 1) / kFetchRows * kFetchRows;
}
/// Bytes of `rows` fetched rows of `headDim` elements. [D, worked example f]
inline int64_t fetchedBytes(int64_t rows, int64_t headDim, int64_t bits) {
  return fetchedRows(rows) * headDim * bits / 8;
}

//===-- Behavioural --------------------------------------------------------===//

/// The parts of the authors' serial model of one layer. [R simulator/src/bert.cpp]
struct BehaviouralCycles {
  int64_t dram = 0, fill = 0, topk = 0, drain = 0;
  int64_t total() const { return dram + fill + topk + drain; }
};
/// Of the heads of one layer. Rows with a `topk` rank so many of their keys; their pivots come from
/// the seed.
BehaviouralCycles behaviouralCycles(const Params &params, std::span<const Request> heads);

//===-- Pipelined ----------------------------------------------------------===//

/// Cycles for which one query of one head holds each module in generation.
struct PipelineCycles {
  double keys = 0, lowBits = 0, values = 0; ///< DRAM
  double qk = 0, softmax = 0, topk = 0, pv = 0;
  double dram() const { return keys + lowBits + values; }
  /// The module that takes longest.
  double interval() const;
};
/// `topk` < 0: the expected cycles of a local top-k whose scores are not known.
PipelineCycles pipelineCycles(const Params &params, const Request &request, double topk = -1);
/// One fill of the pipe whose keys are `n`.
double pipelineFill(const Params &params, int64_t keys, int64_t headDim);
/// Sum of the intervals, and one fill. Heads with many queries have their keys and values loaded
/// once, behind the queries of the head before.
double pipelinedCycles(const Params &params, std::span<const Request> requests);

//===-- Traffic and work ---------------------------------------------------===//

struct Traffic {
  int64_t keyBytes = 0, lowBytes = 0, valueBytes = 0;
  int64_t total() const { return keyBytes + lowBytes + valueBytes; }
};
Traffic traffic(std::span<const Request> requests);
/// Operations of Q x K and prob x V over what is fetched.
double operations(std::span<const Request> requests);

/// Cycles of fully connected layers of `weights` weights on `tokens` tokens, with both arrays: as
/// many as the multipliers need, or the stream of weights. [P V-B]
double fcCycles(const Params &params, double weights, double tokens);
/// Seconds of fully connected layers in generation: a stream of weights. [P V-B]
double streamSeconds(const Params &params, double weights, double bits);

} // namespace sparsam::spatten

#endif // SPARSAM_TARGETS_SPATTEN_MODEL_CLOSEDFORMS_H
