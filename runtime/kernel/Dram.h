// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Dram.h - how long transfers take -----------------------------------===//
//
// Consecutive `interleaveBytes` lie in consecutive channels, so that a row of all channels together
// holds channels x rowBytes consecutive bytes; rows are dealt out to the banks in turn. A transfer
// takes as long as its busiest channel, plus what its row misses expose; its data is there
// `latency` later.
//
#ifndef SPARSAM_RUNTIME_KERNEL_DRAM_H
#define SPARSAM_RUNTIME_KERNEL_DRAM_H

#include "runtime/kernel/Scheduler.h"
#include "runtime/kernel/Units.h"

#include <cstdint>
#include <vector>

namespace sparsam::runtime {

/// Parameters, in cycles of the machine's clock.
struct DramParams {
  unsigned channels = 1;
  double bytesPerCycle = 1; ///< of all channels together
  Cycle latency{};          ///< from the last byte on the bus to its use
  Cycle rowMiss{}; ///< cycles that one row miss adds to a transfer (not hidden by other banks)
  int64_t rowBytes = 1024; ///< of one channel
  int64_t interleaveBytes = 64;
  unsigned banks = 16; ///< of one channel
};

/// Rows of equal length at a constant distance.
struct DramTransfer {
  int64_t address = 0; ///< bytes
  int64_t rows = 1, rowBytes = 0;
  int64_t rowStride = 0; ///< bytes from one row to the next
};

/// The memory behind a DMA unit; remembers which rows are open.
class Dram {
public:
  explicit Dram(const DramParams &params);

  Hold read(const DramTransfer &transfer);
  Hold write(const DramTransfer &transfer);

  Bytes bytesRead() const { return read_; }
  Bytes bytesWritten() const { return written_; }
  int64_t rowHits() const { return hits_; }
  int64_t rowMisses() const { return misses_; }
  /// Closes all rows and zeroes the counts.
  void reset();

private:
  Hold access(const DramTransfer &transfer);
  void touchRun(int64_t address, int64_t bytes);

  DramParams params_;
  std::vector<int64_t> openRow_; ///< by bank; all channels move in step
  std::vector<int64_t> load_;    ///< bytes of the current transfer by channel
  int64_t transferMisses_ = 0;
  Bytes read_, written_;
  int64_t hits_ = 0, misses_ = 0;
};

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_KERNEL_DRAM_H
