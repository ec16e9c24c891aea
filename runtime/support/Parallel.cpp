// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Parallel.cpp - loops over the threads that oneDNN uses too ---------===//

#include "runtime/support/Parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include <sched.h>

// libgomp's entry points: what g++ calls for `#pragma omp parallel`. clang would call its own runtime.
extern "C" {
void GOMP_parallel(void (*body)(void *), void *data, unsigned threads, unsigned flags);
int omp_in_parallel(void);
}

namespace sparsam::runtime {

/// Processors that this process may run on.
static unsigned availableProcessors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    return std::max(1, CPU_COUNT(&set));
  return std::max(1u, std::thread::hardware_concurrency());
}

static std::atomic<unsigned> chosenThreads{0};

void setThreadCount(unsigned threads) { chosenThreads = threads; }

unsigned threadCount() {
  static const unsigned available = availableProcessors();
  unsigned chosen = chosenThreads;
  return chosen != 0 ? chosen : available;
}

namespace {

/// Indices that the threads of one loop take one after the other.
struct Loop {
  int64_t count;
  const std::function<void(int64_t)> &body;
  std::atomic<int64_t> next{0};
  std::mutex mutex;
  std::exception_ptr error; ///< the first that a body threw

  void work() {
    try {
      for (int64_t i = next++; i < count; i = next++)
        body(i);
    } catch (...) {
      next = count; // an exception must not leave the parallel region
      std::lock_guard lock(mutex);
      if (!error)
        error = std::current_exception();
    }
  }
};

} // namespace

void parallelFor(int64_t count, const std::function<void(int64_t)> &body) {
  unsigned threads = unsigned(std::min<int64_t>(threadCount(), count));
  if (threads <= 1 || omp_in_parallel()) {
    for (int64_t i = 0; i < count; ++i)
      body(i);
    return;
  }
  Loop loop{count, body, {}, {}, {}};
  GOMP_parallel([](void *data) { static_cast<Loop *>(data)->work(); }, &loop, threads, 0);
  if (loop.error)
    std::rethrow_exception(loop.error);
}

} // namespace sparsam::runtime
