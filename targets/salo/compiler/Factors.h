// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Factors.h - what Q, K and V are multiplied by ----------------------===//
#ifndef SPARSAM_TARGETS_SALO_COMPILER_FACTORS_H
#define SPARSAM_TARGETS_SALO_COMPILER_FACTORS_H

#include "Salo.h"

namespace sparsam::salo {

/// Factors of the elements before they become 9-bit words.
struct Factors {
  double query = 1, key = 1, value = 1;
};

/// Their product over Q and K is what the machine's fixed shift leaves of `scale`, and log2(e),
/// because its exponential is to base 2. Calibrated ranges let Q, K and V fill their words, and
/// scale Q down where scores would leave the range of an exponent; a warning says so.
mlir::FailureOr<Factors> findFactors(isa::ArchAttr arch, double scale, mlir::Operation *attention);

} // namespace sparsam::salo

#endif // SPARSAM_TARGETS_SALO_COMPILER_FACTORS_H
