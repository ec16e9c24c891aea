// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CompareOutputs.h - how far outputs are from the dense model --------===//
#ifndef SPARSAM_TOOLS_SPARSAM_COMPAREOUTPUTS_H
#define SPARSAM_TOOLS_SPARSAM_COMPAREOUTPUTS_H

#include "tools/sparsam/Common.h"

namespace sparsam::driver {

/// The right answers of a task: class numbers, one for each row of the last dimension of an output;
/// negative where nothing is scored.
struct Labels {
  runtime::Tensor classes; ///< int64
  std::string output;      ///< the output they belong to
};

/// Finds the output that `classes` (integers) belong to: the first float output that has one more
/// dimension. Errors name the shapes.
Result<Labels> matchLabels(const runtime::Tensor &classes, const runtime::TensorMap &outputs);

/// For each float output how it differs from that of the reference: {max_abs_error, cosine,
/// answers, agreement}; the answer of a row is its largest element, and where there are labels,
/// rows that are not scored do not count.
Json compareOutputs(const runtime::TensorMap &outputs, const runtime::TensorMap &reference,
                    const Labels *labels);

/// {accuracy, answers} of the labelled output.
Json scoreOutputs(const runtime::TensorMap &outputs, const Labels &labels);

} // namespace sparsam::driver

#endif // SPARSAM_TOOLS_SPARSAM_COMPAREOUTPUTS_H
