// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Technology.cpp - scaling between process nodes ---------------------===//

#include "runtime/arch/Technology.h"

#include "runtime/support/Text.h"

#include <cmath>
#include <iterator>

namespace sparsam::runtime {

namespace {

/// One node: fits in the supply voltage V, delay d3 V^3 + d2 V^2 + d1 V + d0 and energy e2 V^2 +
/// e1 V + e0 (Table 5 and the one for delay, high performance devices below 65 nm), and the area
/// in units of that at 7 nm (the row of 7 nm of the table of areas).
struct Node {
  double nanometres, volts;
  double delay[4], energy[3];
  double area;
};

/// From the largest node down. Voltages are the nominal ones of the predictive models.
constexpr Node kNodes[] = {
    {180, 1.8, {0, 97.09, -356.7, 406.5}, {0, 24.64, -17.98}, 320},
    {130, 1.3, {-76.65, 334.9, -493.4, 275.8}, {7.171, -6.709, 2.904}, 110},
    {90, 1.2, {-60.34, 262.5, -384.2, 210.9}, {4.762, -4.781, 2.092}, 48},
    {65, 1.1, {-53.3, 230.4, -333.9, 178.6}, {3.755, -4.398, 1.975}, 25},
    {45, 1.0, {-501.6, 1567, -1619, 566.1}, {1.018, -0.3107, 0.1539}, 17},
    {32, 0.9, {-1047, 2982, -2797, 873.5}, {0.8367, -0.4341, 0.1701}, 7.8},
    {20, 0.9, {0, 34.63, -66.37, 41.15}, {0.373, -0.1582, 0.04104}, 3.6},
    {16, 0.85, {0, 24.8, -47.52, 28.87}, {0.2958, -0.1241, 0.03024}, 3.2},
    {14, 0.8, {-40.66, 109.2, -100.6, 35.92}, {0.2363, -0.09675, 0.02239}, 2.9},
    {10, 0.75, {-34.95, 93.65, -85.99, 30.4}, {0.2068, -0.09311, 0.02375}, 1.7},
    {7, 0.7, {-28.58, 76.6, -70.26, 24.69}, {0.1776, -0.09097, 0.02447}, 1},
};

TechnologyFactors atNode(const Node &node) {
  const double v = node.volts;
  return {((node.delay[0] * v + node.delay[1]) * v + node.delay[2]) * v + node.delay[3],
          (node.energy[0] * v + node.energy[1]) * v + node.energy[2], node.area};
}

/// Delay, energy and area at a node within the table, in the units of its fits.
TechnologyFactors absolute(double nanometres) {
  size_t below = 1; // the first node that is not larger
  while (kNodes[below].nanometres > nanometres)
    ++below;
  const TechnologyFactors large = atNode(kNodes[below - 1]), small = atNode(kNodes[below]);
  const double place = std::log(nanometres / kNodes[below].nanometres) /
                       std::log(kNodes[below - 1].nanometres / kNodes[below].nanometres);
  auto between = [&](double from, double to) { return from * std::pow(to / from, place); };
  return {between(small.delay, large.delay), between(small.energy, large.energy),
          between(small.area, large.area)};
}

} // namespace

Result<TechnologyFactors> technologyFactors(double from, double to) {
  static_assert(kNodes[0].nanometres == kLargestNode);
  static_assert(kNodes[std::size(kNodes) - 1].nanometres == kSmallestNode);
  for (double nanometres : {from, to})
    if (!(nanometres >= kSmallestNode && nanometres <= kLargestNode))
      return makeError("a technology of ", formatReal(nanometres), " nm has no scaling factors; ",
                       formatReal(kSmallestNode), " to ", formatReal(kLargestNode),
                       " nm have (Stillmaker and Baas, 2017)");
  const TechnologyFactors a = absolute(from), b = absolute(to);
  return TechnologyFactors{b.delay / a.delay, b.energy / a.energy, b.area / a.area};
}

} // namespace sparsam::runtime
