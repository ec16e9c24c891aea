// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Dma.cpp - moves tiles between DRAM and on-chip memories ------------===//

#include "runtime/units/Dma.h"

#include <cassert>
#include <cmath>

namespace sparsam::runtime {

Result<DramParams> readDramParams(const Arch &arch) {
  const double clockMhz = arch.real(Arch::kClockParameter);
  auto cyclesOf = [&](const char *nanoseconds) {
    return Cycle(int64_t(std::ceil(arch.real(nanoseconds) * clockMhz / 1000)));
  };
  DramParams dram;
  dram.channels = unsigned(arch.integer("dram_channels"));
  dram.bytesPerCycle = arch.real("dram_bandwidth_gbps") * 1000 / clockMhz;
  dram.latency = cyclesOf("dram_latency_ns");
  dram.rowMiss = cyclesOf("dram_row_miss_ns");
  dram.rowBytes = arch.integer("dram_row_bytes");
  dram.interleaveBytes = arch.integer("dram_interleave_bytes");
  dram.banks = unsigned(arch.integer("dram_banks"));
  if (dram.interleaveBytes > dram.rowBytes)
    return makeError("dram_interleave_bytes = ", dram.interleaveBytes,
                     " exceeds dram_row_bytes = ", dram.rowBytes,
                     "; lower 'dram_interleave_bytes'");
  return dram;
}

DramLayout::DramLayout(std::span<const TensorView> bindings, unsigned elementBits)
    : DramLayout(bindings, std::vector<unsigned>(bindings.size(), elementBits)) {}

DramLayout::DramLayout(std::span<const TensorView> bindings, std::vector<unsigned> elementBits)
    : elementBits_(std::move(elementBits)) {
  assert(bindings.size() == elementBits_.size() && "one width per binding");
  int64_t address = 0;
  for (size_t i = 0; i < bindings.size(); ++i) {
    addresses_.push_back(address);
    int64_t bytes = (bindings[i].elements() * elementBits_[i] + 7) / 8;
    address += (bytes + kAlignment - 1) / kAlignment * kAlignment;
  }
}

DramTransfer DramLayout::transfer(const Tile &tile, uint32_t rows) const {
  const int64_t bits = elementBits_[tile.binding];
  DramTransfer transfer{addresses_[tile.binding] + tile.offset * bits / 8, rows,
                        (int64_t(tile.cols) * bits + 7) / 8, tile.rowStride * bits / 8};
  if (tile.rowStride == int64_t(tile.cols)) { // one run of bytes
    transfer.rowBytes = (int64_t(rows) * tile.cols * bits + 7) / 8;
    transfer.rows = 1;
  }
  return transfer;
}

Cycle Dma::load(UnitId stream, const char *label, const Tile &source, const Tile &destination) {
  uint32_t rows = std::min({source.validRows, destination.validRows, source.rows});
  return read(stream, label, layout_.transfer(source, rows), {destination});
}

Cycle Dma::store(UnitId stream, const char *label, const Tile &source, const Tile &destination) {
  uint32_t rows = std::min({source.validRows, destination.validRows, source.rows});
  return write(stream, label, layout_.transfer(destination, rows), {source});
}

/// Nothing is moved by a transfer of no bytes: it does not even see the latency.
static bool isEmpty(const DramTransfer &transfer) {
  return transfer.rows <= 0 || transfer.rowBytes <= 0;
}

Cycle Dma::read(UnitId stream, const char *label, const DramTransfer &transfer,
                std::initializer_list<Tile> writes, Cycle notBefore) {
  Hold hold = isEmpty(transfer) ? Hold{} : dram_.read(transfer);
  return scheduler_.issue(stream, label, hold, {}, writes, takeBus(hold, notBefore));
}

Cycle Dma::write(UnitId stream, const char *label, const DramTransfer &transfer,
                 std::initializer_list<Tile> reads, Cycle notBefore) {
  Hold hold = isEmpty(transfer) ? Hold{} : dram_.write(transfer);
  return scheduler_.issue(stream, label, hold, reads, {}, takeBus(hold, notBefore));
}

} // namespace sparsam::runtime
