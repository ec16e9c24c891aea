// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Channels.cpp - which channel moves what ----------------------------===//

#include "targets/spatten/model/Channels.h"

#include "targets/spatten/model/ClosedForms.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace sparsam::spatten {

const char *const kPlaneNames[kPlanes] = {
    "dram_key_high_bytes", "dram_key_low_bytes", "dram_value_bytes", "dram_query_bytes",
    "dram_bias_bytes",     "dram_score_bytes",   "dram_output_bytes"};

Channels::Channels(const Params &params)
    : bytesPerCycle_(params.granulesPerCycle() * double(kGranuleBytes)),
      load_(size_t(params.channels), 0), current_(size_t(params.channels), 0) {}

void Channels::touch(int64_t address, int64_t bytes) {
  for (int64_t at = address, end = address + bytes; at < end;) {
    int64_t part = std::min(end, (at / kGranuleBytes + 1) * kGranuleBytes) - at;
    current_[size_t(at / kGranuleBytes) % current_.size()] += part;
    at += part;
  }
}

int64_t Channels::finish(Plane plane, int64_t bytes) {
  bytes_[size_t(plane)] += bytes;
  int64_t busiest = 0;
  for (size_t c = 0; c < current_.size(); ++c) {
    busiest = std::max(busiest, current_[c]);
    load_[c] += std::exchange(current_[c], 0);
  }
  return int64_t(std::ceil(double(busiest) / bytesPerCycle_));
}

int64_t Channels::fetchRows(Plane plane, std::span<const int64_t> rows, int64_t rowBits,
                            int64_t head) {
  if (rows.empty() || rowBits == 0)
    return 0;
  const int64_t bytes = (rowBits + 7) / 8, count = int64_t(rows.size()),
                fetched = fetchedRows(count);
  const bool isShared = bytes % kGranuleBytes != 0;
  const int64_t stride = isShared ? 2 * bytes : bytes, offset = isShared ? head % 2 * bytes : 0;
  if (!isShared && rows.back() - rows.front() + 1 == count) { // consecutive rows
    touch(rows.front() * stride, fetched * bytes);
    return finish(plane, fetched * bytes);
  }
  for (int64_t row : rows)
    touch(row * stride + offset, bytes);
  for (int64_t extra = 1; extra <= fetched - count; ++extra)
    touch((rows.back() + extra) * stride + offset, bytes);
  return finish(plane, fetched * bytes);
}

int64_t Channels::move(Plane plane, int64_t bytes) {
  touch(next_, bytes);
  next_ = (next_ + bytes + kGranuleBytes - 1) / kGranuleBytes * kGranuleBytes;
  next_ %= kGranuleBytes * int64_t(current_.size());
  return finish(plane, bytes);
}

int64_t Channels::totalBytes() const {
  return std::accumulate(bytes_, bytes_ + kPlanes, int64_t(0));
}

} // namespace sparsam::spatten
