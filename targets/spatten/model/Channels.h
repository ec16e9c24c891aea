// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Channels.h - which channel moves what ------------------------------===//
#ifndef SPARSAM_TARGETS_SPATTEN_MODEL_CHANNELS_H
#define SPARSAM_TARGETS_SPATTEN_MODEL_CHANNELS_H

#include "targets/spatten/model/Params.h"

#include <span>
#include <vector>

namespace sparsam::spatten {

/// Kinds of DRAM traffic that are reported apart.
enum class Plane { keyHigh, keyLow, value, query, bias, scores, output };
constexpr size_t kPlanes = 7;
extern const char *const kPlaneNames[kPlanes];

/// The HBM: granules of 32 bytes go round the channels. The rows of one head's bit plane lie one
/// after the other; where a row is no multiple of a granule, two heads share it, each its half. [R
/// Crossbar, MatrixFetcher]
class Channels {
public:
  explicit Channels(const Params &params);

  /// Fetches rows `rows` (ascending), and as many after the last as fill up a group of eight, of
  /// `rowBits` bits each. `head` says which half of a shared granule. Returns cycles until the
  /// busiest channel is done.
  int64_t fetchRows(Plane plane, std::span<const int64_t> rows, int64_t rowBits, int64_t head);
  /// Moves consecutive bytes.
  int64_t move(Plane plane, int64_t bytes);

  int64_t bytes(Plane plane) const { return bytes_[size_t(plane)]; }
  int64_t totalBytes() const;
  /// Bytes by channel.
  const std::vector<int64_t> &load() const { return load_; }

private:
  void touch(int64_t address, int64_t bytes);
  int64_t finish(Plane plane, int64_t bytes);

  double bytesPerCycle_; ///< of one channel
  std::vector<int64_t> load_, current_;
  int64_t bytes_[kPlanes] = {};
  int64_t next_ = 0; ///< where consecutive bytes start
};

} // namespace sparsam::spatten

#endif // SPARSAM_TARGETS_SPATTEN_MODEL_CHANNELS_H
