// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Dma.h - moves tiles between DRAM and on-chip memories --------------===//
//
// One bus, any number of streams. Each stream is a unit of the scheduler with a queue of its own;
// all share the bandwidth: no transfer starts before the bus could have moved everything that was
// issued before it.
//
#ifndef SPARSAM_RUNTIME_UNITS_DMA_H
#define SPARSAM_RUNTIME_UNITS_DMA_H

#include "runtime/arch/Arch.h"
#include "runtime/kernel/Dram.h"
#include "runtime/units/TileScheduler.h"

#include <algorithm>

namespace sparsam::runtime {

/// Reads the parameters `dram_bandwidth_gbps`, `dram_channels`, `dram_latency_ns`,
/// `dram_row_miss_ns`, `dram_row_bytes`, `dram_interleave_bytes`, `dram_banks` and `clock_mhz`.
Result<DramParams> readDramParams(const Arch &arch);

/// Where the bindings of a launch lie in DRAM: one after the other, each at a multiple of
/// `kAlignment` bytes.
class DramLayout {
public:
  static constexpr int64_t kAlignment = 4096;

  /// Elements of every binding take `elementBits` in DRAM.
  DramLayout(std::span<const TensorView> bindings, unsigned elementBits);
  /// Elements of binding i take elementBits[i] in DRAM.
  DramLayout(std::span<const TensorView> bindings, std::vector<unsigned> elementBits);

  /// The first `rows` rows of a DRAM tile; rows that follow each other are one run of bytes.
  DramTransfer transfer(const Tile &tile, uint32_t rows) const;
  /// First byte of a binding.
  int64_t address(unsigned binding) const { return addresses_[binding]; }

private:
  std::vector<unsigned> elementBits_;
  std::vector<int64_t> addresses_;
};

class Dma {
public:
  Dma(const DramParams &params, DramLayout layout, TileScheduler &scheduler)
      : dram_(params), layout_(std::move(layout)), scheduler_(scheduler) {}

  /// Loads the rows of `source` that exist and that `destination` has room for; returns the cycle
  /// at which they are there.
  Cycle load(UnitId stream, const char *label, const Tile &source, const Tile &destination);
  /// Stores likewise; `source` is on chip.
  Cycle store(UnitId stream, const char *label, const Tile &source, const Tile &destination);
  /// Transfers of another shape: reads `transfer` into `writes`, or writes it out of `reads`.
  Cycle read(UnitId stream, const char *label, const DramTransfer &transfer,
             std::initializer_list<Tile> writes, Cycle notBefore = Cycle());
  Cycle write(UnitId stream, const char *label, const DramTransfer &transfer,
              std::initializer_list<Tile> reads, Cycle notBefore = Cycle());

  const DramLayout &layout() const { return layout_; }
  const Dram &dram() const { return dram_; }

private:
  /// When the bus is free for a transfer that holds it for `hold`.
  Cycle takeBus(Hold hold, Cycle notBefore) {
    Cycle free = busBusy_;
    busBusy_ += hold.occupancy;
    return std::max(free, notBefore);
  }

  Dram dram_;
  DramLayout layout_;
  TileScheduler &scheduler_;
  Cycle busBusy_{}; ///< sum of all transfers issued so far
};

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_UNITS_DMA_H
