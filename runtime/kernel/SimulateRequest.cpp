// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SimulateRequest.cpp - what `sparsam simulate` is asked -------------===//

#include "runtime/kernel/Machine.h"
#include "runtime/support/Text.h"

#include <algorithm>

namespace sparsam::runtime {

/// The options that say what to simulate, as far as they were given.
static std::vector<std::string> givenOptions(const SimulateRequest &request) {
  std::vector<std::string> options;
  auto add = [&](bool isGiven, const char *name) {
    if (isGiven)
      options.push_back(name);
  };
  add(request.masks, "masks");
  add(!request.validLengths.empty(), "valid-len");
  add(request.seqLen.has_value(), "seq-len");
  add(request.scores.has_value(), "scores");
  add(!request.workload.empty(), "workload");
  for (const auto &[name, value] : request.given)
    options.push_back(name);
  return options;
}

Status SimulateRequest::expectOnly(std::string_view target,
                                   const std::vector<std::string> &options) const {
  for (const std::string &option : givenOptions(*this))
    if (std::find(options.begin(), options.end(), option) == options.end())
      return makeError("target '", target, "' has no use for --", option, "; it takes --",
                       join(options, ", --"));
  return Status();
}

} // namespace sparsam::runtime
