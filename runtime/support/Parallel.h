// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Parallel.h - loops over a pool of threads --------------------------===//
//
// The only threads of the runtime: oneDNN is always called with one thread, inside of these loops.
// Its own pool, OpenMP's, spins while it waits, which costs a multiple of the run time as soon as
// another process wants the processors. What each index computes must not depend on the thread that
// runs it: results are then equal for any number of threads.
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

/// Calls body(i) for every i in [0, count), in any order, on up to threadCount() threads; nested
/// calls run on the calling thread alone.
void parallelFor(int64_t count, const std::function<void(int64_t)> &body);

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_SUPPORT_PARALLEL_H
