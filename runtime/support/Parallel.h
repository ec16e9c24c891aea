// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Parallel.h - loops over the threads that oneDNN uses too -----------===//
//
// oneDNN of Debian runs on GNU OpenMP. A second pool of our own would fight with its spinning workers for the
// same cores, so these loops run on the same pool, through libgomp's public entry point. What each index
// computes must not depend on the thread that runs it: results are then equal for any number of threads.
//
#ifndef SPARSAM_RUNTIME_SUPPORT_PARALLEL_H
#define SPARSAM_RUNTIME_SUPPORT_PARALLEL_H

#include <cstdint>
#include <functional>

namespace sparsam::runtime {

/// Sets how many threads parallelFor uses; 0 means one per available processor.
void setThreadCount(unsigned threads);

/// Threads that parallelFor uses (at least 1).
unsigned threadCount();

/// Calls body(i) for every i in [0, count), in any order, on up to threadCount() threads; nested calls run
/// on the calling thread alone.
void parallelFor(int64_t count, const std::function<void(int64_t)> &body);

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_SUPPORT_PARALLEL_H
