// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Spatten.cpp - launching kernels, and registration -------------------===//

#include "runtime/kernel/KernelModel.h"
#include "runtime/units/NonFinite.h"
#include "targets/spatten/SpattenYaml.h"
#include "targets/spatten/model/Analysis.h"
#include "targets/spatten/model/FunctionalWalk.h"
#include "targets/spatten/model/TimingWalk.h"

namespace sparsam::spatten {

using namespace runtime;

static Status replay(const Kernel &kernel, const Params &params, const LaunchContext &context,
                     LaunchReport &report) {
  if (!context.masks)
    return makeError("a timing run needs a mask trace");
  Result<Decisions> decisions = Decisions::readFrom(*context.masks, kernel);
  if (!decisions)
    return decisions.error();
  return walkTiming(kernel, params, context.bindings, *decisions, context.timeline, report);
}

static void warnOfInputs(const Kernel &kernel, const Params &params, const Decisions &decisions,
                         LaunchReport &report) {
  const bool isExact = params.isExact || !kernel.config.words;
  warnOfNonFinite(decisions.nonFinite,
                  std::to_string(decisions.nonFinite) +
                      " among the queries, keys and values that were loaded",
                  isExact ? kTakenAsFloats
                          : "the machine's words have neither: both are taken as the largest word",
                  report);
}

static Status launch(const Kernel &kernel, const Params &params, LaunchContext &context,
                     LaunchReport &report) {
  if (context.mode == RunMode::timing)
    return replay(kernel, params, context, report);
  Decisions decisions(kernel);
  if (Status status = walkFunctional(kernel, params, context.bindings, decisions); !status)
    return status;
  warnOfInputs(kernel, params, decisions, report);
  if (context.masks)
    decisions.writeTo(*context.masks, kernel.name());
  if (context.masks &&
      context.recordPredicted) // the selection proper: visible pairs whose values are mixed
    context.masks->kernels[kernel.name() + ".predicted"] =
        decisions.withoutHidden(decisions.values);
  if (context.mode == RunMode::functional)
    return Status();
  return walkTiming(kernel, params, context.bindings, decisions, context.timeline, report);
}

static CalibrationRules calibration(const Arch &) {
  return {{"tx", "q_absmax"}, {"ty", "k_absmax"}, {"tz", "v_absmax"}};
}

void registerSpattenModel(ModelRegistry &registry) {
  addModel<Params, Kernel>(registry, "spatten",
                           {.archYaml = kArchYaml,
                            .paperYaml = kPaperYaml,
                            .launch = launch,
                            .analyze = analyze,
                            .recipes = recipes,
                            .calibration = calibration});
}

} // namespace sparsam::spatten
