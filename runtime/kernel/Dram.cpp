// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Dram.cpp - how long transfers take ---------------------------------===//

#include "runtime/kernel/Dram.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace sparsam::runtime {

/// No row is open.
static constexpr int64_t kClosed = -1;

Dram::Dram(const DramParams &params)
    : params_(params), openRow_(params.banks, kClosed), load_(params.channels, 0) {
  assert(params.channels > 0 && params.banks > 0 && params.bytesPerCycle > 0 &&
         params.rowBytes > 0 && params.interleaveBytes > 0 && "arch.yaml bounds these parameters");
}

/// Accounts `bytes` consecutive bytes to channels and rows.
void Dram::touchRun(int64_t address, int64_t bytes) {
  int64_t span = params_.interleaveBytes, channels = params_.channels, end = address + bytes;
  int64_t wholeRounds = 0, at = address;
  // Whole rounds over all channels load each of them alike.
  if (bytes >= 2 * span * channels) {
    int64_t head = (span - address % span) % span;
    wholeRounds = (bytes - head) / (span * channels);
  }
  for (; at < end;) {
    if (wholeRounds > 0 && at % span == 0) {
      for (int64_t &load : load_)
        load += wholeRounds * span;
      at += wholeRounds * span * channels;
      wholeRounds = 0;
      continue;
    }
    int64_t part = std::min(end, (at / span + 1) * span) - at;
    load_[size_t(at / span % channels)] += part;
    at += part;
  }
  int64_t rowBytes = params_.rowBytes * channels;
  for (int64_t row = address / rowBytes; row <= (end - 1) / rowBytes; ++row) {
    int64_t &open = openRow_[size_t(row % params_.banks)];
    open == row ? ++hits_ : ++transferMisses_;
    open = row;
  }
}

Hold Dram::access(const DramTransfer &transfer) {
  std::fill(load_.begin(), load_.end(), 0);
  transferMisses_ = 0;
  if (transfer.rowBytes > 0 && transfer.rows > 0) {
    if (transfer.rowStride == transfer.rowBytes)
      touchRun(transfer.address, transfer.rowBytes * transfer.rows);
    else
      for (int64_t row = 0; row < transfer.rows; ++row)
        touchRun(transfer.address + row * transfer.rowStride, transfer.rowBytes);
  }
  misses_ += transferMisses_;
  double busiest = double(*std::max_element(load_.begin(), load_.end()));
  double cycles = busiest * params_.channels / params_.bytesPerCycle;
  return {Cycle(int64_t(std::ceil(cycles)) + transferMisses_ * params_.rowMiss.value),
          params_.latency};
}

Hold Dram::read(const DramTransfer &transfer) {
  read_ += Bytes(transfer.rows * transfer.rowBytes);
  return access(transfer);
}

Hold Dram::write(const DramTransfer &transfer) {
  written_ += Bytes(transfer.rows * transfer.rowBytes);
  return access(transfer);
}

void Dram::reset() {
  std::fill(openRow_.begin(), openRow_.end(), kClosed);
  read_ = written_ = Bytes();
  hits_ = misses_ = 0;
}

} // namespace sparsam::runtime
