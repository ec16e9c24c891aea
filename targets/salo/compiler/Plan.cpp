// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Plan.cpp - windows and global tokens as passes ---------------------===//

#include "Schedule.h"

#include "llvm/Support/MathExtras.h"

#include <optional>

using namespace mlir;

namespace sparsam::salo {

namespace {

/// Places global tokens among the passes of the windows.
///
/// The keys that pass the last row of tile t in a pass of offset o are t R + o + R - 1 and the C -
/// 1 that follow. Over all tiles these are consecutive where C >= R; else it takes `span` passes,
/// each C further, of which the last may show fewer.
class Planner {
public:
  Planner(const Core &core, const Geometry &geometry)
      : core(core), geometry(geometry), tiles(llvm::divideCeil(core.tokens, geometry.rows)),
        span(std::max<int64_t>(1, llvm::divideCeil(geometry.rows, geometry.cols))) {}

  Plan run() {
    for (auto [offset, keys] : core.windows)
      plans.push_back({offset, keys});
    const int64_t count = core.globals.size();
    const int64_t groups = count ? llvm::divideCeil(count, geometry.globals) : 0;
    for (int64_t group = 0; group < groups; ++group) {
      const bool rides = group == 0 && !plans.empty();
      if (rides)
        plans.front().keyGroup = 0;
      if (!rides || !ride())
        append(group, /*withKeys=*/!rides);
    }
    return {std::move(plans), std::move(extra)};
  }

private:
  /// First key that passes the last row of tile 0.
  int64_t first(const PassPlan &plan) const { return plan.offset + geometry.rows - 1; }
  /// Behind the last key that the passes from `plan` on show all tiles.
  int64_t end(const PassPlan &plan) const {
    return first(plan) + geometry.rows * (tiles - 1) + std::max(geometry.rows, geometry.cols);
  }
  int64_t rowCols(int64_t number) const {
    return std::min(geometry.cols, std::max(geometry.rows, geometry.cols) - number * geometry.cols);
  }
  /// True if `span` passes from number `at` on follow each other without gaps.
  bool isSpan(size_t at) const {
    if (at + size_t(span) > plans.size())
      return false;
    for (int64_t i = 1; i < span; ++i)
      if (plans[at + size_t(i)].offset != plans[at].offset + i * geometry.cols)
        return false;
    return true;
  }
  void show(size_t at, int64_t from, int64_t to) {
    for (int64_t i = 0; i < span; ++i) {
      PassPlan &plan = plans[at + size_t(i)];
      plan.queryGroup = 0;
      plan.rowFrom = from;
      plan.rowTo = to;
      plan.rowCols = rowCols(i);
    }
  }

  /// Shows the first group every key in passes that are there anyway: in the last ones that begin
  /// at or before key 0, and the keys behind those of the last tile in later ones.
  bool ride() {
    for (size_t at = plans.size(); at-- > 0;) {
      if (first(plans[at]) > 0 || !isSpan(at))
        continue;
      const int64_t shown = std::min(end(plans[at]), core.tokens); // keys are the same tokens
      if (shown == core.tokens) {
        show(at, 0, shown);
        return true;
      }
      for (size_t rest = at + size_t(span); rest < plans.size(); ++rest)
        if (isSpan(rest) && first(plans[rest]) <= shown && end(plans[rest]) >= core.tokens) {
          show(at, 0, shown);
          show(rest, shown, core.tokens);
          return true;
        }
    }
    return rideTheMost();
  }

  /// As ride(), where no passes show every key: in those that leave the fewest for extra passes.
  bool rideTheMost() {
    std::optional<size_t> best;
    for (size_t at = 0; at < plans.size(); ++at)
      if (isSpan(at) && (!best || countExtra(at) < countExtra(*best)))
        best = at;
    if (!best || countExtra(*best) >= tiles * span)
      return false;
    const auto [from, to] = shown(*best);
    show(*best, from, to);
    appendExtra(0, from);
    appendExtra(to, core.tokens);
    return true;
  }

  /// The keys that the passes from `at` on show the last row: from the first to behind the last.
  std::pair<int64_t, int64_t> shown(size_t at) const {
    const int64_t from = std::clamp<int64_t>(first(plans[at]), 0, core.tokens);
    return {from, std::clamp(end(plans[at]), from, core.tokens)};
  }
  int64_t countExtra(size_t at) const {
    const auto [from, to] = shown(at);
    return llvm::divideCeil(from, geometry.cols) +
           llvm::divideCeil(core.tokens - to, geometry.cols);
  }

  /// Passes of the first tile alone that show the first group some keys.
  void appendExtra(int64_t from, int64_t to) {
    for (int64_t key = from; key < to; key += geometry.cols) {
      PassPlan plan;
      plan.offset = key - (geometry.rows - 1);
      plan.queryGroup = 0;
      plan.rowFrom = from;
      plan.rowTo = to;
      plan.rowCols = geometry.cols;
      extra.push_back(plan);
    }
  }

  /// Passes without window for one group.
  void append(int64_t group, bool withKeys) {
    for (int64_t i = 0; i < span; ++i) {
      PassPlan plan;
      plan.offset = i * geometry.cols - (geometry.rows - 1);
      plan.keyGroup = withKeys && i == 0 ? group : -1;
      plan.queryGroup = group;
      plan.rowTo = core.tokens;
      plan.rowCols = rowCols(i);
      plans.push_back(plan);
    }
  }

  const Core &core;
  const Geometry &geometry;
  const int64_t tiles;
  const int64_t span; ///< passes that show a global row consecutive keys
  SmallVector<PassPlan> plans, extra;
};

} // namespace

Plan planPasses(const Core &core, const Geometry &geometry) {
  return Planner(core, geometry).run();
}

} // namespace sparsam::salo
