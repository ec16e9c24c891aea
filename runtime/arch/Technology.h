// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Technology.h - scaling between process nodes -----------------------===//
//
// The one place with factors between technologies: A. Stillmaker and B. Baas, Scaling equations for
// the accurate prediction of CMOS device performance from 180 nm to 7 nm, Integration 58 (2017)
// 74-81, doi 10.1016/j.vlsi.2017.02.002. Their fits give delay and energy of a gate at a node and a
// supply voltage; designs rarely publish theirs, so each node is taken at its nominal voltage.
//
#ifndef SPARSAM_RUNTIME_ARCH_TECHNOLOGY_H
#define SPARSAM_RUNTIME_ARCH_TECHNOLOGY_H

#include "runtime/support/Result.h"

namespace sparsam::runtime {

/// What to multiply a figure by to bring it from one node to another.
struct TechnologyFactors {
  double delay = 1, energy = 1, area = 1;
};

inline constexpr double kSmallestNode = 7, kLargestNode = 180; ///< nm

/// Between two nodes of 7 to 180 nm; a node between two of the table is interpolated, the logarithm
/// of the factor over the logarithm of the node. Another node is an error.
Result<TechnologyFactors> technologyFactors(double fromNanometres, double toNanometres);

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_ARCH_TECHNOLOGY_H
