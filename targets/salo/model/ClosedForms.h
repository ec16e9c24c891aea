// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ClosedForms.h - cycles and utilisation without a simulation --------===//
#ifndef SPARSAM_TARGETS_SALO_MODEL_CLOSEDFORMS_H
#define SPARSAM_TARGETS_SALO_MODEL_CLOSEDFORMS_H

#include "targets/salo/model/Params.h"

namespace sparsam::salo {

/// One attention layer, as the released performance models take it, which have no dilation and no
/// more global tokens than the array holds at once.
struct Layer {
  int64_t tokens = 0, window = 0, dim = 0, heads = 1;
  int64_t dilation = 1, globalTokens = 0; ///< version 1 alone
  int64_t headDim() const { return dim / heads; }
};

struct Performance {
  int64_t iterations = 0, cycles = 0;
  double seconds = 0, operations = 0, utilization = 0;
  /// Version 2: the pattern matching, and the dense projections around the attention.
  int64_t matchCycles = 0;
  double matchSeconds = 0, projectionSeconds = 0, outputSeconds = 0;
};

/// Cycles of one tile pass on the array: the two products of d cycles, exp, row sum and, in
/// version 1, the wait for the inverse of the row sum and the scaling. [R1, R2 performance_model]
int64_t passCycles(const Params &params, int64_t headDim);
/// Cycles of `passes` tile passes, one after the other, from the first query to the last output.
int64_t arrayCycles(const Params &params, int64_t passes, int64_t headDim);

/// Version 1 reads `Params::array` alone of the parameters of patterns; what is set of the pattern
/// is in `layer`. Global tokens cost nothing while the array holds them at once, as in the released
/// model; each further group of them costs passes past every key. [A, spec 2.2]
Performance evaluate(const Params &params, const Layer &layer);

/// The figure that the authors call attention time at 128 multipliers, in milliseconds; it scales
/// the matching by 32 and divides by the number of blocks. [R2 docs]
double scaledMilliseconds(const Params &params, const Layer &layer, double multipliers);

} // namespace sparsam::salo

#endif // SPARSAM_TARGETS_SALO_MODEL_CLOSEDFORMS_H
