// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Parallel.cpp - loops over a pool of threads ------------------------===//

#include "runtime/support/Parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include <sched.h>

namespace sparsam::runtime {

/// Processors that this process may run on.
static unsigned availableProcessors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    return unsigned(std::max(1, CPU_COUNT(&set)));
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

/// True on a thread that is inside of a loop.
thread_local bool isInLoop = false;

/// Spins for some microseconds, the gap between two loops, then sleeps until `value` is no longer
/// `old`. A thread that sleeps leaves its processor to the one it waits for.
template <typename T> void waitWhile(const std::atomic<T> &value, T old) {
  constexpr int kSpins = 2000;
  for (int i = 0; i < kSpins; ++i) {
    if (value.load(std::memory_order_acquire) != old)
      return;
    __builtin_ia32_pause();
  }
  value.wait(old, std::memory_order_acquire);
}

/// Indices that the threads of one loop take one after the other.
struct Loop {
  int64_t count;
  const std::function<void(int64_t)> &body;
  std::atomic<int64_t> next{0};
  std::mutex mutex;
  std::exception_ptr error; ///< the first that a body threw

  void work() {
    isInLoop = true;
    try {
      for (int64_t i = next++; i < count; i = next++)
        body(i);
    } catch (...) {
      next = count;
      std::lock_guard lock(mutex);
      if (!error)
        error = std::current_exception();
    }
    isInLoop = false;
  }
};

/// Threads that wait for loops. Lives as long as the process.
class Pool {
public:
  static Pool &instance() {
    static Pool *pool = new Pool(); // never destroyed: its threads may outlive static objects
    return *pool;
  }

  /// Runs `loop` on the calling thread and `helpers` others; false if the pool is in use.
  bool run(Loop &loop, uint32_t helpers) {
    std::unique_lock lock(inUse_, std::try_to_lock);
    if (!lock)
      return false;
    const uint32_t before = call_.load(std::memory_order_relaxed);
    helpers = std::min(helpers, kHelpers);
    while (threads_.size() < helpers)
      threads_.emplace_back(
          [this, number = uint32_t(threads_.size()), before] { help(number, before); });
    loop_ = &loop;
    working_.store(helpers, std::memory_order_relaxed);
    call_.store(((before & ~kHelpers) + kHelpers + 1) | helpers, std::memory_order_release);
    call_.notify_all();
    loop.work();
    for (uint32_t left; (left = working_.load(std::memory_order_acquire)) != 0;)
      waitWhile(working_, left);
    return true;
  }

private:
  void help(uint32_t number, uint32_t seen) {
    while (true) {
      waitWhile(call_, seen);
      seen = call_.load(std::memory_order_acquire);
      if (number >= (seen & kHelpers))
        continue; // not called this time
      // The next call comes after all helpers of this one are done: the loop is still there.
      loop_->work();
      if (working_.fetch_sub(1, std::memory_order_acq_rel) == 1)
        working_.notify_one();
    }
  }

  /// The low bits of a call say how many helpers it is for, the others count calls: one number, so
  /// that a helper that wakes up late never mixes two calls.
  static constexpr uint32_t kHelpers = (1 << 10) - 1;

  std::mutex inUse_;
  std::vector<std::thread> threads_;
  Loop *loop_ = nullptr; ///< of the call in progress
  std::atomic<uint32_t> call_{0}, working_{0};
};

} // namespace

void parallelFor(int64_t count, const std::function<void(int64_t)> &body) {
  unsigned threads = unsigned(std::min<int64_t>(threadCount(), count));
  Loop loop{count, body, {}, {}, {}};
  if (threads <= 1 || isInLoop || !Pool::instance().run(loop, threads - 1)) {
    for (int64_t i = 0; i < count; ++i)
      body(i);
    return;
  }
  if (loop.error)
    std::rethrow_exception(loop.error);
}

} // namespace sparsam::runtime
