// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ValidLengths.cpp - how many tokens are no padding ------------------===//

#include "runtime/units/ValidLengths.h"

namespace sparsam::runtime {

Status checkValidLengths(std::span<const int64_t> lengths, int64_t batch, int64_t tokens) {
  if (lengths.size() > 1 && int64_t(lengths.size()) != batch)
    return makeError("--valid-len gives ", lengths.size(), " lengths for ", batch,
                     " batch entries; give one for all, or one for each");
  for (int64_t length : lengths)
    if (length < 1 || length > tokens)
      return makeError("--valid-len must lie in [1, ", tokens, "], got ", length);
  return Status();
}

} // namespace sparsam::runtime
