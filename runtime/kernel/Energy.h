// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Energy.h - counts energy events against a table --------------------===//
#ifndef SPARSAM_RUNTIME_KERNEL_ENERGY_H
#define SPARSAM_RUNTIME_KERNEL_ENERGY_H

#include "runtime/kernel/Machine.h"
#include "runtime/kernel/Units.h"

#include <string>
#include <vector>

namespace sparsam::runtime {

/// The energy events of a machine: declared once with their price, counted while it runs.
class EnergyTable {
public:
  using EventId = size_t;

  /// Declares an event; `source` says where the picojoules come from (tag of arch.yaml).
  EventId add(std::string event, double picojoulesEach, std::string source) {
    events_.push_back({std::move(event), 0, picojoulesEach, std::move(source)});
    return events_.size() - 1;
  }
  void count(EventId event, double times = 1) { events_[event].count += times; }
  /// Counts since the last reset, in the order of declaration.
  const std::vector<EnergyUse> &use() const { return events_; }
  void reset() {
    for (EnergyUse &event : events_)
      event.count = 0;
  }

private:
  std::vector<EnergyUse> events_;
};

/// Sum over all events.
inline Energy totalEnergy(const std::vector<EnergyUse> &events) {
  Energy total;
  for (const EnergyUse &event : events)
    total += Energy(event.count * event.picojoulesEach);
  return total;
}

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_KERNEL_ENERGY_H
