// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- HostModel.h - how long operators take on the host ------------------===//
#ifndef SPARSAM_RUNTIME_HOST_HOSTMODEL_H
#define SPARSAM_RUNTIME_HOST_HOSTMODEL_H

#include <algorithm>

namespace sparsam::runtime {

/// A roofline: an operator takes as long as its arithmetic or its traffic, whichever is longer.
/// The host is not part of any published accelerator, so it is timed apart from them, and by the
/// same two numbers for all of them. Both numbers are assumed: a small server processor.
struct HostModel {
  double gigaflops = 100; ///< 10^9 floating point operations per second
  double bandwidth = 20;  ///< 10^9 bytes per second

  double seconds(double flops, double bytes) const {
    return std::max(flops / (gigaflops * 1e9), bytes / (bandwidth * 1e9));
  }
};

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_HOST_HOSTMODEL_H
