// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- KernelModel.cpp - the model of a target, made of what differs ------===//

#include "runtime/kernel/KernelModel.h"

namespace sparsam::runtime {

std::map<std::string, double> applyRules(const CalibrationRules &rules,
                                         const std::map<std::string, double> &statistics) {
  std::map<std::string, double> parameters;
  for (const auto &[parameter, statistic] : rules)
    if (auto it = statistics.find(statistic); it != statistics.end())
      parameters[parameter] = it->second;
  return parameters;
}

} // namespace sparsam::runtime
