// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- HeadWalks.h - walks over parts of the heads, on all threads --------===//
#ifndef SPARSAM_RUNTIME_UNITS_HEADWALKS_H
#define SPARSAM_RUNTIME_UNITS_HEADWALKS_H

#include "runtime/program/Tensor.h"
#include "runtime/support/Parallel.h"
#include "runtime/support/Result.h"

#include <algorithm>
#include <new>
#include <string>
#include <utility>
#include <vector>

namespace sparsam::runtime {

/// The status of `walk()`, or, where it finds too little memory: "kernel 'x': not enough memory
/// `purpose`".
template <typename Walk>
Status withinMemory(const std::string &kernel, const char *purpose, Walk &&walk) {
  try {
    return walk();
  } catch (const std::bad_alloc &) {
    return makeError("kernel '", kernel, "': not enough memory ", purpose);
  }
}

/// Batch and heads per entry of `heads` in all, as a tensor of shape [batch, heads, tokens, size]
/// tells them apart. Other shapes are one entry.
inline std::pair<int64_t, int64_t> batchAndHeads(const Shape &shape, int64_t heads) {
  if (shape.size() == 4 && shape[0] * shape[1] == heads)
    return {shape[0], shape[1]};
  return {1, heads};
}

/// Divides `heads` into as many parts as there are threads, and calls walk(part, firstHead,
/// lastHead), which returns a Status, for each of them. Returns the first failure.
template <typename Walk> Status walkHeads(const std::string &kernel, int64_t heads, Walk &&walk) {
  const int64_t parts = std::min<int64_t>(threadCount(), heads);
  std::vector<Status> statuses{size_t(parts)};
  parallelFor(parts, [&](int64_t part) {
    statuses[size_t(part)] = withinMemory(kernel, "for its buffers", [&] {
      return walk(part, heads * part / parts, heads * (part + 1) / parts);
    });
  });
  for (const Status &status : statuses)
    if (!status)
      return status;
  return Status();
}

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_UNITS_HEADWALKS_H
